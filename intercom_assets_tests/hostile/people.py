"""People as no app should have them, and how each of them has to end.

One table with text ids and a mapping of it. Belongs here: the rows, and for each either `SYNCED` or
words of the reason for which it is parked, or for which a field of it is left out. Must not: how
they are synced.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SYNCED = ""
"""The reason of whom nothing hinders."""

TABLES = """
create table if not exists people (
    id text, email text, name text, phone text, zone text, born timestamptz, seen timestamptz,
    spend numeric, big bigint, score float8, note text
);
create table if not exists crews (id text, name text, owner text, spend numeric);
create table if not exists crew_people (person text, crew text);
"""

USERS_SQL = """
select id, email, name, phone as phone_number, zone as time_zone, born as created_at,
    seen as last_request_at, spend, big, score, note, born as first_seen
from people
"""
TEAMS_SQL = "select id, name, owner as owner_id, spend::bigint as monthly_spend from crews"
MEMBERSHIPS_SQL = "select person as user_id, crew as team_id from crew_people"
SYNC_YAML = """
capture: triggers
watch:
  - {table: people, wakes: user, key: id}
  - {table: crew_people, wakes: user, key: person}
sensor_wait_seconds: 0
write_back: off
max_attempts: 1
"""


@dataclass(frozen=True)
class Person:
    id: str | None
    ends: str = SYNCED
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def is_left_out(self) -> bool:
        """Whether it is a value, without which the rest is synced."""
        of_the_row = ("company_id is too long", "cannot convert")
        return self.ends != SYNCED and bool(self.columns) and not self.ends.startswith(of_the_row)


def _each(ends: str, **columns: Any) -> Person:
    [(name, value)] = columns.items()
    return Person(f"{name} {str(value)[:40]}", ends, columns)


IDS = (
    "id with spaces",
    "id/with/slashes",
    "id,with,commas",
    "id%20with%25percent",
    "id'with\"quotes`and\\backslashes",
    "id?with=query&and#fragment",
    "..",
    "../../etc/passwd",
    "id...dots",
    "[a...b]",
    "[a]",
    "{a}",
    "*",
    "id|pipe",
    "id\nnewline",
    "id\ttab",
    "id\r\nreturn",
    "id\x07bell",
    "id\x1b[31mescape",
    "id\u202eturned",
    "\u00e9t\u00e9",
    "e\u0301te\u0301",
    "\U0001f980",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "null",
    "None",
    "0",
    "-1",
    "true",
    " id between blanks ",
    "'; drop table people; --",
    "%s",
    "%(id)s",
    "${HOME}",
    "{{ id }}",
    "<script>alert(1)</script>",
)

VALUES = (
    _each(SYNCED, name="\U0001f980 Crab"),
    _each("name", name="n" * 10_000),
    _each(SYNCED, name="control \x01 character"),
    _each(SYNCED, email="no address"),
    _each(SYNCED, email="a@b, c@d"),
    _each("email", email="x" * 10_000 + "@example.com"),
    _each(SYNCED, email=""),
    _each(SYNCED, zone="Mars/Olympus"),
    _each("signed_up_at", born="1901-01-01"),
    _each(SYNCED, born="2101-01-01"),
    _each("created_at", born="0044-03-15 BC"),
    _each("created_at", born="294276-12-31"),
    _each("created_at", born="infinity"),
    _each("created_at", born="-infinity"),
    _each("last_request_at", seen="infinity"),
    _each(SYNCED, spend="-12.50"),
    _each("spend", spend="NaN"),
    _each("spend", spend="Infinity"),
    _each("spend", spend="1e300"),
    _each("score", score="-Infinity"),
    _each("big", big=2**53 + 1),
    _each("big", big=2**62),
    _each("note", note="l" * 10_000),
    _each(SYNCED, note="line\nbreak\tand \u202e"),
)
"""What one value of a row may be."""

FORGED = "[/a]\nuser 7: all is well"
"""Would be read as markup, and as a line of its own."""

PEOPLE = (
    *(Person(id) for id in IDS),
    *VALUES,
    Person("twice", "not unique"),
    Person("twice", "not unique"),
    Person("plain"),
    Person(FORGED, "not unique"),
    Person(FORGED, "not unique"),
    Person("x" * 500, "external_id is too long"),
    Person("\U0001f980" * 500, "external_id is too long"),
)
CREWS = (
    *(Person(id, SYNCED, {"name": "Crew"}) for id in IDS),
    Person("negative", SYNCED, {"name": "N", "spend": "-12"}),
    Person("nameless", SYNCED, {"name": None}),
    Person("owned by nobody", SYNCED, {"name": "N", "owner": "no such person"}),
    Person("NaN", "cannot convert NaN to bigint", {"name": "N", "spend": "NaN"}),
    Person("2^62", "monthly_spend is above 2^53", {"name": "N", "spend": str(2**62)}),
    Person("long", "name is too long", {"name": "n" * 10_000}),
    Person("x" * 500, "company_id is too long", {"name": "N"}),
)
"""Teams, in whose ids the same may be."""
MONSTROUS = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(4_000))
"""12,000 bytes that no index takes."""
NOBODY = (Person(None), Person(""), Person(" \n "), Person(MONSTROUS))
"""Rows without an id to be synced or parked by."""


def create_people(url: str, people: Iterable[Person], crews: Iterable[Person] = ()) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(TABLES.encode())
        for number, person in enumerate(people):
            usual = {"id": person.id, "email": f"person{number}@example.com", "name": "Some One"}
            _insert(connection, "people", usual | person.columns)
        for crew in crews:
            _insert(connection, "crews", {"id": crew.id, **crew.columns})


def _insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    connection.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        ),
        list(row.values()),
    )


def a_mapping(folder: Path) -> Path:
    folder.mkdir()
    texts = {
        "users.sql": USERS_SQL,
        "teams.sql": TEAMS_SQL,
        "memberships.sql": MEMBERSHIPS_SQL,
        "sync.yaml": SYNC_YAML,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
