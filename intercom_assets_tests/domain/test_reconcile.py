"""Each policy in single situations: who wins, what waits for a fresh look, what is overruled.

That all of it settles is `test_settling.py`; the time zone is `test_zone_decisions.py`.
"""

from dataclasses import replace
from typing import Any

import pytest

from intercom_assets.domain.decisions import BEFORE, FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Kind, Side, UserLink, Value
from intercom_assets.domain.reconcile import landed, not_stored, reconcile
from intercom_assets_tests.domain.field_decisions import (
    CITY,
    NAME,
    NEVER,
    NICK,
    PLAN,
    SEEN,
    decide,
    outcome,
    plan_of,
)

EVERY = [PLAN, CITY, NAME, NICK]
UNKNOWN = [Freshness.STALE]


@pytest.mark.parametrize("field", EVERY, ids=lambda field: field.policy)
@pytest.mark.parametrize("look", Freshness)
@pytest.mark.parametrize("value", ["Ada", None])
def test_where_both_sides_have_the_same_there_is_nothing_to_do(
    field: Field, look: Freshness, value: Value
) -> None:
    decision = decide(field, app=value, intercom=value, base="other", look=look)

    assert outcome(decision) == "nothing"
    assert (decision.value, decision.overruled, decision.why) == (value, False, "equal")


class TestAppWins:
    @pytest.mark.parametrize("look", Freshness)
    @pytest.mark.parametrize("base", [NEVER, None, "team", "solo", "other"])
    def test_whatever_is_known_the_apps_value_goes_to_intercom_at_once(
        self, look: Freshness, base: Value
    ) -> None:
        known = {"base": base, "look": look}

        assert outcome(decide(PLAN, app="team", intercom="solo", **known)) == "to intercom: team"
        assert outcome(decide(PLAN, app=None, intercom="solo", **known)) == "to intercom: None"
        assert outcome(decide(PLAN, app="team", intercom=None, **known)) == "to intercom: team"

    def test_both_values_are_told_for_the_journal(self) -> None:
        decision = decide(PLAN, app="team", intercom="solo")

        assert (decision.field, decision.app, decision.intercom) == (PLAN, "team", "solo")
        assert decision.why == "the app owns it"


class TestIntercomWins:
    @pytest.mark.parametrize("base", [NEVER, None, "Rome", "Oslo"])
    def test_intercoms_value_goes_to_the_app(self, base: Value) -> None:
        decision = decide(CITY, app="Rome", intercom="Oslo", base=base)

        assert outcome(decision) == "to app: Oslo"
        assert decision.why == "Intercom owns it"

    def test_what_intercom_cleared_is_cleared_in_the_app(self) -> None:
        assert outcome(decide(CITY, app="Rome", intercom=None, base="Rome")) == "to app: None"

    @pytest.mark.parametrize("base", [NEVER, None])
    def test_what_intercom_never_had_comes_from_the_app(self, base: Value) -> None:
        decision = decide(CITY, app="Rome", intercom=None, base=base)

        assert outcome(decision) == "to intercom: Rome"
        assert decision.why == "Intercom has none"

    @pytest.mark.parametrize("look", UNKNOWN)
    @pytest.mark.parametrize("intercom", ["Oslo", None])
    def test_nothing_moves_on_what_is_only_remembered(
        self, look: Freshness, intercom: Value
    ) -> None:
        """Somebody may have typed a value there meanwhile, and the field is theirs."""
        assert decide(CITY, app="Rome", intercom=intercom, look=look).deferred


class TestUndone:
    """An operator took a write back: what both sides then held is nobody's edit."""

    @pytest.mark.parametrize("look", Freshness)
    @pytest.mark.parametrize("field", EVERY, ids=lambda field: field.policy)
    def test_it_stays_while_both_sides_are_as_the_undo_left_them(
        self, field: Field, look: Freshness
    ) -> None:
        undone = {field.name: ("Ada", "Bob")}
        decision = decide(field, app="Ada", intercom="Bob", base="Eve", look=look, undone=undone)

        assert outcome(decision) == "nothing"
        assert (decision.value, decision.app, decision.intercom) == ("Ada", "Ada", "Bob")
        assert decision.why == "reverted by an operator; it stays until one side changes"

    @pytest.mark.parametrize(("app", "intercom"), [("Zoe", "Bob"), ("Ada", "Zoe"), ("Bob", "Ada")])
    def test_it_ends_once_a_side_changes(self, app: str, intercom: str) -> None:
        undone = {"plan": ("Ada", "Bob")}

        decision = decide(PLAN, app=app, intercom=intercom, base="Ada", undone=undone)

        assert outcome(decision) == f"to intercom: {app}"

    def test_of_another_field_it_says_nothing(self) -> None:
        decision = decide(PLAN, app="Ada", intercom="Bob", undone={"nick": ("Ada", "Bob")})

        assert outcome(decision) == "to intercom: Ada"

    @pytest.mark.parametrize(("intercom", "overruled"), [("Bob", False), ("Zoe", True)])
    def test_what_it_left_in_intercom_is_no_edit_that_could_be_overruled(
        self, intercom: str, overruled: bool
    ) -> None:
        undone = {"plan": ("Ada", "Bob")}

        decision = decide(PLAN, app="New", intercom=intercom, base="Ada", undone=undone)

        assert decision.overruled is overruled

    @pytest.mark.parametrize(("app", "done"), [("Ada", "to app: Zoe"), ("New", "to intercom: New")])
    def test_what_it_left_in_the_app_has_not_moved_there(self, app: str, done: str) -> None:
        undone = {"nick": ("Ada", "Bob")}

        assert outcome(decide(NICK, app=app, intercom="Zoe", base="Bob", undone=undone)) == done


class TestFill:
    @pytest.mark.parametrize("look", Freshness)
    @pytest.mark.parametrize("base", [NEVER, None, "Ada", "Bob"])
    def test_the_apps_value_wins_at_once(self, look: Freshness, base: Value) -> None:
        known = {"base": base, "look": look}

        assert outcome(decide(NAME, app="Ada", intercom="Bob", **known)) == "to intercom: Ada"
        assert outcome(decide(NAME, app="Ada", intercom=None, **known)) == "to intercom: Ada"

    @pytest.mark.parametrize("base", [NEVER, None, "Ada"])
    def test_a_user_without_a_name_gets_intercoms(self, base: Value) -> None:
        decision = decide(NAME, app=None, intercom="Bob", base=base)

        assert outcome(decision) == "to app: Bob"
        assert decision.why == "the app has none"

    def test_two_characters_are_a_name(self) -> None:
        assert outcome(decide(NAME, app=None, intercom="Bo")) == "to app: Bo"

    def test_what_the_app_cleared_is_cleared_in_intercom_not_resurrected(self) -> None:
        decision = decide(NAME, app=None, intercom="Ada", base="Ada")

        assert outcome(decision) == "to intercom: None"
        assert (decision.why, decision.overruled) == ("the app cleared it", False)

    def test_what_the_app_cleared_stays_cleared_where_intercom_had_a_form_of_its_own(self) -> None:
        """Phones: sent "+1 (555) 123", stored "+1555123". It is our old value all the same."""
        accepted = {"name": ("Ada", "ADA")}
        decision = decide(NAME, app=None, intercom="ADA", base="Ada", accepted=accepted)

        assert outcome(decision) == "to intercom: None"
        assert (decision.why, decision.overruled) == ("the app cleared it", False)

    @pytest.mark.parametrize("accepted", [("Ada", "ADA"), ("Eve", "ADB"), ("Eve", "ADA")])
    def test_only_the_form_of_what_was_agreed_on_is_our_own(
        self, accepted: tuple[str, str]
    ) -> None:
        known = {"app": None, "intercom": "ADB", "base": "Ada", "accepted": {"name": accepted}}

        assert outcome(decide(NAME, **known)) == "to app: ADB"

    def test_what_was_cleared_once_may_be_filled_later(self) -> None:
        assert outcome(decide(NAME, app=None, intercom="Bob", base=None)) == "to app: Bob"

    @pytest.mark.parametrize(("intercom", "oauth"), [("B", False), ("B", True), ("Bob", True)])
    def test_what_the_app_cannot_use_is_cleared_as_the_replaced_job_did(
        self, intercom: str, oauth: bool
    ) -> None:
        decision = decide(NAME, app=None, intercom=intercom, from_oauth=oauth)

        assert outcome(decision) == "to intercom: None"
        assert decision.why == "Intercom's is not usable for the app"

    @pytest.mark.parametrize(("intercom", "oauth"), [("B", False), ("Bob", True)])
    @pytest.mark.parametrize("look", Freshness)
    def test_what_the_app_cannot_use_may_be_kept(
        self, intercom: str, oauth: bool, look: Freshness
    ) -> None:
        decision = decide(
            NAME, app=None, intercom=intercom, from_oauth=oauth, clear_unusable=False, look=look
        )

        assert outcome(decision) == "nothing"
        assert (decision.value, decision.why) == (None, "Intercom's is not usable; kept")

    def test_what_the_app_cleared_is_cleared_also_where_unusable_ones_are_kept(self) -> None:
        """It is no operator's name: it was the app's, and the app took it back."""
        known = {"base": "Ada", "from_oauth": True, "clear_unusable": False}

        assert outcome(decide(NAME, app=None, intercom="Ada", **known)) == "to intercom: None"

    def test_an_oauth_users_field_without_that_rule_is_filled(self) -> None:
        free = replace(NAME, from_oauth=True)

        assert outcome(decide(free, app=None, intercom="Bob", from_oauth=True)) == "to app: Bob"

    @pytest.mark.parametrize("look", UNKNOWN)
    @pytest.mark.parametrize("base", [NEVER, "Ada", "Bob"])
    @pytest.mark.parametrize("intercom", ["Bob", "B"])
    def test_clearing_and_filling_wait_for_a_fresh_look(
        self, look: Freshness, base: Value, intercom: str
    ) -> None:
        """A name cleared on a stale shadow would delete what an operator typed since."""
        decision = decide(NAME, app=None, intercom=intercom, base=base, look=look)

        assert decision.deferred
        assert decision.write_to

    def test_a_value_that_is_no_text_has_a_length_too(self) -> None:
        code = replace(NAME, kind=Kind.INTEGER)

        assert outcome(decide(code, app=None, intercom=12)) == "to app: 12"
        assert outcome(decide(code, app=None, intercom=1)) == "to intercom: None"


class TestLatest:
    @pytest.mark.parametrize("base", [NEVER, None, 5, 10, 20])
    def test_the_later_time_wins_wherever_it_is(self, base: Value) -> None:
        assert outcome(decide(SEEN, app=20, intercom=10, base=base)) == "to intercom: 20"
        assert outcome(decide(SEEN, app=10, intercom=20, base=base)) == "to app: 20"

    def test_the_reason_names_the_side(self) -> None:
        assert decide(SEEN, app=20, intercom=10).why == "the app's is later"
        assert decide(SEEN, app=10, intercom=20).why == "Intercom's is later"

    @pytest.mark.parametrize("time", [20, 0, -20])
    def test_any_time_is_later_than_none(self, time: int) -> None:
        assert outcome(decide(SEEN, app=time, intercom=None, base=time)) == f"to intercom: {time}"
        assert outcome(decide(SEEN, app=None, intercom=time, base=time)) == f"to app: {time}"

    @pytest.mark.parametrize("times", [(20, 10), (10, 20)])
    def test_a_remembered_time_waits_for_a_fresh_look(self, times: tuple[int, int]) -> None:
        """On a stale shadow `last_seen_at` would move backwards: the Messenger was later."""
        app, intercom = times

        assert decide(SEEN, app=app, intercom=intercom, look=Freshness.STALE).deferred
        assert not decide(SEEN, app=app, intercom=intercom, look=Freshness.FRESH).deferred

    def test_what_is_no_time_is_earlier_than_any(self) -> None:
        assert outcome(decide(SEEN, app=10, intercom="soon")) == "to intercom: 10"
        assert outcome(decide(SEEN, app="soon", intercom=10)) == "to app: 10"

    def test_where_neither_is_a_time_the_app_keeps_its_own(self) -> None:
        assert outcome(decide(SEEN, app="soon", intercom="late")) == "to intercom: soon"
        assert outcome(decide(SEEN, app="soon", intercom=None)) == "to intercom: soon"

    def test_nobody_is_overruled_by_a_later_time(self) -> None:
        assert not decide(SEEN, app=20, intercom=10, base=5).overruled


class TestNewest:
    def test_whoever_moved_wins(self) -> None:
        assert outcome(decide(NICK, app="Bob", intercom="Ada", base="Ada")) == "to intercom: Bob"
        assert outcome(decide(NICK, app="Ada", intercom="Bob", base="Ada")) == "to app: Bob"

    def test_clearing_is_moving(self) -> None:
        assert outcome(decide(NICK, app=None, intercom="Ada", base="Ada")) == "to intercom: None"
        assert outcome(decide(NICK, app="Ada", intercom=None, base="Ada")) == "to app: None"

    def test_where_both_moved_the_app_wins(self) -> None:
        assert outcome(decide(NICK, app="Bob", intercom="Cy", base="Ada")) == "to intercom: Bob"
        assert outcome(decide(NICK, app=None, intercom="Cy", base="Ada")) == "to intercom: None"

    def test_where_nothing_was_agreed_on_the_app_wins_if_it_has_a_value(self) -> None:
        assert outcome(decide(NICK, app="Bob", intercom="Cy")) == "to intercom: Bob"
        assert outcome(decide(NICK, app=None, intercom="Cy")) == "to app: Cy"

    def test_the_reason_names_who_moved(self) -> None:
        assert decide(NICK, app="Bob", intercom="Ada", base="Ada").why == "the app's moved"
        assert decide(NICK, app="Ada", intercom="Bob", base="Ada").why == "only Intercom's moved"

    @pytest.mark.parametrize("look", UNKNOWN)
    @pytest.mark.parametrize("base", [NEVER, "Ada", "Bob"])
    def test_it_always_waits_for_a_fresh_look(self, look: Freshness, base: Value) -> None:
        decision = decide(NICK, app="Ada", intercom="Bob", base=base, look=look)

        assert decision.deferred
        assert decision.write_to


class TestPulling:
    """What the app has no column for, or would not store, is left alone."""

    @pytest.mark.parametrize("field", [CITY, NAME, NICK], ids=lambda field: field.policy)
    def test_without_a_column_to_write_back_to_nothing_happens(self, field: Field) -> None:
        decision = decide(
            replace(field, pulled=False), app=None, intercom="Bob", look=Freshness.STALE
        )

        assert outcome(decision) == "nothing"
        assert (decision.value, decision.why) == (None, "no write-back column")

    @pytest.mark.parametrize("field", [CITY, NAME, NICK], ids=lambda field: field.policy)
    def test_a_value_that_the_app_refused_is_not_offered_again(self, field: Field) -> None:
        decision = decide(
            field, app=None, intercom="Bob", refused={field.name: "Bob"}, look=Freshness.STALE
        )

        assert outcome(decision) == "nothing"
        assert (decision.value, decision.why) == (None, "the app refused this value before")

    @pytest.mark.parametrize("field", [CITY, NAME, NICK], ids=lambda field: field.policy)
    def test_another_value_is_offered_again(self, field: Field) -> None:
        refused: dict[str, Value] = {field.name: "Bob", "other": "Cy"}

        assert outcome(decide(field, app=None, intercom="Cy", refused=refused)) == "to app: Cy"

    def test_a_clearing_may_be_refused_too(self) -> None:
        refused: dict[str, Value] = {"city": None}

        known = {"app": "Rome", "intercom": None, "base": "Rome"}
        assert outcome(decide(CITY, **known, refused=refused)) == "nothing"
        assert outcome(decide(CITY, **known, refused={"name": None})) == "to app: None"


class TestAFormOfIntercomsOwn:
    @pytest.mark.parametrize("field", EVERY, ids=lambda field: field.policy)
    @pytest.mark.parametrize("look", Freshness)
    def test_it_counts_as_equal_and_is_agreed_on(self, field: Field, look: Freshness) -> None:
        plan = plan_of(
            field, app="Ada", intercom="ADA", accepted={field.name: ("Ada", "ADA")}, look=look
        )
        (decision,) = plan.decisions

        assert outcome(decision) == "nothing"
        assert (decision.value, decision.why) == ("Ada", "Intercom's own form of what was sent")
        assert plan.agreed({}) == {field.name: "Ada"}

    def test_the_apps_next_value_is_sent(self) -> None:
        known = {"base": "Ada", "accepted": {"plan": ("Ada", "ADA")}}
        decision = decide(PLAN, app="Bob", intercom="ADA", **known)

        assert outcome(decision) == "to intercom: Bob"

    def test_nobody_is_overruled_by_it(self) -> None:
        """Or an app that changes a field three times a day is parked for "another integration"."""
        known = {"base": "Ada", "accepted": {"plan": ("Ada", "ADA")}}

        assert not decide(PLAN, app="Bob", intercom="ADA", **known).overruled
        assert decide(PLAN, app="Bob", intercom="ADB", **known).overruled

    def test_another_value_of_intercom_is_an_edit(self) -> None:
        known = {"base": "Ada", "accepted": {"plan": ("Ada", "ADA")}}

        assert outcome(decide(PLAN, app="Ada", intercom="Eve", **known)) == "to intercom: Ada"

    def test_of_another_field_it_means_nothing(self) -> None:
        known = {"app": "Ada", "intercom": "ADA", "accepted": {"nick": ("Ada", "ADA")}}

        assert outcome(decide(PLAN, **known)) == "to intercom: Ada"


class TestOverruled:
    @pytest.mark.parametrize("field", [PLAN, NAME, NICK], ids=lambda field: field.policy)
    def test_an_edit_that_loses_is_told(self, field: Field) -> None:
        assert decide(field, app="Bob", intercom="Cy", base="Ada").overruled

    @pytest.mark.parametrize("field", [PLAN, NAME, NICK], ids=lambda field: field.policy)
    @pytest.mark.parametrize("base", [NEVER, "Ada"])
    def test_where_nobody_edited_nobody_is_overruled(self, field: Field, base: Value) -> None:
        assert not decide(field, app="Bob", intercom="Ada", base=base).overruled

    def test_a_name_that_is_cleared_since_it_is_not_usable_was_somebodys_edit(self) -> None:
        assert decide(NAME, app=None, intercom="B", base=None).overruled
        assert not decide(NAME, app=None, intercom="B").overruled

    def test_it_is_told_only_once_it_is_acted_upon(self) -> None:
        known: dict[str, Any] = {"app": "Bob", "intercom": "Cy", "base": "Ada"}

        assert [d.field for d in plan_of(NICK, **known).overruled] == [NICK]
        assert plan_of(NICK, **known, look=Freshness.STALE).overruled == ()
        assert plan_of(PLAN, app="Bob", intercom="Ada", base="Ada").overruled == ()


class TestTheWholePlan:
    def plan(self) -> Reconciliation:
        return reconcile(
            [PLAN, CITY, NICK, NAME],
            FieldInputs(
                base={},
                app={"plan": "team", "city": "Rome", "nick": "Bob", "name": "Ada"},
                intercom={"plan": "solo", "city": "Oslo", "nick": "Cy", "name": "Ada"},
                look=Freshness.FRESH,
            ),
        )

    def test_each_side_gets_what_is_due_to_it(self) -> None:
        assert self.plan().to_app == {"city": "Oslo"}
        assert self.plan().to_intercom == {"plan": "team", "nick": "Bob"}
        assert not self.plan().settled
        assert self.plan().deferred == ()

    def test_what_waits_is_due_to_nobody(self) -> None:
        for field in (NICK, CITY):
            plan = plan_of(field, app="Ada", intercom="Bob", look=Freshness.STALE)

            assert (plan.to_app, plan.to_intercom) == ({}, {})
            assert plan.deferred == (field.name,)
            assert not plan.settled

    def test_a_plan_with_nothing_to_do_is_settled(self) -> None:
        plan = plan_of(PLAN, app="Ada", intercom="Ada")

        assert plan.settled
        assert reconcile([], FieldInputs({}, {}, {}, Freshness.FRESH)).settled

    def test_agreed_is_what_both_hold_and_the_rest_stays_as_it_was(self) -> None:
        assert self.plan().agreed({"plan": "old", "seats": 3}) == {
            "plan": "old",
            "seats": 3,
            "name": "Ada",
        }

    def test_agreed_without_a_value_is_not_never_agreed(self) -> None:
        assert plan_of(NAME, app=None, intercom=None).agreed({}) == {"name": None}

    def test_a_field_that_neither_side_tells_is_nothing_on_both(self) -> None:
        assert reconcile([PLAN], FieldInputs({}, {}, {}, Freshness.FRESH)).settled

    def test_a_decision_is_due_only_with_a_side_and_a_sure_look(self) -> None:
        decision = decide(PLAN, app="Ada", intercom="Bob")

        assert decision.is_due
        assert not replace(decision, deferred=True).is_due
        assert not replace(decision, write_to=None).is_due
        assert not replace(decision, write_to=Side.APP, deferred=True).is_due


class TestAfterACrash:
    """What was in flight is known; whether it got there is read off Intercom."""

    KNOWN = {"nick": NICK, "plan": PLAN}  # noqa: RUF012 - read only

    def base(self, in_flight: dict[str, Value], intercom: dict[str, Value]) -> object:
        link = UserLink("7", base={"nick": "Ada", "city": "Rome"}, in_flight=in_flight)
        return landed(link, self.KNOWN, intercom, app={})

    def test_what_was_in_flight_and_is_there_was_agreed_on(self) -> None:
        """Or an operator's next edit looks as if both sides had moved, and is overwritten."""
        assert self.base({"nick": "Bob"}, {"nick": "Bob"}) == {"nick": "Bob", "city": "Rome"}

    def test_what_did_not_get_there_was_not(self) -> None:
        in_flight: dict[str, Value] = {"nick": "Bob", BEFORE + "nick": "Ada"}

        assert self.base(in_flight, {"nick": "Ada"}) == {"nick": "Ada", "city": "Rome"}

    def test_an_edit_on_top_of_what_got_there_is_an_edit_of_its_own(self) -> None:
        in_flight: dict[str, Value] = {"nick": "Bob", BEFORE + "nick": "Ada"}

        assert self.base(in_flight, {"nick": "Cy"}) == {"nick": "Bob", "city": "Rome"}

    def test_an_edit_that_was_known_before_the_call_is_none(self) -> None:
        """Both had moved, the app was to win, and the call was never made."""
        in_flight: dict[str, Value] = {"nick": "Bob", BEFORE + "nick": "Cy"}

        assert self.base(in_flight, {"nick": "Cy"}) == {"nick": "Ada", "city": "Rome"}

    def test_where_it_is_not_known_what_was_there_nothing_is_assumed(self) -> None:
        assert self.base({"nick": "Bob"}, {"nick": "Cy"}) == {"nick": "Ada", "city": "Rome"}

    def test_a_clearing_gets_there_too(self) -> None:
        in_flight: dict[str, Value] = {"nick": None, BEFORE + "nick": "Ada"}

        assert self.base(in_flight, {"nick": None}) == {"nick": None, "city": "Rome"}
        assert self.base(in_flight, {}) == {"nick": None, "city": "Rome"}

    def test_a_field_that_the_mapping_no_longer_has_is_left_out(self) -> None:
        assert self.base({"seats": 3}, {"seats": 3}) == {"nick": "Ada", "city": "Rome"}

    def test_what_is_noted_is_what_is_sent_and_what_was_there(self) -> None:
        plan = plan_of(PLAN, app="team", intercom="solo")

        assert plan.in_flight(exists=True) == {"plan": "team", "before: plan": "solo"}

    def test_of_a_contact_that_does_not_exist_nothing_was_there(self) -> None:
        """A contact found after the crash may be an older one: its values are no edits."""
        assert plan_of(PLAN, app="team").in_flight(exists=False) == {"plan": "team"}

    def test_nothing_is_noted_for_the_app_or_for_later(self) -> None:
        assert plan_of(CITY, app="Rome", intercom="Oslo").in_flight(exists=True) == {}
        waiting = plan_of(NICK, app="Rome", intercom="Oslo", look=Freshness.STALE)
        assert waiting.in_flight(exists=True) == {}
        assert plan_of(PLAN, app="Ada", intercom="Ada").in_flight(exists=True) == {}


class TestWhatTheAppStored:
    def test_what_reads_back_otherwise_was_not_stored(self) -> None:
        plan = plan_of(CITY, app="Rome", intercom="Oslo")

        assert not_stored(plan, {"city": "Rome"}) == {"city": "Oslo"}
        assert not_stored(plan, {"city": "OSLO"}) == {"city": "Oslo"}
        assert not_stored(plan, {}) == {"city": "Oslo"}
        assert not_stored(plan, {"city": "Oslo"}) == {}

    def test_only_what_was_offered_can_be_refused(self) -> None:
        assert not_stored(plan_of(PLAN, app="Rome", intercom="Oslo"), {}) == {}
        waiting = plan_of(CITY, app="Rome", intercom="Oslo", look=Freshness.STALE)
        assert not_stored(waiting, {"city": "Rome"}) == {}


def test_every_policy_is_decided() -> None:
    for policy in Policy:
        assert decide(replace(PLAN, policy=policy), app="Ada", intercom="Ada").value == "Ada"
        assert decide(replace(PLAN, policy=policy, pulled=True), app="Ada", intercom="B").write_to
