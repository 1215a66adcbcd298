"""The table of who wins says what the policies are, field by field, and where a value is lost."""

from dataclasses import replace

import pytest

from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    DELETED,
    POLICIES,
    TEAM_FIELDS,
    USER_FIELDS,
    Field,
    Policy,
)
from intercom_assets.domain.models import Kind
from intercom_assets.domain.policies import RULES
from intercom_assets.domain.policy_table import (
    Row,
    as_markdown,
    rows_of_mapped_teams,
    rows_of_mapped_users,
    rows_of_teams,
    rows_of_users,
)

PHONE = Field("phone_number", "phone", Kind.STRING, Policy.FILL, remark="as typed")
PLAN = Field("plan", "plan", Kind.STRING, Policy.APP, custom=True)


def test_every_policy_has_its_row_in_both_tables() -> None:
    assert POLICIES.keys() == RULES.keys() == set(Policy)


@pytest.mark.parametrize(
    ("policy", "wins"),
    [
        (Policy.APP, "the app"),
        (Policy.INTERCOM, "Intercom"),
        (Policy.FILL, "the app, if it has a value"),
        (Policy.LATER_VALUE, "the later one"),
        (Policy.LAST_WRITER, "whoever changed it last"),
    ],
)
def test_each_policy_is_said_in_words(policy: Policy, wins: str) -> None:
    for rows_of in (rows_of_users, rows_of_mapped_users, rows_of_mapped_teams):
        assert rows_of([replace(PHONE, policy=policy, pulled=True)])[1].wins == wins


def test_every_standard_field_has_its_row_between_the_id_and_the_attributes() -> None:
    users, teams = rows_of_users(), rows_of_teams()

    assert users[0] == Row("id", "external_id", "the app")
    assert users[-1] == Row("every other column of users.sql", "a custom attribute", "the app")
    assert [row.app for row in users[1:-1]] == [f.name for f in (*USER_FIELDS, DELETED)]
    assert teams[0] == Row("id", "company_id", "the app")
    assert teams[-1] == Row("every other column of teams.sql", "a custom attribute", "the app")
    assert [row.app for row in teams[1:-1]] == [f.name for f in (*TEAM_FIELDS, COMPANY_DELETED)]


def test_where_a_value_goes_is_told_by_intercoms_name() -> None:
    id_of_users, phone, plan = rows_of_mapped_users([PHONE, PLAN])

    assert id_of_users == Row("id", "external_id", "the app")
    assert (phone.app, phone.intercom) == ("phone_number", "phone")
    assert (plan.app, plan.intercom) == ("plan", "custom attribute plan")
    assert rows_of_mapped_teams([PLAN])[0] == Row("id", "company_id", "the app")


def test_a_value_of_intercoms_that_has_nowhere_to_go_is_told() -> None:
    lost = "write_back.columns has no phone_number, so Intercom's value stays there"
    plain = replace(PHONE, remark="")

    def remarks(field: Field) -> str:
        return rows_of_mapped_users([field])[1].remarks

    assert remarks(PHONE) == f"as typed; {lost}"
    assert remarks(plain) == lost
    assert remarks(replace(PHONE, pulled=True)) == "as typed"
    assert remarks(replace(plain, policy=Policy.APP)) == ""


def test_as_markdown_it_is_a_table() -> None:
    rows = [Row("a", "b", "the app"), Row("c", "d", "Intercom", "but")]

    assert as_markdown(rows).splitlines() == [
        "| in the app | in Intercom | who wins | remarks |",
        "| --- | --- | --- | --- |",
        "| a | b | the app |  |",
        "| c | d | Intercom | but |",
    ]
