"""The role of `deploy/role.sql`: it suffices for everything, and can do nothing else."""

import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files

import psycopg
import pytest
from psycopg import errors

from intercom_assets.demo.sample_app import seed
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets_tests.apps.stage import a_stage
from intercom_assets_tests.roles import a_role_made_by

ROLE_SQL = files("intercom_assets.deploy").joinpath("role.sql").read_text()


FORBIDDEN = (
    "update users set email = 'x'",
    "update users set plan = 'business'",
    "update teams set domain = 'x'",
    "update memberships set user_id = 1",
    "insert into users (email) values ('x')",
    "insert into memberships values (1, 1)",
    "delete from users",
    "truncate users cascade",
    "select password from users",
    "select * from users",
    "insert into intercom_capture.change_log (kind, keys) values ('user', '{1}')",
    "update intercom_capture.change_log set kind = 'team'",
    "create table public.mine (id int)",
    "create schema mine",
    "drop table intercom_sync.queue",
    "alter table users disable trigger all",
)


def shipped(role: str) -> str:
    """The file's SQL for a role of another name; the schema intercom_sync keeps its own.

    Twice, as it is run again after an upgrade.
    """
    return 2 * re.sub(r"\b(role|to) intercom_sync\b", rf"\1 {role}", ROLE_SQL)


@pytest.fixture
def limited(database: str) -> Iterator[str]:
    seed(database, users=20, teams=5)
    with a_role_made_by(database, shipped) as address:
        yield address


def test_it_suffices_to_check_sync_notice_changes_and_write_back(
    database: str, limited: str
) -> None:
    with a_stage(limited, None) as stage:
        stage.check_plan_and_sync()
        stage.noticed()
        [contact] = [c for c in stage.intercom.contacts() if c["external_id"] == "2"]

        stage.intercom.by_hand.edit_contact(contact["id"], timezone="Asia/Tokyo")
        with psycopg.connect(database) as app:
            app.execute("update users set plan = 'business', time_zone = null where id = 2")
        with opened(read_environment(stage.shell.variables)) as services:
            feed_from_app(services)
            batch = Batch(QueueKind.USER, from_queue=100)
            outcomes = [o for r in run_batch(services, batch, "r") for o in r.outcomes]
            services.store.queue.retry(QueueKind.USER)
            services.store.journal.of_key("2", 10)
        assert [(o.key, o.problem) for o in outcomes] == [("2", None)]
        assert stage.app_has("select time_zone, plan from users where id = 2") == [
            ("Asia/Tokyo", "business")
        ]
        assert stage.answer_of("check")["red"] == 0


def test_it_can_do_nothing_else(database: str, limited: str) -> None:
    with psycopg.connect(database) as owner:
        owner.execute("alter table users add password text")
    allowed = []
    with psycopg.connect(limited) as role:
        for statement in FORBIDDEN:
            with suppress(errors.InsufficientPrivilege), role.transaction(force_rollback=True):
                role.execute(statement.encode())
                allowed.append(statement)

    assert allowed == []
