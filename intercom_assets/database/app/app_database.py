"""The app's database as the sync sees it: users and teams read, values written back.

A plain client of a URL and a mapping; connects when first asked. How it reads and writes is in the
modules that it puts together (see the room's charter); what is read here are ids and values that
the mapping selects, nothing else of the app.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import Self, TypeVar

from intercom_assets.database.app import lookups as app_lookups
from intercom_assets.database.app.computing import Uncomputable
from intercom_assets.database.app.lookups import SharedEmails
from intercom_assets.database.app.reads import (
    ShapeChanged,
    Source,
    TeamSource,
    UserSource,
    ids_after,
    read_some,
    stream,
)
from intercom_assets.database.app.shapes import Shapes, read_shapes
from intercom_assets.database.app.spellings import own_keys
from intercom_assets.database.app.write_back import (
    WriteBack,
    WrittenBack,
    WrittenTeam,
    without_row,
    write_back,
)
from intercom_assets.database.app.write_target import Target, team_target, user_target
from intercom_assets.database.capture import log as capture_log
from intercom_assets.database.capture import log_removal
from intercom_assets.database.capture.log import LogRow
from intercom_assets.database.connections import AppConnection, Connections
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.domain.models import AppTeam, AppUser, Column, Gone, InvalidRow
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import AppMapping

FIRST_IDS = 200
"""Of each query, by which `check` sees whether its write-back finds rows."""
T = TypeVar("T", AppUser, AppTeam)
R = TypeVar("R")


class AppDatabase:
    """Safe for threads. Every method raises `AppUnavailable` if the database does not answer, and
    `MappingError` if the mapping does not fit it.
    """

    def __init__(self, url: str, mapping: AppMapping) -> None:
        self.url = url
        self.mapping = mapping
        self._connections = Connections(url)
        self._described: Shapes | None = None
        self._lock = Lock()

    # --- what the mapping selects ---

    @property
    def shapes(self) -> Shapes:
        """The three queries as the database describes them; asked once, and after a change."""
        with self._lock:
            if self._described is None:
                with self._connections.reading("the mapping") as connection:
                    self._described = read_shapes(connection, self.mapping)
            return self._described

    @property
    def users_columns(self) -> tuple[Column, ...]:
        return self.shapes.users.columns

    @property
    def teams_columns(self) -> tuple[Column, ...]:
        return self.shapes.teams.columns

    @property
    def mapping_version(self) -> str:
        """Changes with the text of the queries and the types of their columns."""
        return self.shapes.version

    # --- reading ---

    def read_users(self, ids: Sequence[str]) -> dict[str, AppUser | InvalidRow | Gone]:
        """Every id once, with its memberships, all as of one moment."""
        return self._reading(lambda c, shapes: read_some(c, UserSource(shapes), ids))

    def read_teams(self, ids: Sequence[str]) -> dict[str, AppTeam | InvalidRow | Gone]:
        return self._reading(lambda c, shapes: read_some(c, TeamSource(shapes), ids))

    def stream_users(self, chunk: int = 5_000) -> Iterator[list[AppUser | InvalidRow]]:
        """Everybody in the order of ids, in one transaction that is open until the end.

        Rows without an id are left out and counted in the log.
        """
        return self._stream(UserSource(self.shapes), chunk)

    def stream_teams(self, chunk: int = 5_000) -> Iterator[list[AppTeam | InvalidRow]]:
        return self._stream(TeamSource(self.shapes), chunk)

    def own_keys(self, kind: QueueKind, keys: Collection[str]) -> dict[str, str]:
        """Key -> the id as the app has it, of those that spell it otherwise (see `spellings`)."""
        if not keys:
            return {}
        return self._reading(
            lambda c, shapes: own_keys(
                c, shapes.users if kind is QueueKind.USER else shapes.teams, keys
            )
        )

    def now(self) -> int:
        """The database's own clock, in whole Unix seconds."""
        return self._reading(lambda c, _: app_lookups.now(c))

    def ids_with_email(self, emails: Sequence[str]) -> dict[str, list[str]]:
        """E-mail, in lower case, -> ids of the users that have it in any case."""
        return self._reading(lambda c, shapes: app_lookups.ids_with_email(c, shapes.users, emails))

    def shared_emails(self, most: int, emails: Sequence[str] | None = None) -> SharedEmails:
        """Who shares an address with another: of everybody, or of who has one of `emails`."""
        return self._reading(
            lambda c, s: app_lookups.shared_emails(c, s.users, most=most, emails=emails)
        )

    def teams_named(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Name -> ids of the teams that have it."""
        return self._reading(lambda c, shapes: app_lookups.teams_named(c, shapes.teams, names))

    # --- writing back ---

    def write_back_users(self, requests: Sequence[WriteBack]) -> dict[str, WrittenBack]:
        """One transaction; every request gets its answer. ValueError without a `write_back`."""
        source, target = UserSource(self.shapes), _configured(self._user_target)
        with self._connections.writing("write_back") as connection:
            return write_back(connection, target, source, "user", requests)

    def write_back_teams(self, requests: Sequence[WriteBack]) -> dict[str, WrittenTeam]:
        """As for users; a team has nothing but its Intercom id to be written."""
        source, target = TeamSource(self.shapes), _configured(self._team_target)
        with self._connections.writing("write_back.teams") as connection:
            return write_back(connection, target, source, "team", requests)

    def write_back_misses(self, kind: QueueKind) -> tuple[int, int] | None:
        """Of the first ids of the kind's query: how many, and how many of those the table of its
        write-back has no row for. None where nothing is written back."""
        target = self._user_target if kind is QueueKind.USER else self._team_target
        if target is None:
            return None
        rows: Iterator[Sequence[AppUser | AppTeam | InvalidRow]] = (
            self.stream_users(FIRST_IDS) if kind is QueueKind.USER else self.stream_teams(FIRST_IDS)
        )
        ids = [row.id for row in next(rows, [])]
        shape = self.shapes.users if kind is QueueKind.USER else self.shapes.teams
        with self._connections.reading("write_back") as connection:
            return len(ids), len(without_row(connection, target, shape, ids))

    # --- the change log (it is emptied here where it is in another database than ours) ---

    def read_log(self, limit: int) -> list[LogRow]:
        """Rows of some `limit` keys, left in place; queue them, commit, then take them out."""
        watches = self.mapping.settings.watch
        with self._connections.writing("the change log") as connection:
            return capture_log.read_log(connection, limit, watches)

    def delete_log(self, ids: Sequence[int]) -> None:
        with self._connections.writing("the change log") as connection:
            log_removal.delete_log(connection, ids)

    def shorten_log(self, rows: Sequence[LogRow]) -> None:
        """Takes out the keys that were read of rows which have more."""
        with self._connections.writing("the change log") as connection:
            log_removal.shorten_log(connection, rows)

    # --- its own affairs ---

    def reading(self, work: Callable[[AppConnection, Shapes], R]) -> R:
        """Runs `work` in a read-only transaction, for what `check` wants to know."""
        return self._reading(work)

    def close(self) -> None:
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _user_target(self) -> Target | None:
        settings, shape = self.mapping.settings.write_back, self.shapes.users
        with self._connections.reading("write_back") as connection:
            return user_target(connection, settings, shape)

    @cached_property
    def _team_target(self) -> Target | None:
        with self._connections.reading("write_back.teams") as connection:
            return team_target(connection, self.mapping.settings.write_back.teams)

    def _reading(self, work: Callable[[AppConnection, Shapes], R]) -> R:
        try:
            return self._read_once(work)
        except ShapeChanged:
            self._describe_again()
            return self._read_once(work)
        except Uncomputable as error:
            raise AppUnavailable(str(error)) from error

    def _read_once(self, work: Callable[[AppConnection, Shapes], R]) -> R:
        shapes = self.shapes
        with self._connections.reading("the app's database") as connection:
            return work(connection, shapes)

    def _describe_again(self) -> None:
        with self._lock:
            self._described = None

    def _stream(self, source: Source[T], chunk: int) -> Iterator[list[T | InvalidRow]]:
        last: str | None = None
        try:
            with self._connections.streaming(source.shape.query.file) as connection:
                for rows in stream(connection, source, chunk):
                    yield rows
                    last = rows[-1].id
        except ShapeChanged:
            self._describe_again()
            raise
        except Uncomputable:
            # One row of all cannot be computed: the rest is read in pages that can leave it out.
            yield from self._pages(source, last, chunk)

    def _pages(
        self, source: Source[T], last: str | None, chunk: int
    ) -> Iterator[list[T | InvalidRow]]:
        while True:
            with self._connections.reading(source.shape.query.file) as connection:
                ids = ids_after(connection, source.shape, last, chunk)
                found = read_some(connection, source, ids)
            if not ids:
                return
            yield [row for row in found.values() if not isinstance(row, Gone)]
            last = ids[-1]


def _configured(target: Target | None) -> Target:
    if target is None:
        raise ValueError("sync.yaml names no table to write back to")
    return target
