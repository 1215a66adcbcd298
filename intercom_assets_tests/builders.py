"""Builders: the users, teams, contacts and companies that a test is about, the rest left usual.

Belongs here: values of the domain (`a_user` ...) and rows of the sample app (`insert_user` ...).
A test names only what matters to it. Must not: anything that acts (the sync, the simulator).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from intercom_assets.domain.models import AppTeam, AppUser, Company, Contact, Value

CREATED_AT = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
SIGNED_UP = int(CREATED_AT.timestamp())
LAST_SEEN = int(datetime(2026, 6, 30, 16, 45, 12, tzinfo=UTC).timestamp())


def a_user(
    id: str = "7",
    *,
    from_oauth: bool = False,
    deleted: bool = False,
    teams: Iterable[str] = (),
    **values: Value,
) -> AppUser:
    """A user as the app's side is read; `values` by column, over those of an ordinary user."""
    usual: dict[str, Value] = {
        "email": f"user{id}@example.com",
        "name": f"User {id}",
        "phone_number": None,
        "time_zone": "Europe/London",
        "created_at": SIGNED_UP,
        "last_request_at": LAST_SEEN,
    }
    return AppUser(
        id=id,
        values=usual | values,
        from_oauth=from_oauth,
        deleted=deleted,
        teams=frozenset(teams),
    )


def a_team(
    id: str = "3", *, owner_id: str | None = None, deleted: bool = False, **values: Value
) -> AppTeam:
    """A team as the app's side is read."""
    usual: dict[str, Value] = {
        "name": f"team{id}.example",
        "plan": "team",
        "monthly_spend": 79,
        "created_at": SIGNED_UP,
    }
    return AppTeam(id=id, values=usual | values, owner_id=owner_id, deleted=deleted)


def a_contact(external_id: str | None = "7", **fields: Any) -> Contact:
    """The contact that agrees with `a_user(external_id)`, with other `fields` where named."""
    usual: dict[str, Any] = {
        "id": f"c{external_id}",
        "role": "user",
        "external_id": external_id,
        "email": f"user{external_id}@example.com",
        "name": f"User {external_id}",
        "signed_up_at": SIGNED_UP,
        "last_seen_at": LAST_SEEN,
        "custom_attributes": {"time_zone": "Europe/London", "deleted": False},
    }
    return Contact(**usual | fields)


def a_lead(email: str, **fields: Any) -> Contact:
    """A lead as the Messenger makes it: Intercom gives it an external id of its own."""
    usual: dict[str, Any] = {"id": "lead1", "role": "lead", "external_id": "f3b1-lead"}
    return Contact(**usual | {"email": email} | fields)


def a_company(company_id: str = "3", **fields: Any) -> Company:
    """The company that agrees with `a_team(company_id)`."""
    usual: dict[str, Any] = {
        "id": f"co{company_id}",
        "company_id": company_id,
        "name": f"team{company_id}.example",
        "plan": "team",
        "monthly_spend": 79,
        "remote_created_at": SIGNED_UP,
        "custom_attributes": {"company_deleted": False},
    }
    return Company(**usual | fields)


# --- rows of the sample app -----------------------------------------------------------------------


def insert_user(url: str, **columns: Any) -> int:
    """An ordinary user unless `columns` say otherwise; committed. Returns the id."""
    usual = {"email": "someone@example.com", "name": "Some One", "created_at": CREATED_AT}
    return _insert(url, "users", usual | columns)


def insert_team(url: str, **columns: Any) -> int:
    return _insert(url, "teams", {"domain": "someteam.example", "plan": "team"} | columns)


def insert_membership(url: str, user_id: int, team_id: int) -> None:
    _execute(url, "insert into memberships (user_id, team_id) values (%s, %s)", user_id, team_id)


def delete_membership(url: str, user_id: int, team_id: int) -> None:
    _execute(url, "delete from memberships where user_id = %s and team_id = %s", user_id, team_id)


def update_row(url: str, table: str, id: int, **columns: Any) -> None:
    """As the app would do it: `updated_at` moves too, unless it is named."""
    settings = sql.SQL(", ").join(
        sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns
    )
    if "updated_at" not in columns:
        settings += sql.SQL(", updated_at = now()")
    statement = sql.SQL("update {} set {} where id = %s").format(sql.Identifier(table), settings)
    _execute(url, statement, *map(_adapted, columns.values()), id)


def delete_row(url: str, table: str, id: int) -> None:
    _execute(url, sql.SQL("delete from {} where id = %s").format(sql.Identifier(table)), id)


def read_row(url: str, table: str, id: int) -> dict[str, Any] | None:
    """The row as it is stored now, by column; None if there is none."""
    statement = sql.SQL("select * from {} where id = %s").format(sql.Identifier(table))
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(statement, [id]).fetchone()


def _insert(url: str, table: str, columns: Mapping[str, Any]) -> int:
    statement = sql.SQL("insert into {} ({}) values ({}) returning id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    with psycopg.connect(url) as connection:
        row = connection.execute(statement, list(map(_adapted, columns.values()))).fetchone()
    assert row is not None
    return int(row[0])


def _execute(url: str, statement: LiteralString | sql.Composed, *parameters: Any) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement, parameters)


def _adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value
