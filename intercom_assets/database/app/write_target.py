"""Where `sync.yaml` wants values stored: the statements of a write-back, put together once.

Columns are assigned, not cast to their length, so PostgreSQL refuses what does not fit. All of them
take parameters, so names are `Name`, texts `Text` and types `_type`. No statement is run here but
those that look the table up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Composed

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.connections import AppConnection
from intercom_assets.database.tables import Name, Table, Text, find_writable_table
from intercom_assets.domain.models import Kind, Values
from intercom_assets.mapping.load import SYNC_YAML
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.settings import TeamWriteBack, WriteBackSettings

_WHOLE = ("smallint", "integer", "bigint", "numeric")
_MOMENTS = {
    "timestamp with time zone": "to_timestamp(%s)",
    "timestamp without time zone": "(to_timestamp(%s) at time zone 'UTC')",
    "date": "(to_timestamp(%s) at time zone 'UTC')::date",
}


_NEVER = frozenset({"json", "jsonb", "xml", "bytea", *_MOMENTS, "interval"})
_NOT_TEXT = frozenset({"boolean", "uuid"})
_NO_ID = frozenset({*_WHOLE, "real", "double precision", "money"}) | _NEVER | _NOT_TEXT


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the Intercom id is stored. `present` reads it, `holds` says what is there instead.

    `assign` takes the id as its one parameter.
    """

    present: Composable
    holds: Composable
    assign: Composable


@dataclass(frozen=True, slots=True)
class Target:
    """A table to write back to. `assignments`: field -> `column = value`, one parameter each."""

    table: Composable
    key: Composable
    key_type: Composable
    assignments: Mapping[str, Composable]
    slot: Slot | None

    def locking(self) -> Composed:
        """Locks rows that nobody else holds; gives key, present Intercom id, what blocks it."""
        slot = self.slot
        return SQL(
            "select {key}::text, {present}, {holds} from {table} where {key} = any(%s::{type}[]) "
            "order by {key} for no key update skip locked"
        ).format(
            key=self.key,
            present=slot.present if slot else SQL("null"),
            holds=slot.holds if slot else SQL("null"),
            table=self.table,
            type=self.key_type,
        )

    def keys(self) -> Composed:
        """Which of some keys have a row, locked or not."""
        return SQL("select {key}::text from {table} where {key} = any(%s::{type}[])").format(
            key=self.key, table=self.table, type=self.key_type
        )

    def update(self, fields: Sequence[str], with_id: bool) -> Composed:
        """Takes the fields' values in order, then the Intercom id, then the key."""
        changes = [self.assignments[name] for name in fields]
        if with_id and self.slot:
            changes.append(self.slot.assign)
        return SQL("update {} set {} where {} = %s::{} returning {}::text").format(
            self.table, SQL(", ").join(changes), self.key, self.key_type, self.key
        )


def user_target(
    connection: AppConnection, settings: WriteBackSettings, shape: Shape
) -> Target | None:
    """None where nothing is written back. Raises MappingError."""
    if not settings.table:
        return None
    table = find_writable_table(connection, settings.table, "write_back.table")
    kinds = {column.name: column.kind for column in shape.columns}
    assignments = {
        field: _assignment(table, field, column, kinds[field])
        for field, column in settings.columns.items()
    }
    return _target(table, settings.key, settings.intercom_id, assignments, "write_back")


def team_target(connection: AppConnection, settings: TeamWriteBack | None) -> Target | None:
    if settings is None:
        return None
    table = find_writable_table(connection, settings.table, "write_back.teams.table")
    return _target(table, settings.key, settings.intercom_id, {}, "write_back.teams")


def parameters(
    fields: Sequence[str], new: Values, intercom_id: str | None, key: str
) -> list[object]:
    """In the order that `Target.update` expects."""
    ids = [] if intercom_id is None else [intercom_id]
    return [*(new[name] for name in fields), *ids, key]


def _target(
    table: Table,
    key: str,
    intercom_id: str | None,
    assignments: Mapping[str, Composable],
    where: str,
) -> Target:
    key_type = _type(table.type_of(key, f"{where}.key"))
    slot = _slot(table, intercom_id, f"{where}.intercom_id") if intercom_id else None
    return Target(Name(table.schema, table.name), Name(key), key_type, assignments, slot)


def _assignment(table: Table, field: str, column: str, kind: Kind) -> Composable:
    where = f"write_back.columns.{field}"
    sql_type = table.writable_type_of(column, where)
    if kind is not Kind.DATE:
        _require_fitting(sql_type, kind, f'{where} is "{column}" of type {sql_type}')
    if kind is not Kind.DATE or sql_type in _WHOLE:
        return SQL("{} = %s::{}").format(Name(column), _type(sql_type))
    if sql_type not in _MOMENTS:
        raise MappingError(
            f'{SYNC_YAML}: {where} is "{column}" of type {sql_type}; allowed for a date: '
            "timestamptz, timestamp, date, or an integer of Unix seconds"
        )
    return SQL("{} = {}").format(Name(column), SQL(_MOMENTS[sql_type]))


def _require_fitting(sql_type: str, kind: Kind, found: str) -> None:
    """Not every text is a number, but some are; no name is ever a JSON document or a date."""
    never = _NEVER | (_NOT_TEXT if kind is Kind.STRING else frozenset())
    if sql_type in never or sql_type.endswith("[]"):
        raise MappingError(
            f"{SYNC_YAML}: {found}; allowed: a column whose type holds {kind} values"
        )


def _slot(table: Table, place: str, where: str) -> Slot:
    if place in table.columns or "." not in place:
        sql_type = table.writable_type_of(place, where)
        if sql_type in _NO_ID or sql_type.endswith("[]"):
            raise MappingError(
                f'{SYNC_YAML}: {where} is "{place}" of type {sql_type}; allowed: a column of text, '
                "since Intercom's ids are, or COLUMN.KEY of a jsonb column"
            )
        column = Name(place)
        assign = SQL("{} = %s::{}").format(column, _type(sql_type))
        return Slot(SQL("{}::text").format(column), SQL("null"), assign)
    name, key = place.split(".", 1)
    if table.type_of(name, where) != "jsonb":
        raise MappingError(
            f'{SYNC_YAML}: {where} is "{place}", and {name} is {table.columns[name]}; '
            "allowed: a column, or COLUMN.KEY of a jsonb column"
        )
    return _json_slot(Name(name), Text(key))


def _type(sql_type: str) -> Composable:
    """A type of the app's own may be called anything."""
    return SQL(sql_type.replace("%", "%%"))


def _json_slot(column: Name, key: Text) -> Slot:
    """One key of a jsonb object; its other keys stay. What is no object is not replaced."""
    return Slot(
        SQL("{}->>{}").format(column, key),
        SQL("nullif(nullif(jsonb_typeof({}), 'object'), 'null')").format(column),
        SQL(
            "{0} = jsonb_set(coalesce(nullif({0}, 'null'::jsonb), '{{}}'::jsonb), array[{1}], "
            "to_jsonb(%s::text))"
        ).format(column, key),
    )
