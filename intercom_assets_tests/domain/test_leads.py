"""Whose leads are looked for: young accounts with an address, once for each address."""

from dataclasses import replace
from typing import Any

import pytest

from intercom_assets.domain.leads import lead_email
from intercom_assets.domain.models import UserLink
from intercom_assets_tests.builders import SIGNED_UP, a_user

DAY = 86_400
NEW = UserLink("7")


def searched(user: Any = None, link: UserLink = NEW, age: int = 60) -> str | None:
    return lead_email(user or a_user(email="Ada@Example.com"), link, SIGNED_UP + age, DAY)


def test_a_young_users_leads_are_looked_for_by_address_without_case() -> None:
    assert searched() == "ada@example.com"


@pytest.mark.parametrize(("age", "found"), [(0, True), (DAY - 1, True), (DAY, False)])
def test_an_account_is_young_strictly_inside_the_window(age: int, found: bool) -> None:
    """Seed rule 35."""
    assert (searched(age=age) is not None) == found


def test_an_account_from_the_future_is_young() -> None:
    """The app's clock may run ahead of ours."""
    assert searched(age=-5) is not None


@pytest.mark.parametrize("email", [None, True, 7])
def test_a_user_without_an_address_is_not_searched(email: Any) -> None:
    """The replaced job asked for the leads of "", which may be everybody's (fault 17)."""
    assert searched(a_user(email=email)) is None


@pytest.mark.parametrize("created", [None, "yesterday"])
def test_an_account_of_unknown_age_is_not_young(created: Any) -> None:
    assert searched(a_user(created_at=created)) is None


def test_a_deleted_user_merges_nobody() -> None:
    assert searched(a_user(deleted=True)) is None


def test_an_address_is_searched_once() -> None:
    """The job searched again at each run within the window (fault 16)."""
    assert searched(link=replace(NEW, lead_email="ada@example.com")) is None


def test_a_changed_address_is_searched_again() -> None:
    """Fault 19 was its mirror: the address of today is the one that a lead has."""
    assert searched(link=replace(NEW, lead_email="old@example.com")) == "ada@example.com"
