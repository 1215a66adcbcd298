"""`init`: a mapping to begin with, and that `check` accepts it once the queries are edited."""

import json
from pathlib import Path

from intercom_assets.database.capture.installation import remove_capture
from intercom_assets.mapping.load import FILES, load_mapping
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets_tests.cli.conftest import Shell

TABLES = {"your_users": "users", "your_teams": "teams", "your_memberships": "memberships"}


def edited(folder: Path) -> None:
    """What somebody does to the queries: the names of their tables, and of one column."""
    for name in FILES[:3]:
        text = (folder / name).read_text()
        for placeholder, table in TABLES.items():
            text = text.replace(placeholder, table)
        (folder / name).write_text(
            text.replace("    name,\n    -- plan", "    domain as name,\n    -- plan")
        )


def test_it_writes_four_files_and_says_what_to_do_next(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "mine"

    done = shell.run("init", str(folder))

    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in folder.iterdir()) == sorted(FILES)
    assert f"export INTERCOM_SYNC_CONFIG={folder}" in done.stdout
    assert "intercom-assets check" in done.stdout


def test_its_settings_are_the_defaults_but_for_writing_to_nobodys_database(
    shell: Shell, tmp_path: Path
) -> None:
    shell.run("init", str(tmp_path))

    settings = load_mapping(tmp_path).settings

    assert settings == SyncSettings.model_validate({"capture": "polling"})


def test_unedited_it_is_red_and_names_what_to_edit(shell: Shell, tmp_path: Path) -> None:
    shell.run("init", str(tmp_path))

    done = shell.run("check", INTERCOM_SYNC_CONFIG=str(tmp_path), COLUMNS="200")

    assert done.exit_code == 1
    assert 'relation "your_users" does not exist' in done.stdout
    assert 'relation "your_teams" does not exist' in done.stdout
    assert 'relation "your_memberships" does not exist' in done.stdout


def test_with_its_queries_edited_check_accepts_it_and_it_syncs(
    shell: Shell, tmp_path: Path
) -> None:
    remove_capture(shell.variables["APP_DATABASE_URL"])
    shell.run("init", str(tmp_path))
    edited(tmp_path)
    mapping = {"INTERCOM_SYNC_CONFIG": str(tmp_path)}

    checked = json.loads(shell.run("check", "--json", **mapping).stdout)
    assert checked["red"] == 0, checked

    assert shell.run("sync", "--all", **mapping).exit_code == 0
    assert len(shell.intercom.contacts()) > 15
    assert len(shell.intercom.companies()) == 5


def test_what_is_there_is_never_overwritten(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "teams.sql").write_text("mine")

    done = shell.run("init", str(tmp_path))

    assert done.exit_code == 1
    assert "has teams.sql already" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["teams.sql"]
    assert (tmp_path / "teams.sql").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = shell.run("init", str(tmp_path / "file" / "below"))

    assert done.exit_code == 1
    assert "cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
