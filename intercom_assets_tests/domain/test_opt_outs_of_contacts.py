"""What is remembered of an opt-out where the contact is another one, or was another person's."""

import pytest

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.decisions import FieldInputs, Freshness
from intercom_assets.domain.fields import UNSUBSCRIBED, USER_FIELDS, Field, Policy
from intercom_assets.domain.models import Contact, Kind, Side, Value, Values
from intercom_assets.domain.opt_outs import (
    KEY,
    OptOut,
    after_death,
    held_by,
    on_anothers_contact,
    opted_out_of,
    who_opted_out,
    with_word_of,
    words_on,
)
from intercom_assets.domain.reconcile import reconcile

APP, INTERCOM = Side.APP, Side.INTERCOM
OUT = Field("out", "out", Kind.BOOLEAN, Policy.OPT_OUT, custom=True, pulled=True)
PLAIN = Field("vip", "vip", Kind.BOOLEAN, Policy.APP, custom=True)
MAILS = next(field for field in USER_FIELDS if field.name == UNSUBSCRIBED)
GONE = OptOut(frozenset({INTERCOM}), untold=frozenset({INTERCOM}))


def decided(stored: str, app: Value, intercom: Value) -> tuple[Side | None, Value, Values]:
    """Where it is written, and as what; then what the base keeps."""
    inputs = FieldInputs({KEY + "out": stored}, {"out": app}, {"out": intercom}, Freshness.FRESH)
    first, *rest = reconcile([OUT], inputs).decisions
    return first.write_to, first.value, {each.field.name: each.value for each in rest}


class TestAnotherContactOfThePerson:
    @pytest.mark.parametrize("intercom", [None, False])
    def test_its_false_takes_nothing_back(self, intercom: Value) -> None:
        assert GONE.now(held_by(False, intercom)) == GONE

    def test_once_it_shows_the_opt_out_its_false_is_a_word_again(self) -> None:
        told = GONE.now(held_by(False, True))

        assert told == OptOut(frozenset({INTERCOM}))
        assert told.now(held_by(False, False)) == OptOut()

    def test_the_apps_false_is_its_word_as_ever(self) -> None:
        both = OptOut(frozenset({APP, INTERCOM}), untold=frozenset({INTERCOM}))

        assert both.now(held_by(False, False)) == GONE

    @pytest.mark.parametrize("app", [None, False, True])
    @pytest.mark.parametrize("intercom", [None, False])
    def test_it_is_opted_out_and_the_copy_in_the_app_stays(
        self, app: Value, intercom: Value
    ) -> None:
        to, value, kept = decided("intercom copied to app not yet in intercom", app, intercom)

        assert value is True
        assert to is (APP if app is not True else INTERCOM)
        assert "not yet in intercom" in str(kept[KEY + "out"])

    @pytest.mark.parametrize(
        ("stored", "old"), [("intercom not yet in intercom", None), ("app", False)]
    )
    def test_a_false_that_is_no_word_is_nothing_that_was_written_over(
        self, stored: str, old: Value
    ) -> None:
        inputs = FieldInputs({KEY + "out": stored}, {"out": True}, {"out": False}, Freshness.FRESH)

        first, *_ = reconcile([OUT], inputs).decisions

        assert (first.write_to, first.intercom) == (INTERCOM, old)

    def test_a_write_of_ours_leaves_it_to_what_is_read(self) -> None:
        assert GONE.written_to(APP, True) == OptOut(
            GONE.by, frozenset({APP}), frozenset({INTERCOM})
        )
        assert GONE.written_to(INTERCOM, True) == GONE

    @pytest.mark.parametrize("old", [None, False])
    def test_a_run_that_died_over_its_false_wrote_over_no_word(self, old: Value) -> None:
        assert GONE.copied_over(INTERCOM, old) == GONE

    def test_over_a_false_that_is_a_word_it_left_a_copy(self) -> None:
        known = OptOut(frozenset({INTERCOM}))

        assert known.copied_over(INTERCOM, False) == OptOut(copied_to=frozenset({INTERCOM}))
        assert known.copied_over(INTERCOM, None) == known

    def test_only_intercoms_word_is_to_be_told_to_the_next_contact(self) -> None:
        base = {KEY + "out": "app and intercom", KEY + "sms": "app copied to intercom"}

        kept = who_opted_out(base)

        assert kept == {KEY + "out": "app and intercom not yet in intercom", KEY + "sms": "app"}
        assert who_opted_out(kept) == kept


class TestARunThatDied:
    def test_what_the_app_did_not_store_is_no_copy(self) -> None:
        offered = Attempt("run", 0, pulled={"out": (False, True)}).note()

        assert after_death(offered, {"out": OUT}, {}, {}, {"out": False}) == {}
        assert after_death(offered, {"out": OUT}, {}, {}, {"out": True}) == {
            KEY + "out": "nobody copied to app"
        }

    def test_a_false_that_it_offered_made_no_copy(self) -> None:
        offered = Attempt("run", 0, pulled={"out": (True, False)}).note()

        assert after_death(offered, {"out": OUT}, {}, {}, {"out": True}) == {}

    def test_a_flag_of_another_policy_is_no_opt_out(self) -> None:
        assert after_death({"vip": True}, {"vip": PLAIN}, {}, {"vip": True}, {"vip": True}) == {}


def test_what_is_remembered_says_what_it_is() -> None:
    inputs = FieldInputs({}, {"out": True}, {"out": True}, Freshness.FRESH)

    _, memory = reconcile([OUT], inputs).decisions

    assert (memory.why, memory.write_to) == ("who opted out", None)


class TestAContactThatWasAnothers:
    @pytest.mark.parametrize(
        ("stored", "intercom", "kept"),
        [
            (None, True, "nobody copied to intercom"),
            (None, False, None),
            ("app", True, "app copied to intercom"),
            ("intercom not yet in intercom", True, "intercom not yet in intercom"),
            ("intercom not yet in intercom", False, "intercom not yet in intercom"),
        ],
    )
    def test_what_it_shows_is_no_word_of_whoever_gets_it(
        self, stored: str | None, intercom: Value, kept: str | None
    ) -> None:
        base: Values = {KEY + "out": stored} if stored else {}

        found = on_anothers_contact([PLAIN, OUT], base, {"out": intercom, "vip": True})

        assert found == ({KEY + "out": kept} if kept else {})

    def test_a_base_that_knew_of_none_keeps_what_it_shows(self) -> None:
        there: Values = {"out": True, "vip": True, UNSUBSCRIBED: False}

        assert words_on([PLAIN, OUT, MAILS], there) == {KEY + "out": "intercom"}

    def test_a_word_that_is_heard_of_a_copy_is_a_word(self) -> None:
        base: Values = {KEY + "out": "app copied to intercom"}

        assert with_word_of(INTERCOM, [OUT], base) == {KEY + "out": "app and intercom"}
        assert with_word_of(INTERCOM, [OUT], {KEY + "out": "intercom not yet in intercom"}) == {
            KEY + "out": "intercom"
        }


class TestWhatAContactOptedOutOf:
    def test_mails_count_also_where_the_mapping_does_not_select_them(self) -> None:
        contact = Contact("c", "lead", unsubscribed_from_emails=True)

        assert opted_out_of([PLAIN], contact) == [MAILS]

    def test_flags_of_the_policy_count_and_others_do_not(self) -> None:
        contact = Contact("c", "lead", custom_attributes={"out": True, "vip": True})

        assert opted_out_of([PLAIN, OUT], contact) == [OUT]

    @pytest.mark.parametrize("unsubscribed", [None, False])
    def test_nothing_else_is_an_opt_out(self, unsubscribed: bool | None) -> None:
        contact = Contact("c", "lead", unsubscribed_from_emails=unsubscribed, custom_attributes={})

        assert opted_out_of([OUT, MAILS], contact) == []

    def test_the_mappings_own_field_is_taken_if_it_has_one(self) -> None:
        stored = Field(UNSUBSCRIBED, UNSUBSCRIBED, Kind.BOOLEAN, Policy.OPT_OUT, pulled=True)

        assert opted_out_of([stored], Contact("c", "lead", unsubscribed_from_emails=True)) == [
            stored
        ]
