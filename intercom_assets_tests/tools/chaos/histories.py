"""What happened on both sides, read by whoever judges: SQL on the app, HTTP on the simulator.

Belongs here: plain records of the two histories and of the final state, the triggers that write the
app's history down, and reading all of it. Imports nothing of the package: the sync's own reading
may be what is wrong. Must not: what any of it means (`verdicts.py`).
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import psycopg
import requests
from psycopg.rows import dict_row

Document: TypeAlias = Mapping[str, Any]
THE_SYNC = "intercom_assets"
"""The application's name in the sync's connections; everybody else is the app."""
WAIT_TIMEOUT_S = 30.0
"""Seconds for a side that was just killed."""

RECORDING = """
create schema chaos;
create table chaos.history (
    n bigint generated always as identity primary key, at double precision not null,
    who text not null, tab text not null, old jsonb, new jsonb
);
create function chaos.note() returns trigger language plpgsql as $$
begin
    insert into chaos.history (at, who, tab, old, new)
    values (extract(epoch from clock_timestamp()), current_setting('application_name'),
            tg_table_name, to_jsonb(old), to_jsonb(new));
    return null;
end $$;
create constraint trigger chaos_note after insert or update or delete on users
    deferrable initially deferred for each row execute function chaos.note();
create constraint trigger chaos_note after insert or update or delete on memberships
    deferrable initially deferred for each row execute function chaos.note();
"""
"""Deferred, so that a row is noted when its transaction commits, still under its lock."""


@dataclass(frozen=True, slots=True)
class AppChange:
    """One row, committed at `at` (Unix s). `ours`: the sync did it."""

    n: int
    at: float
    ours: bool
    table: str
    old: Document | None
    new: Document | None


@dataclass(frozen=True, slots=True)
class Version:
    """A contact as it was from event `n` on. `call`: of the sync; 0 is by hand."""

    n: int
    at: float
    call: int
    shown: Document

    @property
    def contact(self) -> str:
        return str(self.shown["id"])


@dataclass(frozen=True, slots=True)
class Call:
    """`delivered`: its answer reached the sync, whole. `about`: the contact it showed.

    `late`: it landed after the sync had given it up; `n` and `at` are when it landed.
    """

    n: int
    at: float
    method: str
    path: str
    status: int
    delivered: bool
    about: str
    body: Document | None
    late: bool = False


@dataclass
class Histories:
    """Complete before it is asked for somebody's part: those are sorted out once."""

    app: list[AppChange] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    calls: dict[int, Call] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def by_user(self) -> Mapping[str, list[AppChange]]:
        """A user's rows and memberships."""
        found: dict[str, list[AppChange]] = {}
        for change in self.app:
            row = change.new or change.old or {}
            key = row["id"] if change.table == "users" else row["user_id"]
            found.setdefault(str(key), []).append(change)
        return found

    @cached_property
    def by_contact(self) -> Mapping[str, list[Version]]:
        found: dict[str, list[Version]] = {}
        for version in self.versions:
            found.setdefault(version.contact, []).append(version)
        return found

    def is_late(self, n: int) -> bool:
        return n in self.calls and self.calls[n].late

    @cached_property
    def looks(self) -> Mapping[str, list[int]]:
        """Contact -> calls whose answer showed it to the sync, in order."""
        found: dict[str, list[int]] = {}
        for call in self.calls.values():
            if call.delivered and call.about:
                found.setdefault(call.about, []).append(call.n)
        return found


@dataclass(frozen=True, slots=True)
class Present:
    """Both sides as they are now. Contacts in every state; companies by the app's id."""

    users: Mapping[str, Document]
    teams: Mapping[str, Document]
    memberships: frozenset[tuple[str, str]]
    contacts: tuple[Document, ...]
    companies: Mapping[str, Document]
    waiting: int
    parked: Mapping[str, str]


class Bystander:
    """Reads the app's database and the simulator; a side that is away is waited for."""

    def __init__(self, app_url: str, simulator_url: str) -> None:
        self._app_url, self._simulator_url = app_url, simulator_url
        self._session = requests.Session()
        self._session.trust_env = False

    def record(self) -> None:
        with psycopg.connect(self._app_url) as connection:
            connection.execute(RECORDING.encode())

    def histories(self) -> Histories:
        histories = Histories(app=[_change(row) for row in self._rows(_HISTORY)])
        after, last = 0, 1
        while after < last:
            page = self.ask("history", after=str(after))
            histories.faults, last = page["faults"], page["last"]
            for event in page["events"]:
                _sort_in(histories, event)
            after += len(page["events"])
        return histories

    def faults(self) -> Mapping[str, int]:
        """By kind: those that calls have met."""
        counts: Mapping[str, int] = self.ask("history", after=str(sys.maxsize))["faults"]
        return counts

    def on_the_way(self) -> int:
        """Late writes that have not landed yet."""
        return int(self.ask("history", after=str(sys.maxsize))["on_the_way"])

    def present(self) -> Present:
        edges = self._rows("select user_id::text as user, team_id::text as team from memberships")
        contacts, companies = self.ask("contacts", state="any"), self.ask("companies")
        return Present(
            users={str(row["id"]): row for row in self._rows("select * from users")},
            teams={str(row["id"]): row for row in self._rows("select * from teams")},
            memberships=frozenset((row["user"], row["team"]) for row in edges),
            contacts=tuple(contacts),
            companies={str(company["company_id"]): company for company in companies},
            waiting=int(self._rows(_WAITING)[0]["waiting"]),
            parked={row["key"]: row["error"] for row in self._rows(_PARKED)},
        )

    def waiting(self) -> int:
        """Rows of the log and of the queue that somebody still has to work on."""
        return int(self._rows(_WAITING)[0]["waiting"])

    def calls_made(self) -> Counter[str]:
        """By endpoint; all but the searches for Intercom's changes."""
        counts = Counter[str](self.ask("stats")["calls_by_endpoint"])
        del counts["POST /contacts/search"]
        return counts

    def ask(self, what: str, **query: str) -> Any:
        answer = self._session.get(
            f"{self._simulator_url}/_simulator/{what}", params=query, timeout=WAIT_TIMEOUT_S
        )
        answer.raise_for_status()
        return answer.json()

    def tell(self, what: str, printed: object) -> Any:
        """Raises `requests.HTTPError` where the simulator refuses."""
        answer = self._session.post(
            f"{self._simulator_url}/_simulator/{what}", json=printed, timeout=WAIT_TIMEOUT_S
        )
        answer.raise_for_status()
        return answer.json()

    def _rows(self, query: str) -> list[dict[str, Any]]:
        def read() -> list[dict[str, Any]]:
            with psycopg.connect(
                self._app_url, row_factory=dict_row, application_name="the bystander"
            ) as connection:
                return connection.execute(query.encode()).fetchall()

        return patiently(read)


def patiently(read: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Tries again for a while where the server is away, being killed."""
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    while True:
        try:
            return read()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


_HISTORY = "select * from chaos.history order by n"
_WAITING = """
select (select count(*) from intercom_capture.change_log)
     + (select count(*) from intercom_sync.queue
        where parked_at is null and due_at < now() + interval '10 minutes') as waiting
"""
"""Users who were only seen again wait for an hour, with nothing to do then but that."""
_PARKED = """
select kind || ' ' || key as key, coalesce(last_error ->> 'message', '') as error
from intercom_sync.queue where parked_at is not null
"""


def _change(row: Document) -> AppChange:
    ours = row["who"] == THE_SYNC
    return AppChange(row["n"], row["at"], ours, row["tab"], row["old"], row["new"])


def _sort_in(histories: Histories, event: Document) -> None:
    n, at = event["n"], event["at"]
    if event["kind"] == "version":
        histories.versions.append(Version(n, at, event["call"], event))
        return
    whole = event.get("fate", "lost") in ("", "slow") and event.get("fault") != "wrong_content_type"
    histories.calls[n] = Call(
        n, at, event["method"], event["path"], event.get("status", 0),
        whole and event.get("status", 500) < 300 and not event["late"], event.get("about", ""),
        event.get("body"), event["late"],
    )  # fmt: skip
