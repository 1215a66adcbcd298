"""What the mapping's queries read and its `watch` does not wake anybody for, query by query.

PostgreSQL's own plan says what a query reads, views and partitions seen through. What a plan does
not show, tables that a function reads, is looked for in the function's text: a hint for an
operator, no proof. Nothing is written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.inspection import Node, plan_nodes, scans
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.capture.watches import Wanted, wanted
from intercom_assets.database.connections import AppConnection
from intercom_assets.mapping.load import COMMENT
from intercom_assets.mapping.queries import Query
from intercom_assets.mapping.settings import Watch

_WORD = r'(?:[A-Za-z_\u0080-\uffff][\w$]*|"(?:[^"]|"")+")'
_TEXT = re.compile(r"'(?:[^']|'')*'")
_NAME = re.compile(_WORD)
_CALLED = re.compile(rf"({_WORD})\s*\(")
_TABLE = re.compile(
    rf"\b(?:from|join|table|only|update|into)\s+({_WORD}(?:\s*\.\s*{_WORD})?)", re.IGNORECASE
)
_MAKES_SQL = re.compile(r"\bexecute\b|\bplpy\b|\bspi_", re.IGNORECASE)
_CONDITIONS = ("Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter")
_SIDE = rf"\(*({_WORD})\.({_WORD})\)*(?:::[\w \"]+\)*)?"
_EQUAL = re.compile(rf"{_SIDE} = {_SIDE}")
_KINDS = """
select format('%%s.%%s', n.nspname, c.relname), c.relkind::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where format('%%s.%%s', n.nspname, c.relname) = any(%s)
"""
_ANCESTORS = """
with recursive up as (
    select inhrelid as child, inhparent as parent from pg_catalog.pg_inherits
  union
    select up.child, i.inhparent from up join pg_catalog.pg_inherits i on i.inhrelid = up.parent
)
select format('%%s.%%s', cn.nspname, c.relname), format('%%s.%%s', pn.nspname, p.relname)
from up
join pg_catalog.pg_class c on c.oid = up.child
join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
join pg_catalog.pg_class p on p.oid = up.parent
join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
where format('%%s.%%s', cn.nspname, c.relname) = any(%s)
"""
_FUNCTIONS = """
select p.oid::int8, format('%%s.%%s', n.nspname, p.proname), pg_get_functiondef(p.oid)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.proname = any(%s) and p.prokind = 'f' and l.lanname not in ('c', 'internal')
    and n.nspname not in ('pg_catalog', 'information_schema', 'intercom_capture')
order by 2
"""
_VIEWS = """
select c.oid::int8, pg_get_viewdef(c.oid)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v' and c.relname = any(%s)
    and n.nspname not in ('pg_catalog', 'information_schema')
"""
_NAMED = """
select format('%%s.%%s', n.nspname, c.relname)
from unnest(%s::text[]) as t (name)
join pg_catalog.pg_class c on c.oid = to_regclass(t.name)
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'm') and n.nspname <> 'pg_catalog'
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """`file` reads `table`, and no watch of it wakes a `kind` (user or team).

    `relkind`: r, p, m (materialized view) or f (foreign table). `elsewhere`: a watch of it wakes
    the other kind. `by`, `keys`: it is watched for them, but reached by these columns of its own
    while the watch names those.
    """

    file: str
    table: str
    kind: str
    relkind: str = "r"
    elsewhere: bool = False
    by: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hidden:
    """`file` calls `function`; `tables` that it seems to read and that no watch names.

    Empty: nobody can tell which.
    """

    file: str
    function: str
    kind: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Watched:
    """The watches of one mapping by kind: every table of theirs, partitions and children too."""

    wishes: Sequence[Wanted]

    def tables(self, kind: str | None = None) -> set[str]:
        return {
            name
            for wish in self.wishes
            if kind in (None, wish.watch.wakes)
            for name in (*(f"{schema}.{table}" for schema, table in wish.tables), *wish.blind)
        }

    def keys(self, table: str, kind: str) -> set[str] | None:
        """The columns that name whom it wakes; None where a SELECT finds them."""
        mine = [w for w in self.wishes if w.watch.wakes == kind and table in _Watched([w]).tables()]
        return None if any(w.watch.select for w in mine) else {w.column for w in mine}


def gaps(connection: AppConnection, shapes: Shapes, watches: Sequence[Watch]) -> list[Gap]:
    """Changes that wait for the nightly sweep."""
    watched = _Watched([wanted(connection, w, place) for place, w in enumerate(watches, start=1)])
    return [
        gap
        for shape, kind in _kinds(shapes)
        for gap in (
            *_unwatched(connection, shape, kind, watched),
            *_reached_otherwise(connection, shape, kind, watched),
        )
    ]


def hidden(connection: AppConnection, shapes: Shapes, watches: Sequence[Watch]) -> list[Hidden]:
    """Functions that read tables out of the plan's sight, unless all of them are watched."""
    watched = _Watched([wanted(connection, w, place) for place, w in enumerate(watches, start=1)])
    return [
        found
        for shape, kind in _kinds(shapes)
        for found in _functions(connection, shape.query, kind, watched.tables(kind))
    ]


def _kinds(shapes: Shapes) -> tuple[tuple[Shape, str], ...]:
    return (shapes.users, "user"), (shapes.memberships, "user"), (shapes.teams, "team")


def _unwatched(
    connection: AppConnection, shape: Shape, kind: str, watched: _Watched
) -> Iterator[Gap]:
    read = {name for name, _ in scans(connection, shape)[1]}
    missing = sorted(read - watched.tables(kind))
    kinds: dict[str, str] = dict(connection.execute(_KINDS, (missing,)).fetchall())
    parents = connection.execute(_ANCESTORS, (missing,)).fetchall()
    named_by_a_parent = {child for child, parent in parents if parent in missing}
    for table in missing:
        if table not in named_by_a_parent:
            elsewhere = table in watched.tables()
            yield Gap(shape.query.file, table, kind, kinds.get(table, "r"), elsewhere)


def _reached_otherwise(
    connection: AppConnection, shape: Shape, kind: str, watched: _Watched
) -> Iterator[Gap]:
    """Tables whose rows the query finds by another column than by which their watch wakes."""
    plan, found = scans(connection, shape)
    equal = [pair for node in plan_nodes(plan) for pair in _equalities(node)]
    output = _output(plan)
    named = set[str]()
    for table, node in found:
        keys = watched.keys(table, kind) if table in watched.tables(kind) else None
        alias = _folded(str(node["Alias"]))
        by = {column for name, column, other in equal if name == alias != other}
        shown = any((alias, key) in output for key in keys or ())
        if keys and by and not by & keys and not shown and table not in named:
            named.add(table)
            yield Gap(shape.query.file, table, kind, by=tuple(sorted(by)), keys=tuple(sorted(keys)))


def _equalities(node: Node) -> Iterator[tuple[str, str, str]]:
    """(alias, column, alias of the other side) of each `a.x = b.y`, from both sides."""
    for condition in (str(node[key]) for key in _CONDITIONS if key in node):
        for table, column, other, its in _EQUAL.findall(condition):
            yield _folded(table), _folded(column), _folded(other)
            yield _folded(other), _folded(its), _folded(table)


def _output(plan: Node) -> set[tuple[str, str]]:
    """(alias, column) of what the query shows as it is."""
    while plan.get("Node Type") == "Subquery Scan":
        plan = plan["Plans"][0]
    shown = (re.fullmatch(rf"({_WORD})\.({_WORD})", text) for text in plan.get("Output", ()))
    return {(_folded(found[1]), _folded(found[2])) for found in shown if found}


def _functions(
    connection: AppConnection, query: Query, kind: str, watched: set[str]
) -> Iterator[Hidden]:
    for name, body in _called(connection, query.sql):
        texts = [body, *(text for _, text in _called(connection, body))]
        words = {word for text in texts for word in _TABLE.findall(_bare(text))}
        tables = {str(found) for (found,) in connection.execute(_NAMED, (sorted(words),))}
        if tables - watched:
            yield Hidden(query.file, name, kind, tuple(sorted(tables - watched)))
        elif any(_MAKES_SQL.search(_bare(text)) for text in texts):
            yield Hidden(query.file, name, kind, ())


def _called(connection: AppConnection, sql: str) -> list[tuple[str, str]]:
    """Name and text of the app's functions that a text calls, itself or through views."""
    found: dict[int, tuple[str, str]] = {}
    seen, texts = set[int](), [sql]
    while texts:
        text = _bare(texts.pop())
        names = sorted({_folded(word) for word in _CALLED.findall(text)})
        rows: list[tuple[Any, ...]] = connection.execute(_FUNCTIONS, (names,)).fetchall()
        for oid, name, body in rows:
            if oid not in found:
                found[oid] = name, body
                texts.append(body)
        words = sorted({_folded(word) for word in _NAME.findall(text)})
        for oid, body in connection.execute(_VIEWS, (words,)).fetchall():
            if oid not in seen:
                seen.add(oid)
                texts.append(body)
    return list(found.values())


def _bare(sql: str) -> str:
    """Without comments and texts, which may hold any word."""
    return _TEXT.sub("''", COMMENT.sub(" ", sql))


def _folded(word: str) -> str:
    """A name as PostgreSQL keeps it."""
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()
