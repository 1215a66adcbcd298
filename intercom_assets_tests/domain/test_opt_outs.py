"""An opt-out on either side wins, and only the side that opted out takes it back.

To mail somebody who opted out is against the law, so nothing here is sampled that can be counted:
every history of three rounds is played, and judged by who said what, not by the code's own words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.decisions import BEFORE, Decision, FieldInputs, Freshness
from intercom_assets.domain.fields import UNSUBSCRIBED, USER_FIELDS, Field, Policy
from intercom_assets.domain.models import Kind, Side, Value, Values
from intercom_assets.domain.opt_outs import KEY, OptOut, after_writes, opt_out_in, who_opted_out
from intercom_assets.domain.reconcile import reconcile
from intercom_assets_tests.domain.passes import Pair
from intercom_assets_tests.domain.strategies import quick

FLAGS: tuple[Value, ...] = (None, True, False)
BOTH: tuple[tuple[Value, Value], ...] = tuple(product(FLAGS, FLAGS))
APP, INTERCOM = Side.APP, Side.INTERCOM


def flag(*, pulled: bool = True) -> Field:
    return Field("out", UNSUBSCRIBED, Kind.BOOLEAN, Policy.OPT_OUT, pulled=pulled)


def a_pair(app: Value, intercom: Value, *, pulled: bool = True) -> Pair:
    """Neither was ever read."""
    return Pair((flag(pulled=pulled),), {"out": app}, {"out": intercom}, {"out": None})


@dataclass
class Person:
    """Who has said "no mail" and has not taken it back; told by edits, and by nothing else."""

    out_by: set[Side] = field(default_factory=set)
    seen: dict[Side, Value] = field(default_factory=lambda: {APP: None, INTERCOM: None})

    def says(self, side: Side, value: Value) -> None:
        if value == self.seen[side] and value is self.seen[side]:
            return
        if value is True:
            self.out_by.add(side)
        elif value is False:
            self.out_by.discard(side)

    def sees(self, pair: Pair) -> None:
        """What the sync left is no word of the person's."""
        self.seen = {APP: pair.app["out"], INTERCOM: (pair.intercom or {}).get("out")}


def wrong(person: Person, before: tuple[Value, Value], pair: Pair, *, pulled: bool) -> str | None:
    """What is wrong on the two sides after a pass that read both; `before`: right before it."""
    app, intercom = pair.app["out"], (pair.intercom or {}).get("out")
    if not pulled and app is not before[0]:
        return "the app was written without a column for it"
    if person.out_by and intercom is not True:
        return "opted out, and Intercom would mail"
    if INTERCOM in person.out_by and pulled and app is not True:
        return "opted out in Intercom, and the app would mail"
    if APP in person.out_by and app is False:
        return "opted out in the app, which forgot it"
    if not person.out_by and (intercom is True or (pulled and app is True)):
        return "everybody took it back, and somebody still has it"
    if not person.out_by and before[1] is not True and intercom is not before[1]:
        return "Intercom was written for nothing"
    return None


def play(rounds: Sequence[tuple[Value, Value]], *, pulled: bool) -> Iterator[str]:
    """Both sides are edited, then a pass reads both; and the next pass has nothing to do."""
    pair, person = a_pair(None, None, pulled=pulled), Person()
    for app, intercom in rounds:
        assert pair.intercom is not None
        pair.app["out"], pair.intercom["out"] = app, intercom
        person.says(APP, app)
        person.says(INTERCOM, intercom)
        pair.sync(must_read_first=True)
        if found := wrong(person, (app, intercom), pair, pulled=pulled):
            yield f"{rounds} at {app, intercom}: {found}"
        again = pair.sync(must_read_first=True)
        if again.puts or again.writes or not pair.sync().did_nothing:
            yield f"{rounds}: does not settle"
        person.sees(pair)


@pytest.mark.parametrize("pulled", [True, False])
def test_every_history_of_three_rounds_ends_as_the_people_said(pulled: bool) -> None:
    """729 histories: every base with every memory of who opted out, app and Intercom."""
    found = [
        sentence for rounds in product(BOTH, BOTH, BOTH) for sentence in play(rounds, pulled=pulled)
    ]

    assert found == []


def test_a_first_sync_subscribes_nobody() -> None:
    for (app, intercom), pulled in product(BOTH, (True, False)):
        pair = a_pair(app, intercom, pulled=pulled)

        done = pair.sync(must_read_first=True)

        assert all(put["out"] is True for put in done.puts), (app, intercom)
        assert all(write["out"] is True for write in done.writes), (app, intercom)


def test_a_new_contact_is_told_of_an_opt_out_and_of_nothing_else() -> None:
    for app in FLAGS:
        pair = Pair((flag(),), {"out": app})

        pair.sync()

        assert pair.intercom == ({"out": True} if app is True else {})


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from(["app", "intercom", "sync", "look"]), st.sampled_from(FLAGS))
    )
)
def test_no_pass_on_remembered_values_mails_somebody_who_opted_out(
    steps: list[tuple[str, Value]],
) -> None:
    """A pass without a read may not know yet; what it writes must not undo anybody's word."""
    pair, person = a_pair(None, None), Person()
    for what, value in [*steps, ("look", None)]:
        assert pair.intercom is not None
        if what in ("app", "intercom"):
            side = pair.app if what == "app" else pair.intercom
            side["out"] = value
            continue
        person.says(APP, pair.app["out"])
        there, seen = pair.intercom["out"], person.seen[INTERCOM]
        done = pair.sync(must_read_first=what == "look")
        if done.calls:  # what was changed again before any read is nobody's word
            person.says(INTERCOM, there)
        if person.out_by:
            assert {"out": False} not in [*done.puts, *done.writes]
        person.sees(pair)
        if not done.calls:
            person.seen[INTERCOM] = seen


@quick
@given(st.lists(st.tuples(st.sampled_from(BOTH), st.sampled_from(["none", "put", "write"]))))
def test_a_pass_that_dies_anywhere_costs_nobodys_word(
    steps: list[tuple[tuple[Value, Value], str]],
) -> None:
    """It wrote to one side, and nothing of it was recorded but the note that it was about to."""
    pair, person = a_pair(None, None), Person()
    for (app, intercom), dies_after in [*steps, (((None, None)), "none")]:
        assert pair.intercom is not None
        pair.app["out"], pair.intercom["out"] = app, intercom
        person.says(APP, app)
        person.says(INTERCOM, intercom)
        _die(pair, dies_after)
        pair.sync(must_read_first=True)
        assert wrong(person, (app, intercom), pair, pulled=True) in (
            None,
            "Intercom was written for nothing",
        )
        person.sees(pair)


def _die(pair: Pair, after: str) -> None:
    """A pass that has read both sides dies right after its write."""
    assert pair.intercom is not None
    held = FieldInputs(pair.base, pair.app, pair.intercom, Freshness.FRESH)
    plan = reconcile(pair.fields, held)
    attempt = Attempt("died", 0)
    if after == "put" and plan.to_intercom:
        sent = attempt.joined(fields=plan.to_intercom)
        pair.in_flight = {**plan.in_flight(exists=True), **sent.note()}
        pair.intercom |= plan.to_intercom
    if after == "write" and plan.to_app:
        pulled = {name: (pair.app[name], value) for name, value in plan.to_app.items()}
        pair.in_flight = attempt.joined(pulled=pulled).note()
        pair.app |= plan.to_app


class TestSentences:
    """Each outcome has its own, by which `explain` tells it."""

    def decided(
        self, memory: Value, app: Value, intercom: Value, **more: Any
    ) -> tuple[Decision, Values]:
        base: Values = {"out": True, KEY + "out": memory} if memory else {}
        pulled = more.pop("pulled", True)
        seen = FieldInputs(base, {"out": app}, {"out": intercom}, Freshness.FRESH, **more)
        decision, *rest = reconcile([flag(pulled=pulled)], seen).decisions
        return decision, {each.field.name: each.value for each in rest}

    @pytest.mark.parametrize(
        ("memory", "app", "intercom", "to", "value", "why"),
        [
            (None, True, False, INTERCOM, True, "opted out in the app"),
            (None, True, None, INTERCOM, True, "opted out in the app"),
            (None, False, True, APP, True, "opted out in Intercom"),
            (None, None, True, APP, True, "opted out in Intercom"),
            (None, True, True, None, True, "equal"),
            (None, False, None, None, False, "equal"),
            (
                "app copied to intercom", True, False, INTERCOM, True,
                "opted out in the app, where alone it is taken back",
            ),
            (
                "intercom copied to app", False, True, APP, True,
                "opted out in Intercom, where alone it is taken back",
            ),
            (
                "app copied to intercom", False, True, INTERCOM, False,
                "the app took its opt-out back",
            ),
            (
                "intercom copied to app", True, False, APP, False,
                "Intercom took its opt-out back",
            ),
            ("app and intercom", False, True, APP, True, "opted out in Intercom"),
            ("app and intercom", True, False, INTERCOM, True, "opted out in the app"),
            (
                "app copied to intercom", None, True, None, True,
                "opted out in the app; null is no word",
            ),
            ("intercom", False, None, APP, True, "opted out in Intercom"),
            ("intercom copied to app", True, None, INTERCOM, True, "opted out in Intercom"),
        ],
    )  # fmt: skip
    def test_each_outcome_has_its_sentence(
        self, memory: Value, app: Value, intercom: Value, to: Side | None, value: Value, why: str
    ) -> None:
        decision, _ = self.decided(memory, app, intercom)

        assert (decision.write_to, decision.value, decision.why) == (to, value, why)

    def test_without_a_write_back_column_it_is_shown_as_kept(self) -> None:
        decision, memory = self.decided(None, False, True, pulled=False)

        assert decision.write_to is None
        assert decision.why == "opted out in Intercom, which stays there: no write-back column"
        assert memory == {KEY + "out": "intercom"}

    def test_an_app_that_refused_it_is_not_offered_it_again(self) -> None:
        decision, _ = self.decided(None, False, True, refused={"out": True})

        assert decision.write_to is None
        assert decision.why.endswith("which stays there: the app refused this value before")

    def test_only_a_copy_that_somebody_took_back_in_intercom_counts_as_overruled(self) -> None:
        cases: Mapping[tuple[Value, Value], bool] = {
            ("app copied to intercom", False): True,
            ("app copied to intercom", None): False,
            ("app", False): False,
            (None, False): False,
        }
        for (memory, intercom), overruled in cases.items():
            assert self.decided(memory, True, intercom)[0].overruled is overruled

    def test_intercoms_value_is_read_before_anything_is_decided(self) -> None:
        for app, intercom in ((True, False), (False, True), (True, None)):
            seen = FieldInputs({}, {"out": app}, {"out": intercom}, Freshness.STALE)
            decision, *_ = reconcile([flag()], seen).decisions
            assert decision.deferred

    def test_a_value_that_was_never_read_is_no_false(self) -> None:
        """What we remember of a contact may be older than the column."""
        unread = FieldInputs({}, {"out": False}, {"out": None}, Freshness.STALE)
        (decision,) = reconcile([flag()], unread).decisions

        assert decision.deferred
        assert decision.why == "whether it opted out in Intercom was not read yet"
        agreed = FieldInputs({"out": False}, {"out": False}, {"out": None}, Freshness.STALE)
        (decision,) = reconcile([flag()], agreed).decisions
        assert not decision.deferred


class TestMemory:
    @pytest.mark.parametrize(
        "known",
        [
            OptOut(frozenset(by), frozenset(copied), frozenset(untold))
            for by in ((), (APP,), (INTERCOM,), (APP, INTERCOM))
            for copied in ((), (APP,), (INTERCOM,), (APP, INTERCOM))
            for untold in ((), (INTERCOM,))
            if {*untold} <= {*by}
        ],
    )
    def test_what_is_stored_reads_back_the_same(self, known: OptOut) -> None:
        assert opt_out_in({KEY + "out": known.as_value()}, flag()) == known

    def test_nobody_is_nothing(self) -> None:
        assert OptOut().as_value() is None
        assert opt_out_in({KEY + "out": 7}, flag()) == OptOut()

    def test_a_contact_that_is_gone_takes_its_copy_with_it_but_not_the_persons_word(self) -> None:
        base: Values = {
            "name": "Ada",
            "out": True,
            KEY + "out": "intercom copied to app",
            KEY + "sms": "app copied to intercom",
            KEY + "post": "nobody copied to intercom",
        }

        assert who_opted_out(base) == {
            KEY + "out": "intercom copied to app not yet in intercom",
            KEY + "sms": "app",
        }

    def test_an_opt_out_that_is_put_back_stays_its_sides_own(self) -> None:
        assert OptOut(frozenset({APP})).written_to(APP, True) == OptOut(frozenset({APP}))

    def test_what_was_in_flight_and_did_not_get_there_is_no_copy(self) -> None:
        pair = a_pair(True, False)
        pair.in_flight = {"out": True, BEFORE + "out": False}
        pair.app["out"], pair.intercom = False, {"out": False}

        pair.sync(must_read_first=True)

        assert (pair.app, pair.intercom) == ({"out": False}, {"out": False})

    @pytest.mark.parametrize("dies_after", ["put", "write"])
    def test_one_side_that_took_it_back_right_before_the_crash_has_done_so(
        self, dies_after: str
    ) -> None:
        """Both had opted out: what stands there again is a copy, and goes with the other's."""
        pair = a_pair(True, True)
        pair.sync(must_read_first=True)
        first, second = (pair.app, pair.intercom)
        assert second is not None
        if dies_after == "put":
            first, second = second, first
        first["out"] = False
        _die(pair, dies_after)
        assert first["out"] is True
        pair.sync(must_read_first=True)
        other = pair.intercom if dies_after == "write" else pair.app
        assert other is not None
        other["out"] = False

        pair.sync(must_read_first=True)

        assert (pair.app, pair.intercom) == ({"out": False}, {"out": False})

    def test_an_undo_that_died_offered_no_opt_out(self) -> None:
        """It put one back that the app had taken back."""
        pair = a_pair(True, False)
        undone = Attempt("undo", 0, pulled={"out": (False, True)}, undoes=True)
        pair.in_flight = undone.note()

        pair.sync(must_read_first=True)

        assert pair.intercom == {"out": True}


def test_the_field_is_the_contacts_own_and_nothing_else_has_the_policy() -> None:
    (only,) = [each for each in USER_FIELDS if each.policy is Policy.OPT_OUT]

    assert (only.name, only.intercom, only.kind) == (UNSUBSCRIBED, UNSUBSCRIBED, Kind.BOOLEAN)
    assert not only.custom


def test_null_and_false_are_the_same_word_and_true_is_another() -> None:
    assert flag().same(None, False)
    assert not flag().same(None, True)
    assert not flag().same(False, True)


# --- single decisions -----------------------------------------------------------------------------


def decided(
    app: Value, intercom: Value, base: Values, look: Freshness = Freshness.FRESH
) -> Decision:
    inputs = FieldInputs(base=base, app={"out": app}, intercom={"out": intercom}, look=look)
    return reconcile((flag(),), inputs).decisions[0]


@pytest.mark.parametrize("app", [None, False])
def test_a_word_that_a_listing_shows_needs_no_look(app: Value) -> None:
    """Or a first sync would read everybody who is subscribed."""
    decision = decided(app, False, {}, Freshness.STALE)

    assert (decision.write_to, decision.deferred, decision.why) == (None, False, "equal")


@pytest.mark.parametrize("app", [None, False])
def test_what_was_never_read_waits_for_a_look_at_intercom(app: Value) -> None:
    decision = decided(app, None, {}, Freshness.STALE)

    assert (decision.write_to, decision.deferred) == (INTERCOM, True)
    assert decision.why == "whether it opted out in Intercom was not read yet"


@pytest.mark.parametrize("intercom", [True, None])
def test_what_intercom_holds_is_told_as_it_is(intercom: Value) -> None:
    """A null takes nothing back."""
    decision = decided(False, intercom, {KEY + "out": "intercom", "out": False})

    assert (decision.write_to, decision.value, decision.app) == (APP, True, False)
    assert decision.intercom is intercom


@pytest.mark.parametrize("intercom", [None, False])
def test_a_copy_in_the_app_is_taken_back_with_intercoms_and_says_why(intercom: Value) -> None:
    base: dict[str, Value] = {KEY + "out": "nobody copied to app", "out": True}

    decision = decided(True, intercom, base)

    assert (decision.write_to, decision.value) == (APP, False)
    assert decision.why == "Intercom took its opt-out back"


@pytest.mark.parametrize(
    ("known", "stored"),
    [
        (OptOut(), None),
        (OptOut(frozenset({APP})), "app"),
        (OptOut(frozenset({APP, INTERCOM})), "app and intercom"),
        (OptOut(frozenset({APP}), frozenset({INTERCOM})), "app copied to intercom"),
        (OptOut(frozenset(), frozenset({APP})), "nobody copied to app"),
        (
            OptOut(frozenset({INTERCOM}), frozenset({APP}), frozenset({INTERCOM})),
            "intercom copied to app not yet in intercom",
        ),
    ],
)
def test_what_is_stored_of_it_keeps_its_words(known: OptOut, stored: str | None) -> None:
    """Installations have it in their tables."""
    assert known.as_value() == stored
    assert opt_out_in({"opted out: out": stored}, flag()) == known


def test_writes_of_other_fields_and_of_nothing_leave_no_word() -> None:
    (plain,) = (field for field in USER_FIELDS if field.name == "email")
    written = Decision(plain, "a@example.com", "a@example.com", None, INTERCOM)
    unwritten = Decision(flag(), True, True, True)

    assert after_writes([written, unwritten], {}) == {}
    assert after_writes([Decision(flag(), True, True, None, INTERCOM)], {}) == {
        KEY + "out": "app copied to intercom"
    }
