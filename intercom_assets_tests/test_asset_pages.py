"""What the UI shows of each asset before anything ran: whose it is, SQL, columns, who wins."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from intercom_assets.definitions import build_defs
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.orchestration.resources import AppDatabaseResource
from intercom_assets.sync.environment import INTERCOM_SYNC_CONFIG

OF_THE_MAPPING = {
    "users": {"users.sql"},
    "memberships": {"memberships.sql"},
    "teams": {"teams.sql"},
    "app_users": {"users.sql"},
    "intercom_contacts": {"users.sql"},
    "reconciled_profiles": {"who wins", "users.sql", "memberships.sql"},
    "intercom_companies": {"who wins", "teams.sql"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "mapping")
    return tmp_path / "mapping"


def pages(folder: Path | None = None) -> dict[str, dg.AssetSpec]:
    given = {"app_database": AppDatabaseResource(mapping=str(folder))} if folder else None
    specs = build_defs(given).resolve_all_asset_specs()
    return {spec.key.to_user_string(): spec for spec in specs}


def columns(spec: dg.AssetSpec) -> dict[str, tuple[str, str | None]]:
    schema = spec.metadata["dagster/column_schema"].value
    return {column.name: (column.type, column.description) for column in schema.columns}


def test_every_asset_says_what_it_is_and_of_which_kind_and_has_no_owner_that_nobody_set() -> None:
    for name, spec in pages().items():
        assert (spec.description or "").endswith("."), name
        assert not spec.owners, name
        assert spec.kinds, name
        assert spec.group_name == "in_step", name


def test_every_page_says_what_its_button_does() -> None:
    for name, spec in pages().items():
        answer = spec.description or ""
        assert ("**Materialize**" in answer) is not ("nothing to press" in answer), name


def test_what_looks_wrong_on_a_page_and_is_not_is_told_there() -> None:
    """Grey, "Never materialized" and warnings are Dagster's, whatever we do."""
    answer = {name: spec.description or "" for name, spec in pages().items()}

    for name in ("users", "memberships", "teams", "sync_health"):
        assert "*Never materialized*" in answer[name], name
    for name in ("app_users", "intercom_contacts", "reconciled_profiles"):
        assert "**Add partition**" in answer[name], name
        assert "*Upstream data missing*" in answer[name], name
    assert "**Add partition**" in answer["intercom_companies"]


def test_every_asset_of_the_mapping_shows_its_sql_and_its_columns() -> None:
    answer = pages()

    assert {name: set(answer[name].metadata) for name in OF_THE_MAPPING} == {
        name: shown | {"mapping", "dagster/column_schema"} for name, shown in OF_THE_MAPPING.items()
    }
    assert "as cobrowsing_link" in answer["users"].metadata["users.sql"].value


def test_a_column_says_where_it_goes_and_who_wins(folder: Path) -> None:
    with (folder / "sync.yaml").open("a") as sync_yaml:
        sync_yaml.write("fields: {phone_number: intercom}\n")

    answer = pages(folder)

    assert columns(answer["users"])["created_at"] == ("date", "to Intercom's signed_up_at")
    assert columns(answer["users"])["updated_at"] == ("date", "read, not sent")
    assert columns(answer["users"])["admin_link"] == (
        "as in SQL",
        "to Intercom's attribute admin_link",
    )
    assert columns(answer["reconciled_profiles"])["phone_number"] == (
        "string",
        "Intercom's phone; who wins: Intercom",
    )
    assert columns(answer["intercom_companies"])["company_id"] == ("string", "the app's id")
    assert (
        "| phone_number | phone | Intercom |"
        in answer["reconciled_profiles"].metadata["who wins"].value
    )


def test_a_query_whose_text_does_not_tell_its_columns_shows_no_half_schema(folder: Path) -> None:
    (folder / "users.sql").write_text("select * from users")

    answer = pages(folder)

    for name in ("users", "app_users", "intercom_contacts", "reconciled_profiles"):
        assert "dagster/column_schema" not in answer[name].metadata
        assert "select * from users" in answer[name].metadata["users.sql"].value
    assert "every other column" in answer["reconciled_profiles"].metadata["who wins"].value


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda folder: (folder / "users.sql").unlink(), "users.sql is missing"),
        (lambda folder: (folder / "sync.yaml").write_text("captur: polling"), "captur"),
        (lambda folder: shutil.rmtree(folder), "does not exist"),
    ],
)
def test_a_mapping_that_cannot_be_read_is_said_on_the_pages_and_breaks_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, harm: object, sentence: str
) -> None:
    assert callable(harm)
    harm(folder)
    monkeypatch.setenv(INTERCOM_SYNC_CONFIG, str(folder))

    answer = pages()

    assert set(answer) == {*OF_THE_MAPPING, "sync_health"}
    for name in OF_THE_MAPPING:
        assert "The mapping cannot be read: " in (answer[name].description or "")
        assert sentence in str(answer[name].metadata["mapping"])
