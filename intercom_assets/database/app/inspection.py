"""What `check` wants to know of a mapping's queries: what they cost, read and depend on.

Answers come from PostgreSQL's own plans and from reading a few rows several times. Nothing here is
needed to sync, and nothing is written.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.computing import translate_errors
from intercom_assets.database.app.reads import ids_after
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.connections import AppConnection, encoded

Node: TypeAlias = Mapping[str, Any]
Sample: TypeAlias = tuple[Shape, Mapping[str, Sequence[Any]]]
Reading: TypeAlias = Callable[[Callable[[AppConnection, Shapes], Sample]], Sample]

FEW_ROWS = 1_000
"""A table below this may be read whole."""
_SAMPLE = 20
_CLOCK = re.compile(
    r"\b(now\s*\(|current_(?:date|time|timestamp)\b|localtime(?:stamp)?\b|clock_timestamp\s*\("
    r"|random\s*\(|gen_random_uuid\s*\(|age\s*\()",
    re.IGNORECASE,
)
_ROOTS = """
select c.relname::text, c.reltuples::float8,
    coalesce(r.relname, c.relname)::text, coalesce(rn.nspname, n.nspname)::text, n.nspname::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_class r on c.relispartition and r.oid = pg_catalog.pg_partition_root(c.oid)
left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
where (n.nspname, c.relname) in (select * from unnest(%s::text[], %s::text[]))
"""


def read_whole(connection: AppConnection, shape: Shape, column: str = "id") -> list[str]:
    """Tables of more than FEW_ROWS rows that a read of a few ids goes through entirely.

    Such a read costs as much for one user as for all: `id::text`, a window, a missing index.
    `column`: by which rows are read, `user_id` of memberships.
    """
    ids = _some_ids(connection, shape, column)
    if not ids:
        return []
    where = f"where q.{column} = any(%s::{shape.ids[column].sql_type}[])"
    connection.execute("set local enable_seqscan = off")
    plan = _plan(connection, shape, where, (ids,))
    connection.execute("set local enable_seqscan = default")
    whole = [node for node in plan_nodes(plan) if _is_whole(node)]
    sizes = _relations(connection, whole)
    return sorted({root for root, rows in sizes.values() if rows > FEW_ROWS})


def tables_read(connection: AppConnection, shapes: Shapes) -> frozenset[str]:
    """`schema.table` of every table that the queries read, views and partitions seen through."""
    shapes_of_all = (shapes.users, shapes.teams, shapes.memberships)
    return frozenset(name for shape in shapes_of_all for name, _ in scans(connection, shape)[1])


def scans(connection: AppConnection, shape: Shape) -> tuple[Node, list[tuple[str, Node]]]:
    """A query's plan, and each scan in it with the table (`schema.table`) that it reads."""
    plan = _plan(connection, shape, "", ())
    nodes = [node for node in plan_nodes(plan) if "Relation Name" in node]
    names = _relations(connection, nodes)
    found = [(names.get((str(n["Schema"]), str(n["Relation Name"]))), n) for n in nodes]
    return plan, [(name[0], node) for name, node in found if name]


def clock_words(shape: Shape) -> list[str]:
    """Words by which a query's answer changes although no row does, as in `now(`."""
    text = re.sub(r"--[^\n]*", "", shape.query.sql)
    return sorted({re.sub(r"\s*\($", "()", word.lower()) for word in _CLOCK.findall(text)})


def unstable_columns(reading: Reading) -> dict[str, list[str]]:
    """File -> columns that differ each time the same rows are read; empty if all is well.

    `reading` runs its argument in a transaction of its own, as `AppDatabase.reading` does.
    """
    found = {}
    for sample in (_sampled_users, _sampled_teams):
        (shape, first), (_, second), (_, third) = (reading(sample) for _ in range(3))
        moving = _differing(first, second) & _differing(second, third)
        if moving:
            found[shape.query.file] = [shape.columns[place].name for place in sorted(moving)]
    return found


def limiting_word(shape: Shape) -> str | None:
    """LIMIT, OFFSET or FETCH of the query itself, not of a query in brackets within it."""
    text = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", " ", shape.query.sql, flags=re.DOTALL)
    while (outer := re.sub(r"\([^()]*\)", " ", text)) != text:
        text = outer
    found = re.search(r"\b(limit|offset|fetch)\b\s+(?:[\d:$]|first|next)", text, re.IGNORECASE)
    return found[1].upper() if found else None


def has_rows(connection: AppConnection, shape: Shape, where: str = "") -> bool:
    """Whether the query returns anything, also rows without an id."""
    text = shape.query.select("1", f"{where} limit 1")
    with translate_errors(shape.query, text):
        return connection.execute(encoded(connection, text), ()).fetchone() is not None


def some_memberships(connection: AppConnection, shape: Shape, limit: int) -> list[tuple[str, str]]:
    """User and team ids, whichever come first."""
    both = "where q.user_id is not null and q.team_id is not null limit %s"
    text = shape.query.select("q.user_id, q.team_id", both)
    with translate_errors(shape.query, text):
        found = connection.execute(encoded(connection, text), (limit,)).fetchall()
    user, team = shape.ids["user_id"], shape.ids["team_id"]
    pairs = [(user.text(user_key), team.text(team_key)) for user_key, team_key in found]
    return [
        (user_id, team_id)
        for user_id, team_id in pairs
        if user_id is not None and team_id is not None
    ]


def _some_ids(connection: AppConnection, shape: Shape, column: str) -> list[str]:
    """A few, whichever come first, of a query that need not have a column `id`."""
    if column == "id":
        return ids_after(connection, shape, None, 3)
    text = shape.query.select(f"q.{column}::text", f"where q.{column} is not null limit 3")
    with translate_errors(shape.query, text):
        return [str(key) for (key,) in connection.execute(encoded(connection, text), ()).fetchall()]


def _sampled_users(connection: AppConnection, shapes: Shapes) -> Sample:
    return shapes.users, _sampled(connection, shapes.users)


def _sampled_teams(connection: AppConnection, shapes: Shapes) -> Sample:
    return shapes.teams, _sampled(connection, shapes.teams)


def _sampled(connection: AppConnection, shape: Shape) -> dict[str, Sequence[Any]]:
    ids = ids_after(connection, shape, None, _SAMPLE)
    text = shape.query.select("q.*", f"where q.id = any(%s::{shape.ids['id'].sql_type}[])")
    with translate_errors(shape.query, text):
        rows = connection.execute(encoded(connection, text), (ids,)).fetchall()
    place = [column.name for column in shape.columns].index("id")
    return {str(row[place]): row for row in rows}


def _differing(first: Mapping[str, Sequence[Any]], second: Mapping[str, Sequence[Any]]) -> set[int]:
    return {
        place
        for key in first.keys() & second.keys()
        for place, (before, after) in enumerate(zip(first[key], second[key], strict=True))
        if repr(before) != repr(after)
    }


def _plan(connection: AppConnection, shape: Shape, rest: str, parameters: Sequence[object]) -> Node:
    text = f"explain (verbose, format json) {shape.query.select('q.*', rest)}"
    with translate_errors(shape.query, text):
        found = connection.execute(encoded(connection, text), parameters).fetchone()
    plan: Node = found[0][0]["Plan"] if found else {}
    return plan


def plan_nodes(plan: Node) -> Iterator[Node]:
    """The plan and all below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from plan_nodes(child)


def _is_whole(node: Node) -> bool:
    """A scan that no condition narrows down by an index."""
    if "Relation Name" not in node:
        return False
    bitmap = node.get("Node Type") == "Bitmap Heap Scan"
    parts = list(plan_nodes(node)) if bitmap else [node]
    return not any("Index Cond" in part or "TID Cond" in part for part in parts)


def _relations(
    connection: AppConnection, nodes: Sequence[Node]
) -> dict[tuple[str, str], tuple[str, float]]:
    """(schema, table) -> the table that a person would name, and its estimated rows."""
    named = sorted({(str(node["Schema"]), str(node["Relation Name"])) for node in nodes})
    schemas, tables = [schema for schema, _ in named], [table for _, table in named]
    rows = connection.execute(_ROOTS, (schemas, tables)).fetchall()
    return {
        (schema, name): (f"{root_schema}.{root}", tuples)
        for name, tuples, root, root_schema, schema in rows
    }
