"""Who changed by `updated_at`, page by page, for an app that has no change log.

A window is what changed at or after a moment, of one file of the mapping. It is read from either
end, in an order that a page can be continued from; a sum over it says whether anything in it has
moved. Run in a caller's read-only transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.app.computing import translate_errors
from intercom_assets.database.app.shapes import Shapes
from intercom_assets.database.app.spellings import own_keys
from intercom_assets.database.connections import AppConnection, encoded
from intercom_assets.database.loaders import Unreadable

_MICROSECONDS = "(extract(epoch from q.updated_at) * 1000000)::bigint"
_WITHIN = "q.updated_at >= to_timestamp(%(since)s) and isfinite(q.updated_at)"
_AFTER = "timestamptz 'epoch' + %(at)s * interval '1 microsecond'"


class Polled(StrEnum):
    """What is asked for, and in which order: a few teams are not behind many users."""

    TEAMS = "teams"
    MEMBERSHIPS = "memberships"
    USERS = "users"


@dataclass(frozen=True, slots=True)
class Window:
    """`newest`: the latest `updated_at`, but never later than the database's clock, since a row
    dated 2099 would hide everybody else's changes until then. `sum`: moves with every row."""

    newest: int
    sum: str


@dataclass(frozen=True, slots=True)
class PolledPage:
    """`last`: where the next page goes on (microseconds, id); None if nothing is behind it."""

    keys: tuple[str, ...] = ()
    last: tuple[int, str] | None = None


def window(connection: AppConnection, shapes: Shapes, polled: Polled, since: int) -> Window:
    """Without `updated_at` it is empty."""
    shape = _shape(shapes, polled)
    if not shape.has("updated_at"):
        return Window(since, "")
    text = shape.query.select(
        f"concat(count(*), ' ', sum({_MICROSECONDS})), "
        "floor(extract(epoch from least(max(q.updated_at), now())))::bigint",
        f"where {_WITHIN}",
    )
    with translate_errors(shape.query, text):
        found = connection.execute(encoded(connection, text), {"since": since}).fetchone()
    total, newest = found or ("", None)
    return Window(since if newest is None else max(newest, since), str(total))


def page(
    connection: AppConnection,
    shapes: Shapes,
    polled: Polled,
    since: int,
    *,
    limit: int,
    after: tuple[int, str] | None = None,
    newest_first: bool = False,
) -> PolledPage:
    """Up to `limit` rows of the window, as keys of users or teams."""
    shape, column = _shape(shapes, polled), _column(polled)
    if not shape.has("updated_at"):
        return PolledPage()
    where = f"{_WITHIN} and q.{column} is not null"
    if after is not None:
        id_type = shape.ids[column].sql_type
        where += f" and (q.updated_at, q.{column}) > ({_AFTER}, %(id)s::{id_type})"
    way = "desc" if newest_first else "asc"
    text = shape.query.select(
        f"{_MICROSECONDS}, q.{column}",
        f"where {where} order by q.updated_at {way}, q.{column} {way} limit %(limit)s",
    )
    at, key = after or (0, "")
    values = {"since": since, "at": at, "id": key, "limit": limit}
    with translate_errors(shape.query, text):
        rows = connection.execute(encoded(connection, text), values).fetchall()
    last = _last(rows) if len(rows) == limit else None
    return PolledPage(_keys(connection, shapes, polled, [raw for _, raw in rows]), last)


def _last(rows: Sequence[tuple[Any, ...]]) -> tuple[int, str] | None:
    for at, raw in reversed(rows):
        if not isinstance(raw, Unreadable):
            return int(at), str(raw)
    return None


def _keys(
    connection: AppConnection, shapes: Shapes, polled: Polled, found: Sequence[object]
) -> tuple[str, ...]:
    id_type = _shape(shapes, polled).ids[_column(polled)]
    texts = (id_type.text(raw) for raw in found if not isinstance(raw, Unreadable))
    keys = tuple(dict.fromkeys(key for key in texts if key is not None))
    if polled is not Polled.MEMBERSHIPS:
        return keys
    own = own_keys(connection, shapes.users, keys)
    return tuple(dict.fromkeys(own.get(key, key) for key in keys))


def _shape(shapes: Shapes, polled: Polled) -> Shape:
    return {
        Polled.TEAMS: shapes.teams,
        Polled.MEMBERSHIPS: shapes.memberships,
        Polled.USERS: shapes.users,
    }[polled]


def _column(polled: Polled) -> str:
    return "user_id" if polled is Polled.MEMBERSHIPS else "id"
