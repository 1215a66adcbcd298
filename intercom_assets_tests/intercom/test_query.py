"""Queries for the contact search: what they look like, and what Intercom would refuse."""

import pytest

from intercom_assets.intercom.query import (
    AllOf,
    AnyOf,
    Filter,
    as_json,
    leads_with_emails,
    touched_since,
)

NAME = Filter("name", "=", "Ada")


def test_groups_nest_two_levels_deep() -> None:
    assert as_json(AllOf((NAME, AnyOf((NAME, Filter("phone", "!=", None)))))) == {
        "operator": "AND",
        "value": [
            {"field": "name", "operator": "=", "value": "Ada"},
            {
                "operator": "OR",
                "value": [
                    {"field": "name", "operator": "=", "value": "Ada"},
                    {"field": "phone", "operator": "!=", "value": None},
                ],
            },
        ],
    }


def test_a_third_level_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="two levels"):
        AllOf((AnyOf((AllOf((NAME,)),)),))


@pytest.mark.parametrize("count", [0, 16])
def test_a_group_holds_one_to_fifteen_parts(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 15"):
        AnyOf((NAME,) * count)


@pytest.mark.parametrize("count", [0, 16])
def test_in_takes_one_to_fifteen_values(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 15"):
        leads_with_emails([f"{n}@example.com" for n in range(count)])


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="operator"):
        Filter("name", "like", "Ada")


def test_one_value_is_not_for_in_and_many_are_not_for_equals() -> None:
    with pytest.raises(ValueError, match="tuple"):
        Filter("name", "IN", "Ada")
    with pytest.raises(ValueError, match="tuple"):
        Filter("name", "=", ("Ada",))


def test_leads_are_searched_by_up_to_fifteen_e_mails() -> None:
    assert as_json(leads_with_emails(["a@example.com", "b@example.com"])) == {
        "operator": "AND",
        "value": [
            {"field": "role", "operator": "=", "value": "lead"},
            {"field": "email", "operator": "IN", "value": ["a@example.com", "b@example.com"]},
        ],
    }


def test_what_was_touched_since_asks_for_the_day_itself_too() -> None:
    since = {
        "operator": "OR",
        "value": [
            {"field": "updated_at", "operator": ">", "value": 1_700_000_000},
            {"field": "updated_at", "operator": "=", "value": 1_700_000_000},
        ],
    }
    assert as_json(touched_since(1_700_000_000)) == since
    assert as_json(touched_since(1_700_000_000, role="lead")) == {
        "operator": "AND",
        "value": [{"field": "role", "operator": "=", "value": "lead"}, since],
    }
