"""Which error an answer becomes: row by row, and totality.

docs/dev/intercom-facts.md#errors
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom_assets.intercom.errors import (
    Conflict,
    Forbidden,
    IntercomError,
    Invalid,
    LeaseRanOut,
    Merged,
    NotFound,
    NotFromIntercom,
    NotRestorable,
    PlanRestricted,
    RateLimited,
    Refusal,
    Rejected,
    ScopeMissing,
    ScrollOpen,
    ServerError,
    Unauthorized,
    Unavailable,
    UnknownAttribute,
    UnknownConflict,
    VersionUnknown,
    WrongShape,
    error_for,
)

ID = "6762f0dd1bb69f9f2193bb83"

TABLE = [
    (400, "bad_request", "bad 'test' parameter", Invalid),
    (400, "bad_request", "User has been merged and is not restorable.", NotRestorable),
    (
        400,
        "bad_request",
        "User has been marked for permanent deletion and is not restorable.",
        NotRestorable,
    ),
    (400, "not_restorable", "", NotRestorable),
    (400, "client_error", "Contact with user role can't be converted to a lead", Invalid),
    (400, "client_error", "Invalid starting_after param. Please try again", Invalid),
    (400, "parameter_invalid", "The owner specified is not a member of the workspace", Invalid),
    (400, "parameter_invalid", "Custom attribute 'isOpenSource' does not exist", UnknownAttribute),
    (400, "parameter_not_found", "company not specified", Invalid),
    (400, "contact_company_limit_exceeded", "Contact has reached the maximum of 1000", Invalid),
    (400, "invalid_merge", "Merging can only be performed on a lead into a user", Invalid),
    (400, "invalid_sort_order", "Invalid sort order 'desc'.", Invalid),
    (400, "invalid_query", "Invalid query.", Invalid),
    (400, "invalid_field", "not_a_field is not a valid field", Invalid),
    (400, "invalid_operator", "email does not support operator: >", Invalid),
    (400, "invalid_value", "123 is not a valid string", Invalid),
    (400, "invalid_values", None, Invalid),
    (400, "intercom_version_invalid", "The requested version could not be found", VersionUnknown),
    (400, "scroll_exists", "scroll already exists for this workspace", ScrollOpen),
    (400, "tag_has_dependent_objects", "", Invalid),
    (400, None, "", Invalid),
    (401, "unauthorized", "Access Token Invalid", Unauthorized),
    (401, "token_unauthorized", "Not authorized to access resource", Unauthorized),
    (401, "token_revoked", "", Unauthorized),
    (401, "token_blocked", "", Unauthorized),
    (401, "token_not_found", "", Unauthorized),
    (401, "token_expired", "", Unauthorized),
    (401, "missing_authorization", "", Unauthorized),
    (401, None, "", Unauthorized),
    (402, "api_plan_restricted", "Active subscription needed.", PlanRestricted),
    (403, "api_plan_restricted", "Active subscription needed.", PlanRestricted),
    (403, "forbidden", "", ScopeMissing),
    (403, "action_forbidden", "", ScopeMissing),
    (403, None, "<html>a firewall", Forbidden),
    (404, "not_found", "User Not Found", NotFound),
    (404, "company_not_found", "Company Not Found", NotFound),
    (404, "tag_not_found", "", NotFound),
    (404, "field_not_found", "We couldn't find that data attribute to update", NotFound),
    (404, "job_not_found", "", NotFound),
    (404, "admin_not_found", "", NotFound),
    (404, None, "", NotFound),
    (405, None, "", Invalid),
    (406, "media_type_not_acceptable", "The Accept header should send", Invalid),
    (408, "request_timeout", "", ServerError),
    (408, "Request Timeout", "", ServerError),
    (409, "conflict", f"A contact matching those details already exists with id={ID}", Conflict),
    (
        409,
        "conflict",
        f"An archived contact matching those details already exists with id={ID}",
        Conflict,
    ),
    (409, "conflict", "Somebody was quicker", UnknownConflict),
    (409, "resource_conflict", "", UnknownConflict),
    (409, "unique_user_constraint", "", UnknownConflict),
    (410, "contact_merged", "This contact has been merged.", NotFound),
    (413, None, "", Invalid),
    (422, "data_invalid", "has a dependant object", Invalid),
    (422, "parameter_invalid", "Custom attribute 'plan tier' does not exist", UnknownAttribute),
    (422, "parameter_not_found", "", Invalid),
    (422, "validation_error", "", Invalid),
    (422, "unprocessable_entity", "", Invalid),
    (425, None, "", ServerError),
    (429, "rate_limit_exceeded", "Exceeded rate limit of 83 in 10_seconds", RateLimited),
    (429, "too_many_requests", "", RateLimited),
    (429, None, "", RateLimited),
    (500, "server_error", "Server Error", ServerError),
    (502, None, "", ServerError),
    (503, "service_unavailable", "the API service is temporarily unavailable", ServerError),
    (504, "server_timeout", "Server timed out when making request", ServerError),
    (599, "something_new", "", ServerError),
    (302, None, "", NotFromIntercom),
    (100, None, "", WrongShape),
]


@pytest.mark.parametrize(("status", "code", "message", "kind"), TABLE)
def test_each_row_of_the_table_has_its_error(
    status: int, code: str | None, message: str | None, kind: type[IntercomError]
) -> None:
    refusal = Refusal(message or "", status, code, request_id="r-1", endpoint="GET /contacts/{id}")

    error = error_for(refusal)

    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "r-1")
    assert str(status) in str(error)
    assert "GET /contacts/{id}" in str(error)
    assert "r-1" in str(error)


@settings(deadline=None)
@given(
    st.integers(-1, 1200),
    st.none() | st.text() | st.sampled_from([row[1] for row in TABLE]),
    st.text() | st.sampled_from([row[2] or "" for row in TABLE]),
    st.text(),
)
def test_every_status_code_and_prose_has_an_error(
    status: int, code: str | None, message: str, link: str
) -> None:
    error = error_for(Refusal(message, status, code, link=link))

    assert isinstance(error, Rejected | Unavailable)
    assert isinstance(error, Unavailable) or status not in range(500, 600)
    assert str(error)


def test_only_errors_that_concern_every_call_are_fatal() -> None:
    fatal = {type(error_for(Refusal("", row[0], row[1]))) for row in TABLE}

    assert {kind for kind in fatal if kind.fatal} == {
        Unauthorized,
        PlanRestricted,
        ScopeMissing,
        VersionUnknown,
    }


def test_a_conflict_names_the_live_contact() -> None:
    message = f"A contact matching those details already exists with id={ID}"
    error = error_for(Refusal(message, 409, "conflict"))

    assert isinstance(error, Conflict)
    assert (error.contact_id, error.archived) == (ID, False)


def test_a_conflict_tells_that_the_contact_is_archived() -> None:
    message = f"An archived contact matching those details already exists with id={ID}"
    error = error_for(Refusal(message, 409, "conflict"))

    assert isinstance(error, Conflict)
    assert (error.contact_id, error.archived) == (ID, True)


def test_a_conflict_in_other_words_is_quoted() -> None:
    error = error_for(Refusal("Somebody was quicker", 409, "conflict"))

    assert "Somebody was quicker" in str(error)


@pytest.mark.parametrize(
    "link",
    [
        f'</contacts/{ID}>; rel="canonical"',
        f"</contacts/{ID}>;rel=canonical",
        f'<https://api.intercom.io/contacts/{ID}>; rel="canonical"',
        f'</help>; rel="help", </contacts/{ID}>; rel="canonical"',
    ],
)
def test_a_merged_contact_names_its_successor(link: str) -> None:
    error = error_for(Refusal("This contact has been merged.", 410, "contact_merged", link=link))

    assert isinstance(error, Merged)
    assert error.into == ID


def test_an_unknown_attribute_is_named() -> None:
    refusal = Refusal("Custom attribute 'it's odd' does not exist", 400, "parameter_invalid")
    error = error_for(refusal)

    assert isinstance(error, UnknownAttribute)
    assert error.attribute == "it's odd"


def test_e_mail_addresses_are_taken_out_of_the_prose() -> None:
    error = error_for(Refusal("'ada@example.com' is not a valid email", 400, "parameter_invalid"))

    assert "ada@example.com" not in f"{error} {error.message} {error!r}"
    assert "is not a valid email" in error.message


def test_a_lease_that_ran_out_is_neither_rejected_nor_unavailable() -> None:
    assert not issubclass(LeaseRanOut, Rejected | Unavailable)
