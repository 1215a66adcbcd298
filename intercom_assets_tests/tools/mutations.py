"""The small ways in which a module can be wrong: its source -> mutants, each changed in one place.

Belongs here: what is changed and how. Must not: running tests (`mutation.py`), or excuses for
mutants that live (`mutation_pardons.py`). Annotations, decorators and docstrings are left alone:
mypy and readers see to them.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from intercom_assets.domain.fields import Policy

Change = tuple[str, Callable[[], None]]
"""What is changed, and the deed, done on the tree that it was found in."""

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.USub: ast.UAdd,
}
MEMBERS = {
    "Side": ("APP", "INTERCOM"),
    "Look": ("STALE", "FRESH"),
    "Policy": tuple(Policy.__members__),
    "Kind": ("STRING", "INTEGER", "FLOAT", "BOOLEAN", "DATE"),
    "EdgeState": ("ATTACHING", "ATTACHED", "DETACHING"),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """`line` is that of the place; `text` the line's code as it was; `source` the whole module."""

    module: str
    line: int
    text: str
    change: str
    source: str

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line}: {self.change}\n    {self.text}"


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    lines = source.splitlines()
    for place, each in enumerate(_places(ast.parse(source))):
        for number in range(len(list(_changes(each)))):
            tree = ast.parse(source)
            node = _places(tree)[place]
            change, deed = list(_changes(node))[number]
            line = _line(node)
            deed()
            changed = ast.unparse(ast.fix_missing_locations(tree))
            yield Mutant(module, line, lines[line - 1].strip(), change, changed)


def _line(node: ast.AST) -> int:
    """A filter has no line of its own."""
    found = node.target if isinstance(node, ast.comprehension) else node
    return getattr(found, "lineno", 1)


def _places(tree: ast.AST) -> list[ast.AST]:
    """Every node that may be changed, in an order that is the same for the same source."""
    left_alone = {id(below) for node in ast.walk(tree) for below in _left_alone(node)}
    return [node for node in ast.walk(tree) if id(node) not in left_alone]


def _left_alone(node: ast.AST) -> Iterator[ast.AST]:
    roots: list[ast.AST | None] = []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        roots += node.decorator_list
    if isinstance(node, ast.FunctionDef):
        roots.append(node.returns)
    if isinstance(node, ast.arg | ast.AnnAssign):
        roots.append(node.annotation)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        roots.append(node)
    for root in roots:
        if root is not None:
            yield from ast.walk(root)


def _changes(node: ast.AST) -> Iterator[Change]:
    for kind, changes in _BY_NODE.items():
        if isinstance(node, kind):
            yield from changes(node)
    if isinstance(node, ast.Module | ast.FunctionDef | ast.If | ast.For | ast.With | ast.Try):
        yield from _dropped_statements(node.body)


def _put(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _compare(node: ast.Compare) -> Iterator[Change]:
    for place, operator in enumerate(node.ops):
        if swapped := OPERATORS.get(type(operator)):
            changed = [*node.ops]
            changed[place] = swapped()  # type: ignore[call-overload]
            yield f"{_name(operator)} -> {swapped.__name__}", _put(node, "ops", changed)


def _bool_op(node: ast.BoolOp) -> Iterator[Change]:
    yield from _operator(node)
    for place, operand in enumerate(node.values):
        rest = [*node.values[:place], *node.values[place + 1 :]]
        yield f"without `{ast.unparse(operand)}`", _put(node, "values", rest)


def _operator(node: ast.BoolOp | ast.BinOp | ast.AugAssign) -> Iterator[Change]:
    if swapped := OPERATORS.get(type(node.op)):
        yield f"{_name(node.op)} -> {swapped.__name__}", _put(node, "op", swapped())


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield "not dropped", _put(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node.op, ast.USub):
        yield "- dropped", _put(node, "op", ast.UAdd())


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield f"{node.value} negated", _put(node, "value", not node.value)
    elif isinstance(node.value, int | float):
        yield f"{node.value} + 1", _put(node, "value", node.value + 1)
    elif isinstance(node.value, str):
        yield f"{node.value!r} + '~'", _put(node, "value", node.value + "~")
    elif isinstance(node.value, bytes) and node.value:
        yield f"{node.value!r} dropped", _put(node, "value", b"")


def _test(node: ast.If | ast.IfExp | ast.While) -> Iterator[Change]:
    for truth in (True, False):
        yield f"if always {truth}", _put(node, "test", ast.Constant(truth))


def _filter(node: ast.comprehension) -> Iterator[Change]:
    if node.ifs:
        yield "filter dropped", _put(node, "ifs", [])


def _call(node: ast.Call) -> Iterator[Change]:
    for place, keyword in enumerate(node.keywords):
        rest = [*node.keywords[:place], *node.keywords[place + 1 :]]
        yield f"without {keyword.arg}=", _put(node, "keywords", rest)
    if len(node.args) == 1 and not node.keywords:
        yield "argument dropped", _put(node, "args", [])


def _return(node: ast.Return) -> Iterator[Change]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return None", _put(node, "value", ast.Constant(None))


def _member(node: ast.Attribute) -> Iterator[Change]:
    members = MEMBERS.get(node.value.id, ()) if isinstance(node.value, ast.Name) else ()
    if node.attr in members:
        other = members[(members.index(node.attr) + 1) % len(members)]
        yield f"{node.attr} -> {other}", _put(node, "attr", other)


def _match(node: ast.Match) -> Iterator[Change]:
    for place, case in enumerate(node.cases):
        rest = [*node.cases[:place], *node.cases[place + 1 :]]
        yield f"without `case {ast.unparse(case.pattern)}`", _put(node, "cases", rest)


def _items(node: ast.Dict) -> Iterator[Change]:
    for place, key in enumerate(node.keys):
        if key is not None:
            continue

        def drop(place: int = place) -> None:
            del node.keys[place], node.values[place]

        yield f"without **{ast.unparse(node.values[place])}", drop


def _elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[Change]:
    for place, element in enumerate(node.elts):
        if isinstance(node.ctx if hasattr(node, "ctx") else ast.Load(), ast.Store):
            return
        rest = [*node.elts[:place], *node.elts[place + 1 :]]
        yield f"without `{ast.unparse(element)}`", _put(node, "elts", rest)


def _dropped_statements(body: list[ast.stmt]) -> Iterator[Change]:
    for place, statement in enumerate(body):
        kept = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if kept or not isinstance(statement, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue):
            continue

        def drop(place: int = place) -> None:
            body[place] = ast.Pass()

        yield f"without `{ast.unparse(statement)}`", drop


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


_BY_NODE: dict[type[ast.AST], Callable[..., Iterator[Change]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _bool_op,
    ast.BinOp: _operator,
    ast.AugAssign: _operator,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.If: _test,
    ast.IfExp: _test,
    ast.While: _test,
    ast.comprehension: _filter,
    ast.Call: _call,
    ast.Return: _return,
    ast.Attribute: _member,
    ast.Match: _match,
    ast.Dict: _items,
    ast.Tuple: _elements,
    ast.List: _elements,
    ast.Set: _elements,
}
