"""One id in several spellings: citext, a collation that ignores case, a uuid in upper case, `1.0`.

A key of ours is the text that the mapping's own query returns for the id. What comes from elsewhere
(a watched table, memberships.sql, an operator) is compared as the type of that query's column
compares, and answered in its spelling.
"""

from collections.abc import Collection, Mapping, Sequence

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.computing import translate_errors
from intercom_assets.database.connections import AppConnection, encoded


def spells(connection: AppConnection, shape: Shape, column: str, key: str) -> bool:
    """Whether `key` could be an id of the column's type, in the database's encoding."""
    return _is_encodable(connection, key) and shape.ids[column].spells(key)


def own_keys(connection: AppConnection, shape: Shape, keys: Collection[str]) -> dict[str, str]:
    """Key -> the id as `shape` returns it, of those keys that spell it otherwise.

    A number or a uuid has one spelling, whether its row is there or not; text that is equal to an
    id's, as its type has it, is asked for.
    """
    id_type = shape.ids["id"]
    plain = {key: id_type.plain(key) for key in keys if _is_encodable(connection, key)}
    if not id_type.is_exact:
        plain |= _as_returned(connection, shape, {k: p for k, p in plain.items() if p})
    return {key: own for key, own in plain.items() if own not in (None, key)}


def _as_returned(
    connection: AppConnection, shape: Shape, plain: Mapping[str, str]
) -> dict[str, str]:
    """Of those that the query returns."""
    spelled = sorted({text for text in plain.values() if shape.ids["id"].spells(text)})
    own = asked_keys(connection, shape, "id", spelled, spelled) if spelled else {}
    returned: dict[str, str] = {}
    for found, key in sorted(own):
        if found == key or key not in returned:
            returned[key] = found
    return {key: returned[text] for key, text in plain.items() if text in returned}


def asked_keys(
    connection: AppConnection, shape: Shape, column: str, found: Sequence[str], keys: Sequence[str]
) -> list[tuple[str, str]]:
    """Pairs of an id as the query returns it, of those that equal one of `found`, and the key that
    it equals."""
    id_type = shape.ids[column]
    text = shape.query.select(
        f"distinct q.{column}, asked.key",
        f"join unnest(%(keys)s::text[]) as asked (key) on asked.key::{id_type.sql_type} "
        f"= q.{column} where q.{column} = any(%(found)s::{id_type.sql_type}[])",
    )
    with translate_errors(shape.query, text):
        rows = connection.execute(
            encoded(connection, text), {"keys": list(keys), "found": list(found)}
        ).fetchall()
    pairs = [(id_type.text(raw), str(key)) for raw, key in rows]
    return [(own, key) for own, key in pairs if own is not None]


def _is_encodable(connection: AppConnection, key: str) -> bool:
    try:
        encoded(connection, key)
    except UnicodeEncodeError:
        return False
    return True
