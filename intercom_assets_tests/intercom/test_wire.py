"""Intercom's JSON -> domain values: what is tolerated, what is normalised, what is refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from intercom_assets.domain.models import CompanyPatch, Contact, ContactPatch
from intercom_assets.intercom.endpoints import CREATE_CONTACT, GET_CONTACT
from intercom_assets.intercom.errors import (
    Conflict,
    IntercomError,
    NotFromIntercom,
    RateLimited,
    ServerError,
    Unauthorized,
    WrongShape,
)
from intercom_assets.intercom.http.messages import HttpResponse
from intercom_assets.intercom.responses import read_response
from intercom_assets.intercom.wire import (
    AttributeListPayload,
    ContactListPayload,
    ContactPayload,
    MePayload,
    Payload,
    ReceiptPayload,
    body_of,
)
from intercom_assets.intercom.wire_companies import (
    CompanyListPayload,
    CompanyPayload,
    CompanyScrollPayload,
)

ID = "6762f0dd1bb69f9f2193bb83"


def a_contact_answer(**fields: Any) -> Contact:
    return ContactPayload.model_validate({"id": ID, "role": "user", **fields}).domain()


def an_answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {"x-request-id": "r-1", **headers}, raw)


def read(body: object, status: int = 200) -> Contact:
    return read_response(ContactPayload, GET_CONTACT, an_answer(body, status))


# --- contacts -------------------------------------------------------------------------------------


def test_an_answer_may_hold_only_what_makes_it_a_contact() -> None:
    assert a_contact_answer() == Contact(id=ID, role="user", companies_complete=False)


def test_keys_that_nobody_knows_are_ignored() -> None:
    assert a_contact_answer(something_new={"deep": [1]}, browser="Firefox") == a_contact_answer()


@pytest.mark.parametrize(
    ("avatar", "address"),
    [
        (None, None),
        ("", None),
        ("https://x/y.png", "https://x/y.png"),
        ({"type": "avatar", "image_url": "https://x/y.png"}, "https://x/y.png"),
        ({"type": "avatar", "image_url": None}, None),
        ({"type": "avatar"}, None),
        (["https://x/y.png"], None),
    ],
)
def test_an_avatar_may_have_either_shape(avatar: object, address: str | None) -> None:
    assert a_contact_answer(avatar=avatar).avatar == address


@pytest.mark.parametrize("cleared", ["", None, "  "])
def test_a_cleared_e_mail_is_none_in_every_spelling(cleared: str | None) -> None:
    assert a_contact_answer(email=cleared).email is None


@pytest.mark.parametrize(
    ("raw", "told"), [(True, True), (False, False), (None, None), ("true", None), (1, None)]
)
def test_an_opt_out_that_is_told_neither_way_is_no_false(raw: object, told: bool | None) -> None:
    assert a_contact_answer(unsubscribed_from_emails=raw).unsubscribed_from_emails is told


def test_e_mails_are_lower_case_and_texts_are_trimmed() -> None:
    contact = a_contact_answer(email=" Ada@Example.com ", name=" Ada\x00 L. ", phone="")

    assert (contact.email, contact.name, contact.phone) == ("ada@example.com", "Ada L.", None)


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        (None, None),
        ("", None),
        (1_700_000_000, 1_700_000_000),
        (1_700_000_000.9, 1_700_000_000),
        ("1700000000", 1_700_000_000),
        (1_700_000_000_123, 1_700_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T23:13:20.500+01:00", 1_700_000_000),
        (0, 0),
    ],
)
def test_times_are_whole_seconds_however_they_are_told(raw: object, seconds: int | None) -> None:
    assert a_contact_answer(last_seen_at=raw).last_seen_at == seconds


@pytest.mark.parametrize("raw", [True, [1], {"at": 1}, "soon", "nan", float("inf")])
def test_what_is_no_time_is_refused(raw: object) -> None:
    with pytest.raises(ValidationError):
        a_contact_answer(last_seen_at=raw)


def test_custom_attributes_keep_their_types_and_objects_are_left_out() -> None:
    raw = {"s": " x ", "i": 0, "f": 1.5, "b": False, "n": None, "e": "", "o": {"type": "Order"}}

    assert a_contact_answer(custom_attributes=raw).custom_attributes == {
        "s": "x",
        "i": 0,
        "f": 1.5,
        "b": False,
        "n": None,
        "e": None,
    }
    assert type(a_contact_answer(custom_attributes={"b": True}).custom_attributes["b"]) is bool


@pytest.mark.parametrize(
    ("companies", "complete"),
    [
        (None, False),
        ({"data": [], "total_count": 0, "has_more": False}, True),
        ({"data": [{"id": "c1"}], "total_count": 1, "has_more": False}, True),
        ({"data": [{"id": "c1"}], "total_count": 2, "has_more": False}, False),
        ({"data": [{"id": "c1"}], "has_more": True}, False),
        ({"data": [{"id": "c1"}]}, True),
        ({"data": [{"id": f"c{n}"} for n in range(10)]}, False),
    ],
)
def test_companies_are_complete_only_if_intercom_says_so(companies: object, complete: bool) -> None:
    assert a_contact_answer(companies=companies).companies_complete is complete


@pytest.mark.parametrize("place", [None, [], {}, {"type": "location", "country": None}])
def test_a_place_may_tell_nothing(place: object) -> None:
    contact = a_contact_answer(location=place)

    assert (contact.located_time_zone, contact.country_code) == (None, None)


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pages", "cursor"),
    [
        (None, None),
        ({"type": "pages", "page": 1}, None),
        ({"next": None}, None),
        ({"next": {"per_page": 50, "starting_after": "abc"}}, "abc"),
        ({"next": "https://api.intercom.io/contacts?per_page=50&starting_after=abc"}, "abc"),
    ],
)
def test_a_cursor_may_be_absent_an_object_or_an_address(pages: object, cursor: str | None) -> None:
    page = ContactListPayload.model_validate({"data": [], "pages": pages}).domain()

    assert page.next == cursor


@pytest.mark.parametrize(
    "shape", [ContactListPayload, CompanyListPayload, CompanyScrollPayload, AttributeListPayload]
)
def test_a_list_that_was_not_told_is_not_empty(shape: type[Payload[Any]]) -> None:
    with pytest.raises(ValidationError):
        shape.model_validate({"type": "list"})


@pytest.mark.parametrize("key", ["data", "companies"])
def test_a_contacts_companies_stand_under_either_key(key: str) -> None:
    page = CompanyListPayload.model_validate({key: [{"id": "c1"}]}).domain()

    assert [company.id for company in page.companies] == ["c1"]
    assert page.next is None


@pytest.mark.parametrize(
    ("pages", "following"),
    [
        ({"next": None, "page": 1, "total_pages": 1}, None),
        (
            {"next": "https://elsewhere.example/contacts/x/companies?page=2&per_page=50"},
            {"page": "2", "per_page": "50"},
        ),
        ({"next": None, "page": 1, "total_pages": 3}, {"page": "2"}),
    ],
)
def test_the_next_page_is_asked_of_our_host_with_the_parameters_told(
    pages: object, following: dict[str, str] | None
) -> None:
    assert (
        CompanyListPayload.model_validate({"data": [], "pages": pages}).domain().next == following
    )


# --- companies, attributes, workspace -------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        ({}, None),
        (None, None),
        ("team", "team"),
        ({"type": "plan", "id": 1, "name": "team"}, "team"),
    ],
)
def test_a_plan_is_a_name_an_object_or_nothing(plan: object, name: str | None) -> None:
    assert CompanyPayload.model_validate({"id": "c1", "plan": plan}).domain().plan == name


@pytest.mark.parametrize(("raw", "whole"), [(79.9, 79), ("80", 80), (None, None), ("", None)])
def test_monthly_spend_is_whole(raw: object, whole: int | None) -> None:
    company = CompanyPayload.model_validate({"id": "c1", "monthly_spend": raw}).domain()

    assert company.monthly_spend == whole


def test_attributes_are_read_whether_standard_or_custom() -> None:
    raw = {
        "data": [
            {"name": "email", "model": "contact", "data_type": "string", "custom": False},
            {
                "id": 4,
                "name": "seats",
                "model": "contact",
                "data_type": "integer",
                "archived": True,
            },
        ]
    }
    standard, custom = AttributeListPayload.model_validate(raw).domain()

    assert (standard.id, standard.custom, standard.api_writable) == (None, False, True)
    assert (custom.id, custom.custom, custom.archived) == (4, True, True)


def test_a_workspace_that_is_not_told_is_an_error() -> None:
    with pytest.raises(ValidationError):
        MePayload.model_validate({"type": "admin", "id": "1", "app": None})


@pytest.mark.parametrize("key", ["type", "object"])
def test_short_answers_name_their_kind_either_way(key: str) -> None:
    receipt = ReceiptPayload.model_validate({key: "contact", "id": ID, "archived": True}).domain()

    assert (receipt.archived, receipt.deleted) == (True, False)


# --- bodies ---------------------------------------------------------------------------------------


def test_a_body_holds_what_the_patch_holds() -> None:
    assert body_of(ContactPatch({"name": None})) == {"name": None}
    assert body_of(ContactPatch(custom={"plan": "x"})) == {"custom_attributes": {"plan": "x"}}
    assert body_of(CompanyPatch({"name": "Acme"}), company_id="3") == {
        "company_id": "3",
        "name": "Acme",
    }


# --- answers --------------------------------------------------------------------------------------


def test_a_wrong_shape_names_endpoint_request_and_place_and_no_value() -> None:
    with pytest.raises(WrongShape) as wrong:
        read({"id": ID, "role": "user", "last_seen_at": "ada@example.com"})

    assert str(wrong.value) == (
        "GET /contacts/{id}: 200: the answer has not the shape that the API promises "
        "(last_seen_at: value_error) (request r-1)"
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": "67', b"\xff\xfe"])
def test_a_success_that_is_no_json_is_a_lost_answer(body: bytes) -> None:
    with pytest.raises(NotFromIntercom) as lost:
        read(body)
    assert not lost.value.may_have_landed

    with pytest.raises(NotFromIntercom) as lost:
        read_response(ContactPayload, CREATE_CONTACT, an_answer(body))
    assert lost.value.may_have_landed


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("unauthorized", Unauthorized),
        ("rate_limit_exceeded", RateLimited),
        ("server_error", ServerError),
        ("never_heard_of", WrongShape),
    ],
)
def test_an_error_list_that_calls_itself_a_success_is_an_error(
    code: str, kind: type[IntercomError]
) -> None:
    with pytest.raises(kind):
        read({"type": "error.list", "request_id": None, "errors": [{"code": code}]})


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"null", b'{"errors": 3}'])
def test_an_error_without_a_body_of_intercoms_still_is_one(body: bytes) -> None:
    with pytest.raises(ServerError, match=r"502: no reason was given, .* \(request r-1\)"):
        read(body, 502)
    with pytest.raises(Unauthorized, match=r"401: no reason was given, .* \(request r-1\)"):
        read(body, 401)


@pytest.mark.parametrize("body", [b"", b"<html>Not found</html>", b"null", b'{"errors": 3}'])
@pytest.mark.parametrize("status", [301, 302, 307, 308, 403, 404, 410])
def test_a_gateways_page_forbids_nothing_and_no_contact_is_missing_by_it(
    status: int, body: bytes
) -> None:
    with pytest.raises(NotFromIntercom, match=str(status)):
        read(body, status)


def test_what_stands_instead_of_json_is_named_and_not_quoted() -> None:
    page = b"<html>ada@example.com, please sign in</html>"
    answer = HttpResponse(200, {"content-type": "text/html; charset=utf-8"}, page)
    with pytest.raises(NotFromIntercom) as lost:
        read_response(ContactPayload, GET_CONTACT, answer)

    assert "the answer is no JSON but 44 bytes of text/html" in str(lost.value)


def test_a_conflict_is_read_from_a_real_body() -> None:
    message = f"A contact matching those details already exists with id={ID}"
    body = {
        "type": "error.list",
        "request_id": "r-2",
        "errors": [{"code": "conflict", "message": message}],
    }
    with pytest.raises(Conflict) as conflict:
        read(body, 409)
    assert conflict.value.contact_id == ID


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
FIELDS = st.sampled_from(list(ContactPayload.model_fields))


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(FIELDS, JSON, max_size=4), st.sampled_from([200, 202, 302, 400, 409, 429, 500])
)
def test_whatever_json_comes_ends_as_a_contact_or_as_an_error(
    body: dict[str, Any], status: int
) -> None:
    with suppress(IntercomError):
        assert isinstance(read(body, status), Contact)


@pytest.mark.parametrize(
    ("told", "tags"),
    [
        ({}, None),
        ({"tags": None}, None),
        ({"tags": {"type": "tag.list"}}, None),
        ({"tags": {"type": "tag.list", "tags": []}}, {}),
        (
            {"tags": {"tags": [{"type": "tag", "id": 5, "name": " VIP "}, {"id": "6"}]}},
            {"VIP": "5"},
        ),
    ],
)
def test_tags_of_a_company_that_are_not_told_are_unknown_and_not_none(
    told: dict[str, object], tags: dict[str, str] | None
) -> None:
    assert CompanyPayload.model_validate({"id": "c1", **told}).domain().tags == tags
