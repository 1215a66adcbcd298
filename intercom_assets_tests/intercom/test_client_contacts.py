"""Contacts, through the real client, against the stand-in."""

import pytest

from intercom_assets.domain.models import Admin, ContactPatch, Tag, Workspace
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import (
    Conflict,
    Invalid,
    Merged,
    NotFound,
    NotRestorable,
    UnknownAttribute,
)
from intercom_assets.intercom.query import AnyOf, Filter, leads_with_emails, touched_since
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.intercom.conftest import Moment

ADA = ContactPatch({"role": "user", "external_id": "7", "email": "ada@example.com", "name": "Ada"})


def test_the_token_belongs_to_a_workspace(client: IntercomClient) -> None:
    workspace = client.me()

    assert isinstance(workspace, Workspace)
    assert workspace.id
    assert workspace.time_zone == "UTC"


def test_its_teammates_are_listed(client: IntercomClient, intercom: Simulator) -> None:
    pat = intercom.by_hand.create_admin("Pat", "Pat@Example.com")

    assert Admin(pat, "pat@example.com") in [
        Admin(admin.id, (admin.email or "").lower()) for admin in client.list_admins()
    ]


def test_a_tag_is_made_once_put_on_and_taken_off(client: IntercomClient) -> None:
    contact = client.create_contact(ADA)
    assert (contact.tag_ids, contact.tags_complete, contact.tag_count) == ((), True, 0)

    vip = client.create_tag("VIP")
    assert client.create_tag("vip") == vip
    assert client.list_tags() == [Tag(vip, "VIP")]
    twice = [client.tag_contact(contact.id, vip) for _ in range(2)]
    assert twice == [Tag(vip, "VIP")] * 2

    assert client.get_contact(contact.id).tag_ids == (vip,)
    assert client.contact_tags(contact.id) == [Tag(vip, "VIP")]
    client.untag_contact(contact.id, vip)
    assert client.get_contact(contact.id).tag_ids == ()
    with pytest.raises(NotFound):
        client.tag_contact(contact.id, "0")


def test_a_contact_is_created_and_found_by_either_id(client: IntercomClient) -> None:
    created = client.create_contact(ADA)

    assert client.get_contact(created.id) == created
    assert client.find_contact("7") == created
    assert (created.role, created.email, created.name) == ("user", "ada@example.com", "Ada")


@pytest.mark.parametrize("external_id", ["a/b", "x?y=z", "50%", "ö #1", "{id}", "a+b@example.com"])
def test_an_external_id_may_hold_any_character(client: IntercomClient, external_id: str) -> None:
    created = client.create_contact(ContactPatch({"role": "user", "external_id": external_id}))

    assert client.find_contact(external_id).id == created.id


@pytest.mark.parametrize("contact_id", ["", ".", ".."])
def test_an_id_that_would_address_something_else_is_not_sent(
    client: IntercomClient, contact_id: str
) -> None:
    with pytest.raises(Invalid):
        client.delete_contact(contact_id)
    assert client.calls == []


def test_an_update_sends_what_the_patch_holds_and_nothing_else(
    client: IntercomClient, intercom: Simulator
) -> None:
    client.create_attribute("plan", AttributeModel.CONTACT, "string")
    created = client.create_contact(ADA)
    client.update_contact(created.id, ContactPatch({"phone": "+353 1"}, {"plan": "team"}))
    updated = client.update_contact(created.id, ContactPatch({"phone": None}))

    assert updated.name == "Ada"
    assert updated.phone is None
    assert updated.custom_attributes == {"plan": "team"}


def test_a_cleared_e_mail_is_none_whichever_way_it_is_read(
    client: IntercomClient, moment: Moment
) -> None:
    created = client.create_contact(ADA)
    client.update_contact(created.id, ContactPatch({"email": None}))

    assert client.get_contact(created.id).email is None
    [page] = client.list_contacts()
    assert page.items[0].email is None


def test_a_second_contact_with_the_same_id_is_a_conflict_that_names_the_first(
    client: IntercomClient,
) -> None:
    first = client.create_contact(ADA)

    with pytest.raises(Conflict) as conflict:
        client.create_contact(ADA)
    assert (conflict.value.contact_id, conflict.value.archived) == (first.id, False)


def test_an_archived_contact_is_named_unarchived_and_itself_again(client: IntercomClient) -> None:
    first = client.create_contact(ADA)
    assert client.archive_contact(first.id).archived

    with pytest.raises(NotFound):
        client.get_contact(first.id)
    with pytest.raises(Conflict) as conflict:
        client.create_contact(ADA)
    assert conflict.value.archived

    receipt = client.unarchive_contact(conflict.value.contact_id)
    assert (receipt.archived, receipt.external_id) == (False, "7")
    assert client.get_contact(first.id).name == "Ada"


def test_a_deleted_contact_cannot_be_restored(client: IntercomClient) -> None:
    created = client.create_contact(ADA)
    assert client.delete_contact(created.id).deleted

    with pytest.raises(NotRestorable):
        client.unarchive_contact(created.id)


def test_a_merged_lead_names_the_user_it_lives_on_as(client: IntercomClient) -> None:
    user = client.create_contact(ADA)
    lead = client.create_contact(ContactPatch({"role": "lead", "email": "ada@example.com"}))

    assert client.merge_contacts(lead.id, user.id).id == user.id
    with pytest.raises(Merged) as merged:
        client.get_contact(lead.id)
    assert merged.value.into == user.id


def test_contacts_that_share_nothing_are_not_merged(client: IntercomClient) -> None:
    user = client.create_contact(ADA)
    lead = client.create_contact(ContactPatch({"role": "lead", "email": "other@example.com"}))

    with pytest.raises(Invalid) as refused:
        client.merge_contacts(lead.id, user.id)
    assert refused.value.code == "invalid_merge"
    assert client.get_contact(lead.id).role == "lead"


def test_an_unknown_attribute_is_named(client: IntercomClient) -> None:
    created = client.create_contact(ADA)

    with pytest.raises(UnknownAttribute) as unknown:
        client.update_contact(created.id, ContactPatch(custom={"favourite": "blue"}))
    assert unknown.value.attribute == "favourite"


def test_a_located_zone_and_the_country_are_read(
    client: IntercomClient, intercom: Simulator
) -> None:
    [ada] = intercom.seed([{"external_id": "7", "timezone": "Europe/Dublin", "country_code": "ie"}])

    contact = client.get_contact(ada)

    assert (contact.located_time_zone, contact.country_code) == ("Europe/Dublin", "IE")


def test_all_contacts_are_listed_page_by_page(client: IntercomClient, intercom: Simulator) -> None:
    intercom.seed({"count": 7})

    pages = list(client.list_contacts(per_page=3))

    assert [len(page.items) for page in pages] == [3, 3, 1]
    assert {page.total for page in pages} == {7}
    assert len({contact.id for page in pages for contact in page.items}) == 7


def test_a_listing_can_be_taken_up_at_a_cursor(client: IntercomClient, intercom: Simulator) -> None:
    intercom.seed({"count": 5})
    first = next(client.list_contacts(per_page=3))

    [rest] = client.list_contacts(per_page=3, starting_after=first.next)

    assert len(rest.items) == 2
    assert rest.next is None


def test_no_contacts_are_one_empty_page(client: IntercomClient) -> None:
    [page] = client.list_contacts()

    assert page.items == ()


def test_leads_are_found_by_e_mail_and_users_with_it_are_not(
    client: IntercomClient, intercom: Simulator
) -> None:
    intercom.seed(
        [
            {"role": "lead", "email": "ada@example.com"},
            {"role": "lead", "email": "bob@example.com"},
            {"role": "lead", "email": "other@example.com"},
            {"role": "user", "external_id": "7", "email": "ada@example.com"},
        ]
    )

    [page] = client.search_contacts(leads_with_emails(["ada@example.com", "bob@example.com"]))

    assert {(contact.role, contact.email) for contact in page.items} == {
        ("lead", "ada@example.com"),
        ("lead", "bob@example.com"),
    }


def test_what_was_touched_today_is_found_newest_first(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    now = int(moment.wall())
    seeds = [(f"{hours}h", now - hours * 3600) for hours in (2, 1, 3)]
    intercom.seed([{"external_id": id, "updated_at": at} for id, at in seeds])

    pages = client.search_contacts(touched_since(now - 4 * 3600), per_page=2)

    assert [c.external_id for page in pages for c in page.items] == ["1h", "2h", "3h"]


def test_fifteen_groups_of_fifteen_filters_fit_into_one_search(
    client: IntercomClient, intercom: Simulator
) -> None:
    intercom.seed({"count": 3})
    many = AnyOf(
        tuple(
            AnyOf(tuple(Filter("external_id", "=", f"{n}-{m}") for m in range(15)))
            for n in range(15)
        )
    )

    [page] = client.search_contacts(many)

    assert page.items == ()
