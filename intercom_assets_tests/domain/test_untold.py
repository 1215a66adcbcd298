"""A field that Intercom never tells: decided on what was sent last, and only with an e-mail."""

from typing import Any

import pytest

from intercom_assets.domain.decisions import Decision, FieldInputs, Freshness
from intercom_assets.domain.fields import USER_FIELDS, Field, Policy, intercom_values
from intercom_assets.domain.models import Contact, Kind, LeftOut, Reason, Side, UserLink, Value
from intercom_assets.domain.reconcile import landed, reconcile
from intercom_assets.domain.untold import patched, sent_now

BY_NAME = {field.name: field for field in USER_FIELDS}
EMAIL, NAME, VERIFIED = (BY_NAME[name] for name in ("email", "name", "email_verified"))
ADA = "ada@example.com"
KEY = "sent: email_verified"


def decided(
    verified: Value,
    sent: Value = None,
    email: Value = ADA,
    there: Value = ADA,
    **more: Any,
) -> dict[str, Decision]:
    """`sent`: the last one; `there`: Intercom's e-mail."""
    inputs = FieldInputs(
        base={"email": there} if sent is None else {"email": there, KEY: sent},
        app={"email": email, "email_verified": verified},
        intercom={"email": there, "email_verified": None},
        look=Freshness.STALE,
        **more,
    )
    found = reconcile((EMAIL, VERIFIED), inputs)
    return {decision.field.name: decision for decision in found.decisions}


@pytest.mark.parametrize(
    ("verified", "sent"), [(True, None), (False, None), (False, True), (True, False), (None, True)]
)
def test_another_word_than_the_last_one_is_sent_at_once(verified: Value, sent: Value) -> None:
    decision = decided(verified, sent)["email_verified"]

    assert (decision.write_to, decision.deferred, decision.overruled) == (
        Side.INTERCOM,
        False,
        False,
    )
    assert (decision.value, decision.app, decision.intercom) == (verified, verified, sent)
    assert decision.why == "the app owns it"


@pytest.mark.parametrize("verified", [True, False, None])
def test_the_same_word_is_not(verified: Value) -> None:
    decision = decided(verified, sent=verified)["email_verified"]

    assert (decision.write_to, decision.why) == (None, "equal")
    assert (decision.value, decision.app, decision.intercom) == (verified, verified, verified)


@pytest.mark.parametrize("verified", [True, False])
def test_a_new_e_mail_brings_it_along(verified: Value) -> None:
    both = decided(verified, sent=verified, there="old@example.com")

    assert both["email"].write_to is Side.INTERCOM
    assert both["email_verified"].write_to is Side.INTERCOM
    assert both["email_verified"].why == "goes with the e-mail"


def test_what_says_nothing_is_not_brought_along() -> None:
    assert decided(None, there="old@example.com")["email_verified"].write_to is None


def test_an_e_mail_that_is_cleared_brings_nothing_along() -> None:
    both = decided(True, sent=True, email=None)

    assert both["email"].write_to is Side.INTERCOM
    assert both["email_verified"].write_to is None


def test_other_fields_bring_nothing_along_and_are_not_brought() -> None:
    inputs = FieldInputs(
        base={"email": ADA, KEY: True, "name": "Ada"},
        app={"email": ADA, "email_verified": True, "name": "Ada L."},
        intercom={"email": ADA, "email_verified": None, "name": "Ada"},
        look=Freshness.FRESH,
    )
    assert dict(reconcile((EMAIL, VERIFIED, NAME), inputs).to_intercom) == {"name": "Ada L."}
    moved = FieldInputs(
        base={**inputs.base, "name": "Ada L."},
        app={**inputs.app, "email": "new@example.com"},
        intercom={**inputs.intercom, "name": "Ada L."},
        look=Freshness.FRESH,
    )
    assert dict(reconcile((EMAIL, VERIFIED, NAME), moved).to_intercom) == {
        "email": "new@example.com",
        "email_verified": True,
    }


def test_without_an_e_mail_it_waits() -> None:
    decision = decided(True, email=None, there=None)["email_verified"]

    assert (decision.write_to, decision.left_out) == (None, False)
    assert decision.why == "goes with an e-mail only, and the app has none"
    assert (decision.app, decision.intercom) == (True, None)


@pytest.mark.parametrize(
    ("left_out", "goes"),
    [
        (LeftOut(Reason.REFUSED, "taken", ADA), False),
        (LeftOut(Reason.REFUSED, "taken", "other@example.com"), True),
        (LeftOut(Reason.UNFIT, "is odd"), False),
    ],
)
def test_where_the_e_mail_is_left_out_it_waits_too(left_out: LeftOut, goes: bool) -> None:
    decision = decided(True, left_out={"email": left_out})["email_verified"]

    assert (decision.write_to is Side.INTERCOM) is goes
    if not goes:
        assert decision.why == "goes with the e-mail only, which is left out"
        assert (decision.value, decision.app, decision.intercom) == (True, True, None)


@pytest.mark.parametrize(
    ("left_out", "goes"),
    [
        (LeftOut(Reason.REFUSED, "no such parameter", True), False),
        (LeftOut(Reason.REFUSED, "no such parameter", False), True),
        (LeftOut(Reason.UNWRITABLE, "nobody can", True), True),
    ],
)
def test_a_word_that_was_refused_is_not_sent_again(left_out: LeftOut, goes: bool) -> None:
    decision = decided(True, left_out={"email_verified": left_out})["email_verified"]

    assert (decision.write_to is Side.INTERCOM) is goes
    if not goes:
        assert (decision.why, decision.left_out) == ("left out: no such parameter", True)
        assert (decision.value, decision.app, decision.intercom) == (True, True, None)
    with_it = decided(True, there="old@example.com", left_out={"email_verified": left_out})
    assert with_it["email"].write_to is Side.INTERCOM
    assert (with_it["email_verified"].write_to is Side.INTERCOM) is goes


def test_an_attribute_of_that_name_that_both_sides_agreed_on_was_not_it() -> None:
    inputs = FieldInputs(
        base={"email": ADA, "email_verified": True},
        app={"email": ADA, "email_verified": True},
        intercom={"email": ADA, "email_verified": None},
        look=Freshness.STALE,
    )

    assert dict(reconcile((EMAIL, VERIFIED), inputs).to_intercom) == {"email_verified": True}


def test_what_was_sent_is_kept_under_a_key_of_its_own() -> None:
    sent = reconcile(
        (EMAIL, VERIFIED),
        FieldInputs(
            base={},
            app={"email": ADA, "email_verified": False},
            intercom={"email": None, "email_verified": None},
            look=Freshness.FRESH,
        ),
    ).decisions

    assert sent_now(sent) == {KEY: False}


def test_intercoms_side_of_it_is_never_read() -> None:
    assert intercom_values([VERIFIED], Contact("c", "user")) == {"email_verified": None}
    assert [field.name for field in USER_FIELDS if not field.told] == ["email_verified"]


def test_what_was_in_flight_is_not_taken_for_landed() -> None:
    link = UserLink(
        "7",
        base={"email_verified": False},
        in_flight={"email_verified": True, "before: email_verified": False},
    )

    assert landed(link, BY_NAME, {"email_verified": None}, {}) == {"email_verified": False}


def test_the_apps_e_mail_is_sent_beside_it() -> None:
    app: dict[str, Value] = {"email": ADA, "email_verified": True}

    assert patched({"email_verified": True}, app, [VERIFIED]) == {
        "email": ADA,
        "email_verified": True,
    }
    assert patched({"email": "", "email_verified": True}, app, [EMAIL, VERIFIED])["email"] == ""
    assert patched({"name": "Ada"}, app, [NAME]) == {"name": "Ada"}
    untold_elsewhere = Field("x", "x", Kind.BOOLEAN, Policy.APP, told=False)
    assert patched({"name": "Ada"}, app, [NAME, untold_elsewhere]) == {"name": "Ada"}
