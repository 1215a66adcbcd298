"""The vocabulary: names that are stored or sent, and what a fresh memory holds."""

from dataclasses import FrozenInstanceError

import pytest

from intercom_assets.domain.fields import Policy
from intercom_assets.domain.models import (
    AppTeam,
    AppUser,
    Company,
    CompanyPatch,
    Contact,
    ContactPatch,
    DataAttribute,
    EdgeState,
    JournalEntry,
    Kind,
    Side,
    TeamLink,
    UserLink,
)
from intercom_assets.domain.vocabulary import Action, QueueKind


def test_kinds_have_intercoms_names_of_types() -> None:
    assert [*Kind] == ["string", "integer", "float", "boolean", "date"]


def test_what_is_stored_keeps_its_name() -> None:
    """In our tables, in the journal, in sync.yaml."""
    assert [*Side] == ["app", "intercom"]
    assert [*EdgeState] == ["attaching", "attached", "detaching"]
    assert [*Policy] == ["app", "intercom", "fill", "later_value", "last_writer", "opt_out"]


def test_a_user_is_nothing_special_unless_told() -> None:
    assert AppUser("7", {}) == AppUser("7", {}, from_oauth=False, deleted=False, teams=frozenset())
    assert AppTeam("3", {}) == AppTeam("3", {}, owner_id=None, deleted=False)


def test_of_a_user_that_is_new_nothing_is_remembered() -> None:
    assert UserLink("7") == UserLink(
        user_id="7",
        contact_id=None,
        row_hash=None,
        shadow=None,
        shadow_read_at=None,
        base={},
        in_flight={},
        accepted={},
        refused={},
        overwritten={},
        needs_read=False,
        listed=False,
        archived=False,
        undone_archive=False,
        lead_email=None,
        synced_at=None,
        edges={},
    )
    assert TeamLink("3") == TeamLink("3", None, None, None, None, {}, {}, None)


def test_what_an_answer_leaves_out_is_nothing() -> None:
    contact, company = Contact("c1", "user"), Company("co1")

    assert (contact.custom_attributes, contact.company_ids) == ({}, ())
    assert contact.companies_complete
    assert company.custom_attributes == {}


def test_an_attribute_is_custom_live_and_writable_unless_told_otherwise() -> None:
    plain = DataAttribute("plan", "contact", "string")

    assert plain == DataAttribute("plan", "contact", "string", None, True, False, True)


@pytest.mark.parametrize("patch", [ContactPatch, CompanyPatch])
def test_a_patch_is_true_where_it_changes_something(
    patch: type[ContactPatch] | type[CompanyPatch],
) -> None:
    assert not patch()
    assert patch({"name": None})
    assert patch({}, {"deleted": False})


def test_a_journal_entry_needs_no_field() -> None:
    entry = JournalEntry(QueueKind.USER, "7", Action.CREATED)

    assert (entry.field, entry.side, entry.old, entry.new) == (None, None, None, None)
    assert (entry.why, entry.request_id) == ("", None)


def test_what_was_read_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        AppUser("7", {}).id = "8"  # type: ignore[misc]
