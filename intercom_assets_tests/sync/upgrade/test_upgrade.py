"""An installation of the last landed version goes on where it was, after `init-db` alone.

The file beside this was written by that version: the app's rows, what Intercom held, and every row
of our own tables after a first sync, edits, somebody who left, and a sweep.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from intercom_assets.database.store.schema import apply_schema, parse
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.operator.undo.engine import plan_undo, undo
from intercom_assets.sync.status.overview import Capture, overview
from intercom_assets_tests.sync.world import World, a_world

LEFT = json.loads(Path(__file__).with_name("installation_of_schema_8.json").read_text())
SCHEMA = Path(__file__).parents[2] / "database" / "schemas" / "8.sql"
PAST_ALL_ROWS = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, 100000)
from pg_sequences where schemaname in ('intercom_sync', 'public')
"""
"""As a dump leaves the sequences: past whatever was numbered."""
RENAMED_BY = "test-run-3"
RENAMED, QUEUED = 2, 3
LEFT_BY_SWEEP = 2


@pytest.fixture
def upgraded(database: str) -> Iterator[World]:
    with a_world(database) as world:
        tables = _in_intercom(world.intercom)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("drop schema intercom_sync cascade")
        apply_schema(database, steps=parse(SCHEMA.read_text()))
        with psycopg.connect(database) as connection:
            for table in ("users", "teams", "memberships"):
                _insert(connection, sql.Identifier(table), LEFT[table])
            for table, rows in tables.items():
                _insert(connection, sql.Identifier("intercom_sync", table), rows)
            connection.execute(PAST_ALL_ROWS)
        apply_schema(database)
        yield world


def _insert(connection: psycopg.Connection[Any], table: sql.Identifier, rows: Any) -> None:
    statement = sql.SQL(
        "insert into {table} overriding system value "
        "select * from json_populate_recordset(null::{table}, %s::json)"
    )
    connection.execute(statement.format(table=table), [json.dumps(rows)])


def _in_intercom(intercom: Simulator) -> dict[str, Any]:
    """Plants what Intercom held; our tables' rows, with the ids that its companies have here."""
    text = json.dumps(LEFT["tables"])
    for company in LEFT["companies"]:
        made = intercom.by_hand.create_company(company["company_id"], company["name"])
        text = text.replace(company["id"], made)
        wanted = {
            name: value for name, value in company.items() if name not in ("id", "company_id")
        }
        intercom.by_hand.edit_company(company["company_id"], **wanted)
    intercom.seed(LEFT["contacts"])
    tables: dict[str, Any] = json.loads(text)
    return tables


def test_whoever_was_in_step_still_is_and_costs_no_write(upgraded: World) -> None:
    waiting = {(row["kind"], row["key"]) for row in LEFT["tables"]["queue"]}
    users = [row["user_id"] for row in LEFT["tables"]["user_link"]]
    teams = [row["team_id"] for row in LEFT["tables"]["team_link"]]

    done = (
        upgraded.sync_teams(*(team for team in teams if ("team", team) not in waiting)),
        upgraded.sync(*(user for user in users if ("user", user) not in waiting)),
    )

    for synced in done:
        assert synced.outcomes
        assert synced.writes == []
        assert {outcome.status for outcome in synced.outcomes.values()} == {Status.UNCHANGED}


def test_what_was_queued_is_still_due_and_a_change_is_sent(upgraded: World) -> None:
    upgraded.update_user(QUEUED, name="Named Since")

    done = upgraded.run_due(QueueKind.USER)

    assert done[QUEUED].status is Status.CHANGED
    assert upgraded.contact(QUEUED)["name"] == "Named Since"


def test_status_reads_all_that_is_kept(upgraded: World) -> None:
    seen = overview(upgraded.services.store, lambda: Capture(None, None, ""), None)

    assert seen.swept is not None
    assert seen.swept.counts["queued"] == LEFT_BY_SWEEP
    assert sum(depth.due for depth in seen.queue.values()) == len(LEFT["tables"]["queue"])


def test_a_run_of_before_can_be_explained_and_undone(upgraded: World) -> None:
    actions = {row.entry.action for row in upgraded.services.store.journal.of_key("2")}
    planned = plan_undo(upgraded.services, RENAMED_BY)

    done = [step for batch in undo(upgraded.services, "undo-1", RENAMED_BY) for step in batch]

    assert Action.PUSHED in actions
    assert planned
    assert done
    assert upgraded.contact(RENAMED)["name"] == "User Number 2"
