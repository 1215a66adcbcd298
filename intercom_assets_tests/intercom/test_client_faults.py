"""The request path under misfortune: what is repeated, what is not, who waits, what is shown."""

import logging

import pytest

from intercom_assets.domain.models import CompanyPatch, ContactPatch
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import (
    ConnectionFailed,
    LeaseRanOut,
    NotFound,
    NotFromIntercom,
    PlanRestricted,
    RateLimited,
    ServerError,
    Unauthorized,
    Unavailable,
    VersionUnknown,
)
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.intercom.conftest import Moment, NewClient

ADA = ContactPatch({"role": "user", "external_id": "7", "email": "ada@example.com"})
LOST = [
    pytest.param({"kind": "lost_reply"}, ConnectionFailed, id="no reply"),
    pytest.param({"kind": "error", "status": 500, "when": "after"}, ServerError, id="500"),
    pytest.param({"kind": "truncated_json"}, NotFromIntercom, id="cut off"),
    pytest.param(
        {"kind": "wrong_content_type", "when": "after"}, NotFromIntercom, id="a proxy's page"
    ),
    pytest.param({"kind": "slow_body", "seconds": 30}, ConnectionFailed, id="dripping"),
]


@pytest.mark.parametrize(("fault", "kind"), LOST)
def test_a_create_whose_answer_was_lost_is_not_repeated(
    client: IntercomClient, intercom: Simulator, fault: dict[str, object], kind: type[Unavailable]
) -> None:
    intercom.set(faults=[fault])

    with pytest.raises(kind) as lost:
        client.create_contact(ADA)

    assert lost.value.may_have_landed
    assert len(client.calls) == 1
    assert len(intercom.contacts()) == 1


@pytest.mark.parametrize(("fault", "kind"), LOST)
def test_a_merge_whose_answer_was_lost_is_not_repeated(
    client: IntercomClient, intercom: Simulator, fault: dict[str, object], kind: type[Unavailable]
) -> None:
    user = client.create_contact(ADA)
    lead = client.create_contact(ContactPatch({"role": "lead", "email": "ada@example.com"}))
    intercom.set(faults=[fault | {"endpoint": "POST /contacts/merge"}])

    with pytest.raises(kind) as lost:
        client.merge_contacts(lead.id, user.id)

    assert lost.value.may_have_landed
    assert [call.path_template for call in client.calls].count("/contacts/merge") == 1


@pytest.mark.parametrize(("fault", "kind"), LOST)
def test_what_can_land_twice_is_repeated_until_it_is_answered(
    client: IntercomClient, intercom: Simulator, fault: dict[str, object], kind: type[Unavailable]
) -> None:
    contact = client.create_contact(ADA)
    company = client.upsert_company("3", CompanyPatch({"name": "Acme"}))

    for call in (
        lambda: client.get_contact(contact.id),
        lambda: client.update_contact(contact.id, ContactPatch({"name": "Ada"})),
        lambda: client.upsert_company("3", CompanyPatch({"size": 1})),
        lambda: client.attach_company(contact.id, company.id),
        lambda: client.archive_contact(contact.id),
        lambda: client.unarchive_contact(contact.id),
        lambda: list(client.list_contacts()),
        lambda: client.me(),
    ):
        intercom.set(faults=[fault])
        before = len(client.calls)
        call()
        assert len(client.calls) == before + 2

    assert client.counters().retries == 8


@pytest.mark.parametrize(("fault", "kind"), LOST)
def test_a_removal_that_landed_unanswered_is_not_found_when_it_is_repeated(
    client: IntercomClient, intercom: Simulator, fault: dict[str, object], kind: type[Unavailable]
) -> None:
    contact = client.create_contact(ADA)
    company = client.upsert_company("3", CompanyPatch({"name": "Acme"}))
    client.attach_company(contact.id, company.id)

    for remove in (
        lambda: client.detach_company(contact.id, company.id),
        lambda: client.delete_contact(contact.id),
    ):
        intercom.set(faults=[fault])
        with pytest.raises(NotFound):
            remove()


def test_a_create_that_was_dropped_before_it_was_read_still_counts_as_doubtful(
    client: IntercomClient, intercom: Simulator
) -> None:
    intercom.set(faults=[{"kind": "dropped_connection"}])

    with pytest.raises(ConnectionFailed) as lost:
        client.create_contact(ADA)
    assert lost.value.may_have_landed


def test_a_lost_read_leaves_nothing_in_doubt(client: IntercomClient, intercom: Simulator) -> None:
    intercom.set(faults=[{"kind": "lost_reply", "count": None}])

    with pytest.raises(ConnectionFailed) as lost:
        client.get_contact("0" * 24)
    assert not lost.value.may_have_landed
    assert len(client.calls) == 4


def test_a_server_error_that_stays_is_let_through_with_its_request(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    intercom.set(faults=[{"kind": "error", "status": 503, "count": None}])

    with pytest.raises(ServerError) as failed:
        client.me()

    assert (failed.value.status, failed.value.code) == (503, "service_unavailable")
    assert failed.value.request_id == client.calls[-1].request_id
    assert failed.value.endpoint == "GET /me"
    assert len(client.calls) == 4
    assert 2.6 <= moment.now <= 5


def test_after_a_429_the_client_waits_for_the_next_window_and_creates_once(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    client.me()
    intercom.set(faults=[{"kind": "rate_limit"}])

    client.create_contact(ADA)

    assert [call.status for call in client.calls] == [200, 429, 200]
    assert 7 <= moment.now <= 10.2, "windows end 8.5 s after the start"
    assert len(intercom.contacts()) == 1
    assert client.counters().rate_limited == 1
    assert client.counters().seconds_waited >= 7


def test_a_429_that_never_ends_is_let_through_after_a_minute(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    intercom.set(faults=[{"kind": "rate_limit", "count": None}])

    with pytest.raises(RateLimited):
        client.me()
    assert 50 <= moment.now <= 80
    assert len(client.calls) <= 8, "one a window"


def test_a_limit_is_kept_without_ever_being_refused(
    new_client: NewClient, intercom: Simulator, moment: Moment
) -> None:
    intercom.set(rate_limit_per_window=20)
    client = new_client(rate_share=1.0)

    for _ in range(70):
        client.me()

    assert client.counters().rate_limited == 0
    assert 30 <= moment.now <= 42
    assert client.counters().limit == 20


def test_clients_of_one_token_share_one_limiter(
    new_client: NewClient, intercom: Simulator, moment: Moment
) -> None:
    intercom.set(rate_limit_per_window=20)
    clients = [new_client(rate_share=1.0) for _ in range(4)]

    for _ in range(15):
        for client in clients:
            client.me()

    assert sum(client.counters().rate_limited for client in clients) == 0
    assert intercom.stats()["peak_per_window"] <= 20


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "error", "status": 401}, Unauthorized),
        ({"kind": "error", "status": 403}, PlanRestricted),
        ({"kind": "error", "status": 400, "code": "intercom_version_invalid"}, VersionUnknown),
    ],
)
def test_what_concerns_every_call_is_fatal_and_not_repeated(
    client: IntercomClient, intercom: Simulator, fault: dict[str, object], kind: type[Unauthorized]
) -> None:
    intercom.set(faults=[fault | {"count": None}])

    with pytest.raises(kind) as refused:
        client.me()
    assert refused.value.fatal
    assert len(client.calls) == 1


def test_a_version_that_intercom_does_not_know_is_fatal(new_client: NewClient) -> None:
    with pytest.raises(VersionUnknown):
        new_client(version="9.9").me()


def test_a_wrong_token_is_fatal(new_client: NewClient) -> None:
    with pytest.raises(Unauthorized):
        new_client("another-token").me()


def test_without_a_token_nothing_is_asked(new_client: NewClient, intercom: Simulator) -> None:
    client = new_client("")

    with pytest.raises(Unauthorized, match="no access token"):
        client.me()
    assert client.calls == []
    assert intercom.stats()["calls"] == 0


# --- leases ---------------------------------------------------------------------------------------


def test_no_call_starts_that_could_outlast_its_lease(
    client: IntercomClient, moment: Moment
) -> None:
    client.with_deadline(moment.now + 20).me()

    with pytest.raises(LeaseRanOut):
        client.with_deadline(moment.now + 17).me()


def test_a_lease_is_asked_for_anew_before_each_call(client: IntercomClient, moment: Moment) -> None:
    lease = [moment.now + 17]
    scoped = client.with_deadline(lambda: lease[0])

    with pytest.raises(LeaseRanOut):
        scoped.me()
    lease[0] += 10
    scoped.me()


def test_a_wait_that_the_lease_does_not_allow_is_not_begun(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    client.me()
    intercom.set(faults=[{"kind": "rate_limit"}])
    began = moment.now

    with pytest.raises(RateLimited):
        client.with_deadline(moment.now + 20).me()
    assert moment.now - began < 1


def test_when_the_lease_ends_between_attempts_the_first_failure_is_told(
    client: IntercomClient, intercom: Simulator, moment: Moment
) -> None:
    contact = client.create_contact(ADA)
    intercom.set(faults=[{"kind": "lost_reply", "count": None}])

    with pytest.raises(ConnectionFailed) as lost:
        client.with_deadline(moment.now + 19).update_contact(
            contact.id, ContactPatch({"name": "Ada"})
        )
    assert lost.value.may_have_landed


def test_each_scope_lists_its_own_calls(client: IntercomClient) -> None:
    first, second = client.with_deadline(None), client.with_deadline(None)
    first.create_contact(ADA)
    with pytest.raises(NotFound):
        second.get_contact("0" * 24)

    assert [(c.method, c.path_template, c.status) for c in first.calls] == [
        ("POST", "/contacts", 200)
    ]
    assert [(c.path_template, c.status) for c in second.calls] == [("/contacts/{id}", 404)]
    assert client.calls == []
    assert client.counters().calls == {"POST /contacts": 1, "GET /contacts/{id}": 1}


# --- what is told ---------------------------------------------------------------------------------


def test_logs_and_errors_hold_no_body_no_e_mail_and_no_token(
    client: IntercomClient, intercom: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    intercom.set(faults=[{"kind": "error", "endpoint": "PUT *", "message": "ada@example.com!"}])

    contact = client.create_contact(ADA)
    client.update_contact(contact.id, ContactPatch({"name": "Ada Lovelace"}))
    with pytest.raises(NotFound) as missing:
        client.find_contact("eve@example.com")

    shown = "\n".join([caplog.text, repr(client), str(missing.value), repr(missing.value)])
    assert "POST /contacts: 200, attempt 1" in shown
    assert "ServerError 500, attempt 1, again in" in shown
    for secret in ("demo-token", "@example.com", "Lovelace"):
        assert secret not in shown


def test_a_lost_call_does_not_drag_the_url_into_the_traceback(
    client: IntercomClient, intercom: Simulator
) -> None:
    intercom.set(faults=[{"kind": "lost_reply", "count": None}])

    with pytest.raises(ConnectionFailed) as lost:
        client.find_contact("eve@example.com")
    assert lost.value.__cause__ is None
    assert lost.value.__context__ is None or lost.value.__suppress_context__
    assert (
        str(lost.value)
        == "GET /contacts/find_by_external_id/{external_id}: no answer (TimeoutError)"
    )
