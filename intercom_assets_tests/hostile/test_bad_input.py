"""Bad input at every door: each person ends as synced or parked with a reason, none stops another.

The same rows go through the command and, noticed by the triggers, through one Dagster run.
"""

import json
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.mapping.load import load_mapping
from intercom_assets.orchestration.sensor_tick import SWEEP_JOB
from intercom_assets.orchestration.sync_targets import USERS
from intercom_assets_tests.apps.stage import a_stage as an_operator
from intercom_assets_tests.hostile.people import (
    CREWS,
    FORGED,
    MONSTROUS,
    NOBODY,
    PEOPLE,
    SYNCED,
    Person,
    a_mapping,
    create_people,
)
from intercom_assets_tests.orchestration.conftest import (  # noqa: F401 - fixtures of that room
    dagster_home,
    dagster_template,
    instance,
)
from intercom_assets_tests.orchestration.stage import a_stage

LEFT_OUT = {each.id: each.ends for each in PEOPLE if each.is_left_out}
PARKED = {each.id: each.ends for each in PEOPLE if each.ends != SYNCED and not each.is_left_out}
IN_STEP = {each.id for each in PEOPLE} - PARKED.keys()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_mapping(tmp_path / "mapping")


@pytest.fixture
def app(empty_database: str, folder: Path) -> str:
    """An app whose rows came after the triggers, so that its log names them too."""
    create_people(empty_database, ())
    apply_schema(empty_database)
    install_capture(empty_database, load_mapping(folder))
    return empty_database


def otherwise_parked(store: Store) -> set[str]:
    """Keys of PARKED that are parked for another reason, or not at all."""
    why = {row.key: row.error.message for row in store.queue.parked(limit=1_000) if row.error}
    assert why.keys() <= PARKED.keys()
    return {str(key) for key, words in PARKED.items() if words not in why.get(str(key), "")}


def otherwise_left_out(store: Store) -> set[str]:
    """Keys of LEFT_OUT of whom another field is left out, or none."""
    links = store.links.users([str(key) for key in IN_STEP])
    answer = {
        key: "; ".join(f"{name}: {each.why}" for name, each in link.left_out.items())
        for key, link in links.items()
        if link.left_out
    }
    assert answer.keys() == LEFT_OUT.keys()
    return {str(key) for key, words in LEFT_OUT.items() if words not in answer[str(key)]}


def test_the_command_brings_each_to_an_end_of_its_own(app: str, folder: Path) -> None:
    create_people(app, (*PEOPLE, *NOBODY))
    with an_operator(app, folder) as operator, Store(app) as store:
        done = json.loads(operator.shell.run("sync", "--all", "--json").stdout)
        assert otherwise_parked(store) == set()
        assert otherwise_left_out(store) == set()
        assert {each["id"] for each in done["failures"]} == PARKED.keys()
        assert operator.contacts().keys() == IN_STEP
        for command in (("status",), ("sync", "--user", FORGED), ("plan", "--user", FORGED)):
            answer = operator.shell.run(*command, COLUMNS="2000").stdout
            assert "ser [/a]\\nuser 7: all is well" in answer
            assert "\nuser 7" not in answer


def test_a_run_of_dagster_brings_each_to_an_end_and_reports_it(
    app: str,
    folder: Path,
    instance: dg.DagsterInstance,  # noqa: F811 - the fixture
) -> None:
    create_people(app, (*PEOPLE, *NOBODY))
    with a_stage(app, instance, folder) as stage:
        [sweep] = stage.tick("changed_users").run_requests
        assert sweep.job_name == SWEEP_JOB, "an id * reads like the log's word for everybody"
        stage.store.queue.enqueue(QueueKind.USER, ["*"])

        ran = stage.run(USERS, config={"from_queue": 1_000})

        assert ran.failure is not None
        assert "\n" not in ran.failure
        assert ran.failure.startswith(f"{len(PARKED)} users could not be synced")
        assert otherwise_parked(stage.store) == set()
        assert otherwise_left_out(stage.store) == set()
        assert ran.materialized("reconciled_profiles").keys() == IN_STEP
        assert ran.observed("reconciled_profiles").keys() == PARKED.keys()
        for key in sorted(str(key) for key in PARKED.keys() | IN_STEP):
            assert instance.has_dynamic_partition("app_user", key)
        one_by_one = stage.run(USERS, partition="id...dots")
        assert one_by_one.succeeded
        assert stage.store.queue.due(QueueKind.USER).count == 0


def test_ids_that_no_row_can_have_are_absent_and_the_others_of_the_list_go_on(
    app: str,
    folder: Path,
    instance: dg.DagsterInstance,  # noqa: F811 - the fixture
) -> None:
    create_people(app, [Person("plain")])
    with a_stage(app, instance, folder) as stage:
        ran = stage.run(USERS, config={"user_ids": ["a\x00b", MONSTROUS, "plain"]})

        assert ran.succeeded
        assert ran.materialized("reconciled_profiles").keys() == {"plain"}


@pytest.mark.parametrize("command", [("plan",), ("sync",), ("retry",), ("explain",), ("erase",)])
def test_a_command_refuses_such_an_id_with_a_sentence(
    app: str, folder: Path, command: tuple[str, ...]
) -> None:
    with an_operator(app, folder) as operator:
        done = operator.shell.run(*command, "--user", "a\udcffb")

    assert done.exit_code == 2
    assert "an id is text of 1 to 2000 bytes of UTF-8" in done.output


def test_owners_in_a_circle_and_a_user_in_five_thousand_teams(app: str, folder: Path) -> None:
    create_people(app, [Person("one"), Person("two"), Person("many")])
    with psycopg.connect(app) as connection:
        connection.execute(
            "insert into crews (id, name, owner) values ('a', 'A', 'one'), ('b', 'B', 'two')"
        )
        connection.execute("insert into crew_people values ('one', 'b'), ('two', 'a')")
        connection.execute("insert into crews (id, name, owner) values ('c', 'C', 'c')")
        connection.execute(
            "insert into crew_people select 'many', 't' || n from generate_series(1, 5000) as n"
        )
    with an_operator(app, folder) as operator:
        operator.shell.run("sync", "--all")
        assert operator.contacts().keys() == {"one", "two", "many"}
        assert operator.teams_of("one") == {"b"}
        assert operator.shell.run("sync", "--all").exit_code == 0


def test_teams_come_to_an_end_of_their_own_too_and_their_members_with_them(
    app: str, folder: Path
) -> None:
    create_people(app, [Person("member")], CREWS)
    with psycopg.connect(app) as connection:
        connection.execute("insert into crew_people select 'member', id from crews")
    parked = {str(e.id): e.ends for e in CREWS if e.ends != SYNCED and not e.is_left_out}
    with an_operator(app, folder) as operator, Store(app) as store:
        operator.shell.run("sync", "--all")
        why = {
            row.key: row.error.message for row in store.queue.parked(QueueKind.TEAM) if row.error
        }
        assert why.keys() == parked.keys()
        assert {key: words for key, words in parked.items() if words not in why[key]} == {}
        in_step = {str(each.id) for each in CREWS} - parked.keys()
        assert operator.companies().keys() == in_step
        assert operator.intercom.company_keys(external_id="member") == in_step
