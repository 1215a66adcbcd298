"""Companies, memberships and data attributes, through the real client, against the stand-in."""

import pytest

from intercom_assets.domain.models import CompanyPatch, ContactPatch, DataAttribute
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Invalid, NotFound, ScrollOpen
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.intercom.conftest import Moment, NewClient

ACME = CompanyPatch({"name": "Acme", "plan": "team", "monthly_spend": 79, "size": 12})


def a_member(client: IntercomClient, *company_ids: str) -> str:
    contact = client.create_contact(ContactPatch({"role": "user", "external_id": "7"}))
    for company_id in company_ids:
        company = client.upsert_company(company_id, CompanyPatch({"name": company_id}))
        client.attach_company(contact.id, company.id)
    return contact.id


def test_a_company_is_created_and_updated_by_the_same_call(client: IntercomClient) -> None:
    created = client.upsert_company("3", ACME)
    updated = client.upsert_company("3", CompanyPatch({"name": "Acme Ltd"}))

    assert created.id == updated.id
    assert (updated.name, updated.plan, updated.monthly_spend) == ("Acme Ltd", "team", 79)
    assert client.find_company("3") == updated
    assert client.get_company(created.id) == updated


def test_a_company_is_tagged_and_untagged_by_the_name_of_the_tag(client: IntercomClient) -> None:
    company = client.upsert_company("3", ACME)
    assert company.tags == {}

    vip = client.tag_company("VIP", company.id)
    assert client.tag_company("vip", company.id) == vip
    assert client.get_company(company.id).tags == {"VIP": vip}
    assert client.untag_company("VIP", company.id) == client.untag_company("VIP", company.id) == vip
    assert client.get_company(company.id).tags == {}
    with pytest.raises(NotFound):
        client.tag_company("VIP", "0" * 24)


def test_a_company_that_is_not_there_is_told_from_a_contact_that_is_not(
    client: IntercomClient,
) -> None:
    contact_id = a_member(client)
    company = client.upsert_company("3", ACME)

    with pytest.raises(NotFound) as no_company:
        client.attach_company(contact_id, "0" * 24)
    with pytest.raises(NotFound) as no_contact:
        client.attach_company("0" * 24, company.id)
    assert no_company.value.code == "company_not_found"
    assert no_contact.value.code == "not_found"


def test_a_deleted_company_is_gone(client: IntercomClient, intercom: Simulator) -> None:
    created = client.upsert_company("3", ACME)

    intercom.by_hand.delete_company("3")
    with pytest.raises(NotFound):
        client.get_company(created.id)


def test_members_are_attached_and_detached(client: IntercomClient) -> None:
    contact_id = a_member(client, "3", "4")
    [left, _] = client.contact_companies(contact_id)
    client.detach_company(contact_id, left.id)

    [company] = client.contact_companies(contact_id)
    assert client.get_contact(contact_id).company_ids == (company.id,)


def test_more_companies_than_an_answer_embeds_are_known_to_be_more(
    client: IntercomClient, intercom: Simulator
) -> None:
    intercom.set(embedded_lists="ten")
    contact_id = a_member(client, *map(str, range(11)))

    contact = client.get_contact(contact_id)
    assert len(contact.company_ids) == 10
    assert not contact.companies_complete
    assert len(client.contact_companies(contact_id)) == 11


def test_a_contacts_companies_are_read_from_every_page(client: IntercomClient) -> None:
    contact_id = a_member(client, *map(str, range(60)))

    assert len(client.contact_companies(contact_id)) == 60


def test_the_scroll_tells_every_company(client: IntercomClient) -> None:
    a_member(client, *map(str, range(120)))

    pages = list(client.scroll_companies())

    assert sorted(len(page) for page in pages) == [20, 100]
    assert {company.company_id for page in pages for company in page} == set(map(str, range(120)))


def test_a_scroll_without_companies_is_empty(client: IntercomClient) -> None:
    assert list(client.scroll_companies()) == []


def test_a_scroll_that_breaks_is_begun_anew_and_tells_each_company_once(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    a_member(client, *map(str, range(120)))
    pages = client.scroll_companies()
    first = next(pages)
    intercom.set(faults=[{"kind": "lost_reply", "endpoint": "GET /companies/scroll"}])

    rest = [company for page in pages for company in page]

    assert len(first) + len(rest) == 120
    assert len({company.id for company in first + rest}) == 120


def test_a_reader_slower_than_a_minute_loses_the_scroll_and_no_company(
    client: IntercomClient, moment: Moment
) -> None:
    a_member(client, *map(str, range(120)))
    found = []
    for page in client.scroll_companies():
        found += page
        moment.sleep(61)

    assert len({company.id for company in found}) == len(found) == 120


@pytest.mark.parametrize("companies", [0, 99, 100, 120, 200])
def test_a_scroll_that_ends_with_a_404_has_ended(
    client: IntercomClient, intercom: Simulator, companies: int
) -> None:
    """Instead of an empty page, as connectors have met it."""
    a_member(client, *map(str, range(companies)))
    gone = {"kind": "error", "endpoint": "GET /companies/scroll", "status": 404, "count": None}
    found = []
    pages = client.scroll_companies()
    for _ in range(-(-companies // 100)):
        found += next(pages)
    intercom.set(faults=[gone])

    found += [company for page in pages for company in page]

    assert len({company.id for company in found}) == companies
    steps = [call for call in client.calls if call.path_template == "/companies/scroll"]
    assert len(steps) == -(-companies // 100) + 1


def test_an_open_scroll_of_somebody_else_is_waited_for(
    client: IntercomClient, new_client: NewClient, moment: Moment
) -> None:
    a_member(client, "3")
    abandoned = new_client().scroll_companies()
    next(abandoned)

    assert sum(map(len, client.scroll_companies())) == 1
    assert 55 <= moment.now <= 75


def test_an_open_scroll_is_not_waited_for_beyond_the_lease(
    client: IntercomClient, new_client: NewClient, moment: Moment
) -> None:
    a_member(client, "3")
    abandoned = new_client().scroll_companies()
    next(abandoned)

    with pytest.raises(ScrollOpen):
        list(client.with_deadline(moment.now + 40).scroll_companies())
    assert moment.now <= 40


def test_attributes_are_listed_and_created_and_archived_ones_hold_their_names(
    client: IntercomClient, intercom: Simulator
) -> None:
    created = client.create_attribute(
        "seats", AttributeModel.COMPANY, "integer", description="Paid seats"
    )
    assert created == DataAttribute("seats", "company", "integer", id=created.id)
    assert created.id is not None

    intercom.by_hand.archive_attribute("seats", "company")
    assert created.name not in {
        a.name for a in client.list_attributes(AttributeModel.COMPANY, archived=False)
    }
    listed = {
        attribute.name: attribute for attribute in client.list_attributes(AttributeModel.COMPANY)
    }
    assert listed["seats"].archived
    assert not listed["name"].custom


def test_a_name_that_the_other_model_holds_is_refused(client: IntercomClient) -> None:
    client.create_attribute("deleted", AttributeModel.COMPANY, "boolean")

    with pytest.raises(Invalid) as taken:
        client.create_attribute("deleted", AttributeModel.CONTACT, "boolean")
    assert "deleted" in taken.value.message
