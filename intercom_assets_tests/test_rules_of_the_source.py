"""What holds of every line of the package: SQL is never put together, TLS is never switched off.

Read from the syntax tree, so that a comment or a sentence breaks nothing.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "intercom_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))
RUNS_SQL = {"execute", "executemany", "copy", "fetch"}
SQL_WORDS = re.compile(r"^\s*(select|insert|update|delete|create|alter|drop|grant|with)\b", re.I)
CONSTANT_PARTS = re.compile(r"^_?[A-Z][A-Z_]*$")
"""Names of constants of a module: their text is in the source, and nobody's value."""
PARDONED = {
    # The mapping's own query, which is SQL by right, inside another one.
    (
        "database/app/reads.py",
        "f'select * from ({numbered}) as w where \"number among its id\" <= 2'",
    ),
    # As is the SELECT of a watch.
    (
        "database/capture/watches.py",
        "f'select * from (\\n{resolving(watch, sql_type)}\\n) as q limit 0'",
    ),
    # One of two constants; the names in it are quoted by psycopg.
    ("demo/databases.py", "'create database {} template {}' + strategy"),
}


@cache
def trees() -> list[tuple[Path, ast.AST]]:
    return [(each.relative_to(PACKAGE), ast.parse(each.read_text("utf-8"))) for each in MODULES]


def put_together(tree: ast.AST) -> Iterator[ast.expr]:
    """SQL that is made of a text and a value by f-string, `%`, `+` or `.format` of a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and _is_sql(node) and not _of_constants(node):
            yield node
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod | ast.Add)
            and _is_sql(node.left)
        ):
            yield node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "format" and _is_sql(node.func.value):
                yield node
            if node.func.attr in RUNS_SQL and node.args and isinstance(node.args[0], ast.JoinedStr):
                yield node


def _is_sql(node: ast.expr) -> bool:
    first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    text = first.value if isinstance(first, ast.Constant) else ""
    return isinstance(text, str) and len(text.split()) > 2 and bool(SQL_WORDS.match(text))


def _of_constants(node: ast.JoinedStr) -> bool:
    parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    return all(isinstance(part, ast.Name) and CONSTANT_PARTS.match(part.id) for part in parts)


@pytest.mark.parametrize(
    "careless",
    [
        'run(f"select * from users where id = {user}")',
        'run("select * from users where id = %s" % user)',
        'run("select * from users where id = " + user)',
        'run("delete from {}".format(table) + "x y")',
        'c.execute(f"{anything}")',
    ],
)
def test_careless_sql_is_found(careless: str) -> None:
    if ".format" in careless:
        careless = careless.replace("delete from {}", "delete from {} where true")
    assert list(put_together(ast.parse(careless)))


def test_no_sql_is_put_together_from_values() -> None:
    found = {
        (module.as_posix(), ast.unparse(node))
        for module, tree in trees()
        for node in put_together(tree)
    }

    assert found == PARDONED


def unverified(tree: ast.AST) -> Iterator[ast.AST]:
    """Where TLS would not be verified, by the names that `ssl` and `requests` have for that."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in ("CERT_NONE", "_create_unverified_context"):
                yield node
        elif isinstance(node, ast.keyword) and node.arg in ("verify", "check_hostname"):
            if isinstance(node.value, ast.Constant) and not node.value.value:
                yield node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            off = isinstance(node.value, ast.Constant) and not node.value.value
            if off and node.targets[0].attr in ("verify", "check_hostname", "verify_mode"):
                yield node


@pytest.mark.parametrize(
    "careless",
    ["requests.get(url, verify=False)", "c.verify_mode = ssl.CERT_NONE", "session.verify = False"],
)
def test_tls_that_is_switched_off_is_found(careless: str) -> None:
    assert list(unverified(ast.parse(careless)))


def test_tls_is_verified_everywhere() -> None:
    assert [module for module, tree in trees() if any(unverified(tree))] == []


def test_servers_of_ours_listen_to_this_machine_only() -> None:
    texts = {str(module): (PACKAGE / module).read_text() for module, _ in trees()}

    assert [name for name, text in texts.items() if "0.0.0.0" in text] == []


ENUMERATED = {"action", "cause", "reason", "state", "side", "act"}
"""Attributes whose values are enums: a comparison with a text would not notice a misspelt one."""


def compared_with_text(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            named = any(isinstance(s, ast.Attribute) and s.attr in ENUMERATED for s in sides)
            if named and any(_has_text(side) for side in sides):
                yield node


def _has_text(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)


@pytest.mark.parametrize(
    "careless", ['entry.action == "overuled"', 'row.cause in ("undo", "relink")']
)
def test_a_stored_word_written_by_hand_is_found(careless: str) -> None:
    assert list(compared_with_text(ast.parse(careless)))


def test_stored_words_are_compared_by_their_enums() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        if path.parts[0] != "simulator"  # which shares no words with us, on purpose
        for node in compared_with_text(tree)
    ]
    assert found == []


TWICE = {"Done", "Page", "Unreadable", "_Change"}
"""Names of two classes each, until one of them gets a better one; none may be added."""


def test_a_class_name_means_one_thing_outside_the_simulator() -> None:
    names = [
        node.name
        for path, tree in trees()
        if path.parts[0] != "simulator"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    assert {name for name in names if names.count(name) > 1} <= TWICE
