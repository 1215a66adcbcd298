"""What `sync` does is seen in Dagster, whose storage is all that it needs: no daemon runs here."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.sync import environment
from intercom_assets_tests.builders import insert_user
from intercom_assets_tests.cli.conftest import Shell

USER_ASSETS = ("app_users", "intercom_contacts", "reconciled_profiles")
SHIPPED = Path(str(files("intercom_assets"))) / "deploy" / "dagster.yaml"


@pytest.fixture
def home(shell: Shell, tmp_path: Path) -> dict[str, str]:
    shutil.copy(SHIPPED, tmp_path)
    url = shell.variables[environment.APP_DATABASE_URL]
    return {"DAGSTER_HOME": str(tmp_path), "DAGSTER_DATABASE_URL": url}


@contextmanager
def dagster_of(home: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    with (
        patch.dict("os.environ", home),
        dg.DagsterInstance.from_config(home["DAGSTER_HOME"]) as instance,
    ):
        yield instance


def shown(instance: dg.DagsterInstance, asset: str) -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey(asset)))


def linked(shell: Shell) -> set[str]:
    return {str(each["external_id"]) for each in shell.intercom.contacts()}


def test_everybody_whom_sync_brought_into_step_is_materialized(
    shell: Shell, home: dict[str, str]
) -> None:
    done = shell.run("sync", "--all", **home)

    assert done.exit_code == 0, done.output
    with dagster_of(home) as instance:
        for asset in USER_ASSETS:
            assert shown(instance, asset) >= linked(shell) != set()
        assert len(shown(instance, "intercom_companies")) == 5
        of_one = dg.AssetRecordsFilter(
            dg.AssetKey("reconciled_profiles"), asset_partitions=[min(linked(shell))]
        )
        [record] = instance.fetch_materializations(of_one, limit=1).records
        assert record.asset_materialization is not None
        facts = record.asset_materialization.metadata
    assert str(facts["run"].value).startswith("cli-")
    assert "email" in str(facts["changed"].value)


def test_after_everybody_no_partition_is_missing_not_even_of_whom_there_is_nothing_to_do(
    shell: Shell, home: dict[str, str]
) -> None:
    url = shell.variables[environment.APP_DATABASE_URL]
    gone = str(insert_user(url, email="gone@example.com", deleted_at="2026-01-01"))

    assert shell.run("sync", "--all", **home).exit_code == 0

    assert gone not in linked(shell)
    with dagster_of(home) as instance:
        for asset in USER_ASSETS:
            assert set(instance.get_dynamic_partitions("app_user")) == shown(instance, asset)
        assert gone in shown(instance, "reconciled_profiles")


def test_so_is_one_user_alone(shell: Shell, home: dict[str, str]) -> None:
    url = shell.variables[environment.APP_DATABASE_URL]
    ada = str(insert_user(url, email="ada@example.com"))

    assert shell.run("sync", "--user", ada, **home).exit_code == 0

    with dagster_of(home) as instance:
        for asset in USER_ASSETS:
            assert shown(instance, asset) == {ada}
        assert instance.has_dynamic_partition("app_user", ada)


def test_who_was_synced_before_there_was_a_dagster_is_shown_once_there_is(
    shell: Shell, home: dict[str, str]
) -> None:
    shell.run("sync", "--all")

    done = shell.run("init-db", **home)

    assert "were in step already and are shown as materialized" in done.stdout
    with dagster_of(home) as instance:
        for asset in USER_ASSETS:
            assert shown(instance, asset) == linked(shell)
    assert "shown as materialized" not in shell.run("init-db", **home).stdout


def test_a_sync_without_dagster_notes_that_nothing_of_it_was_shown(shell: Shell) -> None:
    shell.run("sync", "--all")

    with Store(shell.variables[environment.APP_DATABASE_URL]) as store:
        assert store.state.get(StateKey.NOT_SHOWN_IN_DAGSTER) is True
