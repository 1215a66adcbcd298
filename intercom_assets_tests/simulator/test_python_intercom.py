"""Intercom's own Python client, as it is, with a socket between it and the simulator.

It names no API version, accepts anything, and reads a contact's companies under `companies`.
"""

from collections.abc import Iterator

import pytest
from intercom import (
    CreateContactRequestWithEmail,
    CreateContactRequestWithExternalId,
    CreateContactRequestWithRole,
    CreateDataAttributeRequestOne,
    CreateOrUpdateTagRequest,
    Intercom,
    MultipleFilterSearchRequest,
    SingleFilterSearchRequest,
    UpdateCompanyRequestBody,
)
from intercom.core.api_error import ApiError
from intercom.data_attributes.types import DataAttribute
from intercom.errors import NotFoundError, UnauthorizedError
from intercom.types import (
    CreateOrUpdateCompanyRequest,
    StartingAfterPaging,
    UpdateDataAttributeRequestOptions,
)

from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator


@pytest.fixture
def url(simulator: Simulator) -> Iterator[str]:
    with serving(simulator) as address:
        yield address


@pytest.fixture
def intercom(url: str) -> Iterator[Intercom]:
    client = Intercom(token="demo-token", base_url=url)
    with client._client_wrapper.httpx_client.httpx_client:
        yield client


def a_user(intercom: Intercom, external_id: str = "7", **fields: object) -> str:
    request = CreateContactRequestWithExternalId.model_validate(
        {"external_id": external_id, **fields}
    )
    created = intercom.contacts.create(request=request)
    assert created.id is not None
    return str(created.id)


def an_attribute(intercom: Intercom, name: str) -> DataAttribute:
    request = CreateDataAttributeRequestOne.model_validate(
        {"name": name, "model": "contact", "data_type": "string"}
    )
    made: DataAttribute = intercom.data_attributes.create(request=request)
    return made


def test_contacts_are_created_updated_found_and_deleted(intercom: Intercom) -> None:
    an_attribute(intercom, "plan")
    contact_id = a_user(intercom, email="a@b.c", name="Ada", custom_attributes={"plan": "pro"})

    updated = intercom.contacts.update(
        contact_id,
        name="Grace",
        owner_id=991267459,
        last_seen_at=1_700_000_000,
        custom_attributes={"plan": None},
    )
    by_id = intercom.contacts.find(contact_id)
    by_external_id = intercom.contacts.show_contact_by_external_id("7")

    assert (updated.name, updated.custom_attributes) == ("Grace", {"plan": None})
    assert by_id.id == by_external_id.id == contact_id
    assert by_id.last_seen_at == 1_700_000_000
    assert intercom.contacts.archive(contact_id).archived is True
    assert intercom.contacts.unarchive(contact_id).archived is False
    assert intercom.contacts.block_contact(contact_id).blocked is True
    assert intercom.contacts.delete(contact_id).deleted is True


def test_contacts_are_listed_and_searched(intercom: Intercom) -> None:
    made = [a_user(intercom, str(number), email=f"{number}@b.c") for number in range(5)]

    listed = [contact.id for contact in intercom.contacts.list(per_page=2)]
    found = intercom.contacts.search(
        query=MultipleFilterSearchRequest(
            operator="AND",
            value=[
                SingleFilterSearchRequest(field="created_at", operator=">", value="1306054154"),
                SingleFilterSearchRequest(field="email", operator="=", value="3@b.c"),
            ],
        ),
        pagination=StartingAfterPaging(per_page=5),
    )

    assert listed == made
    assert [contact.id for contact in found] == [made[3]]


def test_a_lead_is_merged_into_a_user(intercom: Intercom) -> None:
    user = intercom.contacts.create(request=CreateContactRequestWithEmail(email="a@b.c"))
    lead = intercom.contacts.create(
        request=CreateContactRequestWithRole.model_validate(
            {"role": "lead", "email": "a@b.c", "name": "Ada"}
        )
    )

    survivor = intercom.contacts.merge_lead_in_user(lead_id=lead.id, contact_id=user.id)

    assert (survivor.id, survivor.name) == (user.id, "Ada")
    with pytest.raises(ApiError) as gone:
        intercom.contacts.find(lead.id or "")
    assert gone.value.status_code == 410
    assert gone.value.body["errors"][0]["code"] == "contact_merged"


def test_companies_and_their_edges(intercom: Intercom) -> None:
    contact_id = a_user(intercom)
    company = intercom.companies.create_or_update(
        request=CreateOrUpdateCompanyRequest(
            company_id="t1", name="Team", remote_created_at=1374138000, plan="Pro"
        )
    )
    attached = intercom.companies.attach_contact(contact_id, company_id=company.id)
    updated = intercom.companies.update(company.id, request=UpdateCompanyRequestBody(name="Crew"))

    assert attached.user_count == 0
    assert intercom.companies.find(company.id).user_count == 1
    assert updated.name == "Crew"
    assert intercom.companies.find(company.id).company_id == "t1"
    assert intercom.companies.retrieve(company_id="t1").id == company.id
    assert [item.id for item in intercom.companies.list()] == [company.id]
    assert [item.id for item in intercom.companies.scroll()] == [company.id]
    assert [item.id for item in intercom.contacts.list_attached_companies(contact_id)] == [
        company.id
    ]
    attached_contacts = intercom.companies.list_attached_contacts(company.id)
    assert [item.id for item in attached_contacts.data or []] == [contact_id]
    assert intercom.companies.detach_contact(contact_id, company.id).user_count == 0
    assert intercom.companies.delete(company.id).deleted is True


def test_attributes_are_made_listed_and_archived(intercom: Intercom) -> None:
    made = an_attribute(intercom, "plan")
    listed = intercom.data_attributes.list(model="contact", include_archived=True)
    changed = intercom.data_attributes.update(
        int(made.id or 0),
        request=UpdateDataAttributeRequestOptions.model_validate(
            {"archived": True, "options": [{"value": "1-10"}, {"value": "11-20"}]}
        ),
    )

    assert made.id in [item.id for item in listed.data or []]
    assert changed.archived is True


def test_tags_and_the_teammate(intercom: Intercom) -> None:
    contact_id = a_user(intercom)
    tag = intercom.tags.create(request=CreateOrUpdateTagRequest(name="Whale"))

    assert intercom.tags.tag_contact(contact_id, tag_id=tag.id).id == tag.id
    assert [item.id for item in intercom.contacts.list_attached_tags(contact_id).data or []] == [
        tag.id
    ]
    intercom.tags.untag_contact(contact_id, tag.id)
    intercom.tags.delete(tag.id)
    me = intercom.admins.identify()
    assert me is not None
    assert me.app is not None
    assert me.app.timezone == "UTC"


def test_errors_arrive_as_the_client_names_them(intercom: Intercom, url: str) -> None:
    a_user(intercom)

    with pytest.raises(ApiError) as conflict:
        a_user(intercom)
    with pytest.raises(NotFoundError):
        intercom.companies.find("nobody")
    stranger = Intercom(token="wrong", base_url=url)
    with stranger._client_wrapper.httpx_client.httpx_client, pytest.raises(UnauthorizedError):
        stranger.contacts.find("nobody")

    assert conflict.value.status_code == 409
    assert "already exists with id=" in conflict.value.body["errors"][0]["message"]
