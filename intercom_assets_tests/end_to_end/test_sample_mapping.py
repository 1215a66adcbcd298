"""The shipped mapping, as the sample app's own database answers it."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.rows import dict_row

from intercom_assets.demo import sample_people
from intercom_assets.demo.sample_app import seed
from intercom_assets.mapping.load import AppMapping, load_mapping
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets_tests.builders import insert_team, insert_user

OFF_WITHOUT = {"sync_now_tag", "admin_url"}
"""Shown with an example: there is nothing of it by default."""


@pytest.fixture
def mapping() -> AppMapping:
    return load_mapping()


def by_id(url: str, query: str, id: int) -> dict[str, Any]:
    """The row of `id`, asked for as the sync asks for it."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute("set time zone 'UTC'")
        statement = f"select * from ({query}) as q where id = any(%s)".encode()
        [row] = connection.execute(statement, [[id]]).fetchall()
    return row


def plan(url: str, query: str) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        connection.execute("set plan_cache_mode = force_generic_plan")
        found = connection.execute(f"explain (format json) {query}".encode()).fetchone()
    assert found is not None
    return dict(found[0][0]["Plan"])


def test_a_monthly_payer_is_told_what_a_year_in_advance_would_save(
    database: str, mapping: AppMapping
) -> None:
    seed(database)

    assert by_id(database, mapping.users_sql, sample_people.MONTHLY_PAYER) == {
        "id": 14,
        "email": "monthly@harbor.example",
        "name": "Mona Rossi",
        "phone_number": "+12025550114",
        "time_zone": "Europe/London",
        "created_at": datetime(2024, 3, 5, 9, 30, tzinfo=UTC),
        "last_request_at": datetime(2026, 6, 30, 16, 45, 12, tzinfo=UTC),
        "from_oauth": False,
        "deleted_at": None,
        "updated_at": datetime(2026, 7, 1, tzinfo=UTC),
        "admin_link": "https://app.example.com/admin/users/14",
        "cobrowsing_link": "https://app.example.com/cobrowse/14",
        "subscription_plan": "business",
        "billing_period": "month",
        "subscribed_on": date(2025, 11, 3),
        "annual_saving": "Annual saving $316",
        "monthly_usage": 87,
        "monthly_minutes": Decimal("240.0"),
    }


@pytest.mark.parametrize(
    ("period", "cents", "expected"),
    [
        ("month", 2_900, "Annual saving $58"),
        ("month", 99_900_00, "Annual saving $199,800"),
        ("month", 0, None),
        ("month", None, None),
        ("year", 15_800, None),
        (None, None, None),
    ],
)
def test_only_monthly_payers_can_save(
    database: str, mapping: AppMapping, period: str | None, cents: int | None, expected: str | None
) -> None:
    user = insert_user(database, billing_period=period, monthly_price_cents=cents)

    assert by_id(database, mapping.users_sql, user)["annual_saving"] == expected


def test_a_team_becomes_a_company_with_its_size_and_whole_units(
    database: str, mapping: AppMapping
) -> None:
    seed(database)

    row = by_id(database, mapping.teams_sql, sample_people.TEAM_WITHOUT_OWNER)

    assert {name: value for name, value in row.items() if not name.endswith("_at")} == {
        "id": 2,
        "name": "meadow.example",
        "plan": "team",
        "monthly_spend": 80,
        "size": 4,
        "owner_id": None,
        "team_admin_link": "https://app.example.com/admin/teams/2",
        "owner_admin_link": None,
    }


def test_a_team_of_nobody_has_the_size_0(database: str, mapping: AppMapping) -> None:
    assert by_id(database, mapping.teams_sql, insert_team(database))["size"] == 0


def test_memberships_are_pairs(database: str, mapping: AppMapping) -> None:
    seed(database, users=20, teams=5)

    with psycopg.connect(database) as connection:
        rows = connection.execute(mapping.memberships_sql.encode()).fetchall()

    assert {row[1] for row in rows if row[0] == sample_people.SEVERAL_TEAMS} == {1, 2, 3}


@pytest.mark.parametrize("which", ["users", "teams"])
def test_a_chunk_is_read_by_the_index_and_never_by_a_scan(
    database: str, mapping: AppMapping, which: str
) -> None:
    seed(database, users=3_000, teams=1_000)
    query = mapping.users_sql if which == "users" else mapping.teams_sql

    found = json.dumps(plan(database, f"select * from ({query}) as q where id = any('{{7,9}}')"))

    assert f'"Index Name": "{which}_pkey"' in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize("which", ["user", "team"])
def test_every_table_that_a_query_reads_is_watched_for_it(
    database: str, mapping: AppMapping, which: str
) -> None:
    queries = {"user": [mapping.users_sql, mapping.memberships_sql], "team": [mapping.teams_sql]}
    read = {
        table
        for query in queries[which]
        for table in re.findall(r'"Relation Name": "(\w+)"', json.dumps(plan(database, query)))
    }

    assert read == {watch.table for watch in mapping.settings.watch if watch.wakes == which}


def test_the_defaults_that_the_file_shows_are_the_defaults(mapping: AppMapping) -> None:
    text = (mapping.folder / "sync.yaml").read_text(encoding="utf-8")
    shown = yaml.safe_load("\n".join(re.findall(r"^# (\w+: \S.*)$", text, re.MULTILINE)))

    defaults = {name: value for name, value in shown.items() if name not in OFF_WITHOUT}
    assert SyncSettings.model_validate(defaults) == SyncSettings.model_validate({})
    assert all(getattr(SyncSettings.model_validate({}), name) is None for name in OFF_WITHOUT)
    printed = set(shown) | {"capture", "watch", "write_back", "fields"}
    assert printed == set(SyncSettings.model_fields)
