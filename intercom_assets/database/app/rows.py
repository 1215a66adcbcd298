"""A row of a mapping's query as a user or a team, or as the reason why it cannot be one.

Pure: rows in, values out. A value that has no canonical form is left out and named with its column;
nothing is shortened or guessed here. Only what says who the row is, and whether it is deleted, has
to be readable.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from intercom_assets.database.app.columns import Shape
from intercom_assets.database.loaders import Unreadable
from intercom_assets.domain.models import AppTeam, AppUser, InvalidRow, Kind, Value
from intercom_assets.domain.tags import NO_ARRAY, TAGS
from intercom_assets.domain.values import InvalidValue, canonical

Row: TypeAlias = Sequence[Any]
Read = TypeVar("Read", AppUser, AppTeam)


class UserRows:
    """Turns rows of users.sql into users."""

    def __init__(self, shape: Shape) -> None:
        self._cells = Cells(shape)

    def id_of(self, row: Row) -> str | None:
        """The row's id as its key; None where it is null or blank."""
        return self._cells.id(row, "id")

    def read(self, row: Row, teams: Iterable[str] = ()) -> AppUser | InvalidRow:
        cells, key = self._cells, self.id_of(row) or ""
        values, unfit = cells.values(row)
        tags = cells.tags(row, unfit)
        try:
            return AppUser(
                key,
                values,
                from_oauth=cells.value(row, "from_oauth", Kind.BOOLEAN) is True,
                deleted=cells.value(row, "deleted_at", Kind.DATE) is not None,
                teams=frozenset(teams),
                unfit=unfit,
                tags=tags,
            )
        except _InvalidCell as cell:
            return InvalidRow(key, cell.column, cell.reason)


class TeamRows:
    """Turns rows of teams.sql into teams."""

    def __init__(self, shape: Shape) -> None:
        self._cells = Cells(shape)

    def id_of(self, row: Row) -> str | None:
        return self._cells.id(row, "id")

    def read(self, row: Row) -> AppTeam | InvalidRow:
        cells, key = self._cells, self.id_of(row) or ""
        values, unfit = cells.values(row)
        tags = cells.tags(row, unfit)
        try:
            return AppTeam(
                key,
                values,
                owner_id=cells.id(row, "owner_id"),
                deleted=cells.value(row, "deleted_at", Kind.DATE) is not None,
                unfit=unfit,
                tags=tags,
            )
        except _InvalidCell as cell:
            return InvalidRow(key, cell.column, cell.reason)


class Cells:
    """Finds a row's cells by column name."""

    def __init__(self, shape: Shape) -> None:
        self._places = {column.name: place for place, column in enumerate(shape.columns)}
        self._values = shape.values
        self._ids = shape.ids

    def id(self, row: Row, name: str) -> str | None:
        place = self._places.get(name)
        if place is None or isinstance(row[place], Unreadable):
            return None
        return self._ids[name].text(row[place])

    def value(self, row: Row, name: str, kind: Kind) -> Value:
        place = self._places.get(name)
        return None if place is None else _cell(name, kind, row[place])

    def many(self, row: Row, name: str) -> tuple[object, ...] | str | None:
        """The elements, none of null; None where it is not selected; else why there are none."""
        place = self._places.get(name)
        if place is None or row[place] is None:
            return None if place is None else ()
        cell = row[place]
        if isinstance(cell, Unreadable):
            return cell.reason
        return tuple(cell) if isinstance(cell, list) else NO_ARRAY

    def tags(self, row: Row, unfit: dict[str, str]) -> tuple[object, ...] | None:
        """None where there are none to be had; why not is added to `unfit`."""
        found = self.many(row, TAGS)
        if isinstance(found, str):
            unfit[TAGS] = found
            return None
        return found

    def values(self, row: Row) -> tuple[dict[str, Value], dict[str, str]]:
        """The values, and the columns that have none -> why."""
        try:
            return {
                name: None if (raw := row[place]) is None else _cell(name, kind, raw)
                for place, name, kind in self._values
            }, {}
        except _InvalidCell:
            return self._apart(row)

    def _apart(self, row: Row) -> tuple[dict[str, Value], dict[str, str]]:
        values: dict[str, Value] = {}
        unfit: dict[str, str] = {}
        for place, name, kind in self._values:
            try:
                values[name] = None if row[place] is None else _cell(name, kind, row[place])
            except _InvalidCell as cell:
                unfit[name] = cell.reason
        return values, unfit


class _InvalidCell(Exception):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = f"{column} {reason}"


def _cell(name: str, kind: Kind, raw: object) -> Value:
    if isinstance(raw, Unreadable):
        raise _InvalidCell(name, raw.reason)
    try:
        return canonical(kind, raw)
    except InvalidValue as error:
        raise _InvalidCell(name, str(error)) from None


def one_per_id(
    file: str, rows: Iterable[tuple[str, Row]], read: Callable[[str, Row], Read | InvalidRow]
) -> dict[str, Read | InvalidRow]:
    """Reads each row once; an id that comes with several rows is unfit, since none is the one."""
    found: dict[str, Read | InvalidRow] = {}
    for key, row in rows:
        if key in found:
            found[key] = InvalidRow(
                key, "id", f"id is not unique: {file} returns several rows for it"
            )
        else:
            found[key] = read(key, row)
    return found
