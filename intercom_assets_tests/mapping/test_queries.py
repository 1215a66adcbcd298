"""What a mapping's queries may select, told without a database."""

from pathlib import Path

import pytest

from intercom_assets.domain.models import Column, Kind
from intercom_assets.mapping.combined import problems_together
from intercom_assets.mapping.load import load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.queries import UNNAMED, queries

USERS, TEAMS, MEMBERSHIPS = queries(load_mapping())


def attribute(name: str) -> Column:
    return Column(name, Kind.STRING, is_attribute=True)


def test_what_says_something_about_the_row_is_no_value_and_an_attribute_is_one() -> None:
    assert [name for name in ("id", "deleted_at", "name", "plan") if USERS.is_value(name)] == [
        "name",
        "plan",
    ]
    assert USERS.is_attribute("plan")
    assert not TEAMS.is_attribute("plan")


def test_a_column_of_the_name_of_a_rule_elsewhere_is_an_attribute_and_a_value() -> None:
    assert USERS.is_value("owner_id")
    assert not TEAMS.is_value("owner_id")


def test_a_membership_has_no_further_columns() -> None:
    with pytest.raises(MappingError, match="unknown column role; allowed: user_id, team_id"):
        MEMBERSHIPS.rule("role")


def test_a_number_becomes_whole_where_intercom_holds_whole_units() -> None:
    assert TEAMS.kind("size", Kind.FLOAT, "numeric") is Kind.INTEGER
    assert USERS.kind("score", Kind.FLOAT, "numeric") is Kind.FLOAT
    with pytest.raises(MappingError, match="size is text; allowed: an integer or a number"):
        TEAMS.kind("size", Kind.STRING, "text")


def test_each_column_is_named_once_and_those_that_have_to_be_there_are() -> None:
    columns = ["id", "emial", "plan", "plan", UNNAMED]

    assert list(USERS.ambiguous(columns)) == [
        "users.sql: plan is selected twice; name each column once (as ...)",
        "users.sql: a column has no name; give it one, as in: ... as total",
    ]
    assert list(USERS.missing(columns)) == [
        'users.sql: the column email is missing; did you mean "emial"?'
    ]


def test_users_and_teams_cannot_share_an_attributes_name() -> None:
    mapping = load_mapping()

    [problem] = problems_together(mapping, None, [attribute("company_deleted")])
    clashes = list(problems_together(mapping, [attribute("beta")], [attribute("beta")]))

    assert "company_deleted is set by the sync" in problem
    assert any("beta is an attribute of users too" in clash for clash in clashes)


def test_a_policy_for_a_column_that_nobody_selects_is_told(tmp_path: Path) -> None:
    for query in (USERS, TEAMS, MEMBERSHIPS):
        (tmp_path / query.file).write_text(query.sql)
    (tmp_path / "sync.yaml").write_text("fields: {phone: fill}\n")

    [problem] = problems_together(load_mapping(tmp_path), [attribute("phones")], None)

    assert problem == 'sync.yaml: fields.phone is no value of users.sql; did you mean "phones"?'
