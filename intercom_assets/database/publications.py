"""Logical replication of the app's that would carry our tables along, and stop at them.

A subscriber that lacks a published table stops for *every* table at the first row of it. So tables
of ours are made only where no publication has them, or where the operator has made them on the
subscriber first and accepts it; that is noted on the schema, so that `check` knows it too.
"""

import json
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier, Literal

SCHEMAS_SINCE = 150_000
"""PostgreSQL 15: publications of whole schemas."""
_OURS = "intercom_assets "
_PUBLISHED = """
select distinct t.pubname::text from pg_catalog.pg_publication_tables t
where t.schemaname = %(schema)s
"""
_ALL = """
union select p.pubname::text from pg_catalog.pg_publication p where p.puballtables
"""
_WHOLE = """
union select p.pubname::text from pg_catalog.pg_publication p
join pg_catalog.pg_publication_namespace pn on pn.pnpubid = p.oid
join pg_catalog.pg_namespace n on n.oid = pn.pnnspid
where n.nspname = %(schema)s
"""
_SENDS = """
select pubname::text from pg_catalog.pg_publication
where pubname = any(%s) and (pubinsert or pubupdate or pubdelete or pubtruncate) order by 1
"""
_SUBSCRIBED = """
select format('%%s.%%s', n.nspname, c.relname)
from pg_catalog.pg_subscription_rel s
join pg_catalog.pg_class c on c.oid = s.srrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where format('%%s.%%s', n.nspname, c.relname) = any(%s) order by 1
"""
_NOTE = """
select obj_description(oid, 'pg_namespace') from pg_catalog.pg_namespace where nspname = %s
"""


def publications(
    connection: psycopg.Connection[TupleRow], schema: str, *, growing: bool
) -> list[str]:
    """Publications that carry the schema's tables, or, if it is `growing`, the next one too."""
    text = _PUBLISHED
    if growing:
        text += _ALL
        text += _WHOLE if connection.info.server_version >= SCHEMAS_SINCE else ""
    found = [name for (name,) in connection.execute(text.encode(), {"schema": schema}).fetchall()]
    return [name for (name,) in connection.execute(_SENDS, (found,)).fetchall()] if found else []


def unaccepted(
    connection: psycopg.Connection[TupleRow],
    schema: str,
    accepted: Collection[str] = (),
    *,
    growing: bool,
) -> list[str]:
    """The same, less those that an operator accepts, now or when the schema was made."""
    known = {*accepted, *accepted_publications(connection, schema)}
    return [p for p in publications(connection, schema, growing=growing) if p not in known]


def accepted_publications(connection: psycopg.Connection[TupleRow], schema: str) -> list[str]:
    found = read_note(connection, schema).get("publications")
    return [str(name) for name in found] if isinstance(found, list) else []


def read_note(connection: psycopg.Connection[TupleRow], schema: str) -> dict[str, Any]:
    """What we noted on a schema of ours; a comment of somebody else's says nothing to us."""
    row = connection.execute(_NOTE, (schema,)).fetchone()
    text = str(row[0]) if row and row[0] else ""
    try:
        note = json.loads(text.removeprefix(_OURS)) if text.startswith(_OURS) else {}
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def noting(schema: str, note: Mapping[str, Any]) -> Composed:
    """The statement that notes it, as a comment, which a dump takes along."""
    text = f"{_OURS}{json.dumps(note, ensure_ascii=False, sort_keys=True)}"
    return SQL("comment on schema {} is {}").format(Identifier(schema), Literal(text))


def refusal(names: Iterable[str], schema: str, command: str) -> str:
    """Why nothing is made, and the ways out."""
    names = list(names)
    return f"{danger(names, schema)}: {ways_out(names, schema, command)}"


def danger(names: Iterable[str], schema: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f"the publication {listed} carries the tables of {schema} too, and a subscriber without "
        "them stops, for every table, at their first row"
    )


def ways_out(names: Iterable[str], schema: str, command: str) -> str:
    flags = " ".join(f"--accept-publication {shlex.quote(name)}" for name in names)
    return (
        f"let it list the tables or schemas that it is for, without {schema}; or make {schema} on "
        f"each subscriber first, and then run intercom-assets {command} {flags}"
    )


def subscribed(connection: psycopg.Connection[TupleRow], tables: Collection[str]) -> list[str]:
    """Of some tables (`schema.table`), those that a subscription fills, past our triggers."""
    found = connection.execute(_SUBSCRIBED, (sorted(tables),)).fetchall()
    return [str(name) for (name,) in found]
