"""What an item of a bulk call may carry, and how many calls so many items take."""

import pytest

from intercom_assets.domain.bulk import ContactItem, JobState, calls_by_bulk, may_carry
from intercom_assets.domain.models import ContactPatch

DOCUMENTED = (
    *("external_id", "email", "name", "phone", "avatar", "owner_id", "language_override"),
    "unsubscribed_from_emails",
)
ONLY_AT_FIRST = ("role", "signed_up_at", "last_seen_at")


def an_item(contact_id: str | None = None, **standard: object) -> ContactItem:
    return ContactItem(
        ContactPatch({name: str(value) for name, value in standard.items()}), contact_id
    )


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_field_goes_by_either_endpoint(name: str) -> None:
    assert may_carry(an_item(**{name: "x"}))
    assert may_carry(an_item("c1", **{name: "x"}))


def test_all_documented_fields_go_together() -> None:
    assert may_carry(an_item(**dict.fromkeys((*DOCUMENTED, *ONLY_AT_FIRST), "x")))
    assert may_carry(an_item("c1", **dict.fromkeys(DOCUMENTED, "x")))


@pytest.mark.parametrize("name", ONLY_AT_FIRST)
def test_what_only_a_create_takes_is_not_sent_by_an_update(name: str) -> None:
    assert may_carry(an_item(**{name: "x"}))
    assert not may_carry(an_item("c1", **{name: "x"}))


@pytest.mark.parametrize("contact_id", [None, "c1"])
def test_a_field_that_would_be_ignored_without_a_word_keeps_all_of_it_back(
    contact_id: str | None,
) -> None:
    assert not may_carry(an_item(contact_id, name="x", email_verified="true"))


@pytest.mark.parametrize("contact_id", [None, "c1"])
def test_nothing_is_cleared_by_an_item(contact_id: str | None) -> None:
    of_a_field = ContactPatch({"name": None, "phone": "+441"}, {"plan": "free"})
    of_an_attribute = ContactPatch({"name": "x"}, {"plan": None, "seats": 3})

    assert not may_carry(ContactItem(of_a_field, contact_id))
    assert not may_carry(ContactItem(of_an_attribute, contact_id))
    assert may_carry(ContactItem(ContactPatch({"name": "x"}, {"plan": "free"}), contact_id))


def test_no_item_has_more_companies_than_a_contact_shows() -> None:
    companies = [str(n) for n in range(11)]

    assert may_carry(ContactItem(ContactPatch(), companies=companies[:10]))
    assert not may_carry(ContactItem(ContactPatch(), companies=companies))


@pytest.mark.parametrize(
    ("state", "at_work"),
    [("pending", True), ("running", True), ("completed", False), ("completed_with_errors", False)],
)
def test_a_job_is_at_work_until_it_is_completed(state: str, at_work: bool) -> None:
    assert JobState(state).is_at_work is at_work


@pytest.mark.parametrize(
    ("users", "companies", "calls"),
    [
        (0, 0, 10),
        (1, 0, 2 + 1 + 3 + 10),
        (100, 0, 2 + 1 + 3 + 10),
        (101, 0, 4 + 1 + 3 + 10),
        (125, 0, 4 + 1 + 3 + 10),
        (126, 0, 4 + 2 + 3 + 10),
        (1_000, 0, 20 + 8 + 3 + 10),
        (1_001, 0, 22 + 9 + 6 + 10),
        (0, 1, 3 + 10),
        (0, 100, 3 + 10),
        (0, 101, 6 + 10),
        (20_000, 200, 400 + 160 + 6 + 60 + 10),
    ],
)
def test_calls_are_counted_by_the_hundred_and_by_the_page(
    users: int, companies: int, calls: int
) -> None:
    assert calls_by_bulk(users, companies) == calls
