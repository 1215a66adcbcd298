"""It always settles: every combination, every policy, honest and wilful sides, in one pass.

Passes are played as the engine makes them (`passes.py`). The literal rules of the replaced job left
56 of 507 combinations apart for ever (docs/dev/protocol.md#what-oscillates-or-loses).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom_assets.domain.decisions import BEFORE, FieldInputs, Freshness
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Kind, Value
from intercom_assets.domain.reconcile import reconcile
from intercom_assets_tests.domain.field_decisions import NAME, NEVER, SEEN
from intercom_assets_tests.domain.passes import Pair, Pass, RefusesError, Stores, as_sent
from intercom_assets_tests.domain.strategies import quick

TEXTS: list[Value] = [None, "ada", "bob"]
TIMES: list[Value] = [None, 10, 20]
FLAGS: list[Value] = [None, True, False]
VALUES = {policy: TEXTS for policy in Policy} | {
    Policy.LATER_VALUE: TIMES,
    Policy.OPT_OUT: FLAGS,
}
OF_TEXTS = sorted(policy for policy, values in VALUES.items() if values is TEXTS)
NO_CONTACT: Any = object()


@dataclass(frozen=True, slots=True)
class Situation:
    """`shadow`: what we remember of `intercom`. `way`: how the pass begins."""

    policy: Policy
    base: Value
    app: Value
    intercom: Value
    shadow: Value
    way: str

    @property
    def knows(self) -> bool:
        return self.way == "look" or self.shadow == self.intercom

    def pair(self, app: Stores = as_sent, intercom: Stores = as_sent, **more: Any) -> Pair:
        field = field_of(self.policy, pulled=more.pop("pulled", True))
        new = self.intercom is NO_CONTACT
        return Pair(
            (field,),
            {field.name: self.app},
            None if new else {field.name: self.intercom},
            None if new else {field.name: self.shadow},
            {} if self.base is NEVER else {field.name: self.base},
            app_stores=app,
            intercom_stores=intercom,
            **more,
        )

    def begin(self, pair: Pair) -> Pass:
        return pair.sync(must_read_first=self.way == "look")


def field_of(policy: Policy, *, pulled: bool = True) -> Field:
    if policy is Policy.LATER_VALUE:
        return replace(SEEN, name="field", pulled=pulled)
    if policy is Policy.OPT_OUT:
        return Field("field", "unsubscribed_from_emails", Kind.BOOLEAN, policy, pulled=pulled)
    return Field("field", "name", Kind.STRING, policy, pulled=pulled, from_oauth=False)


def situations(*ways: str) -> Iterator[Situation]:
    """Every combination."""
    for policy, way in product(Policy, ways):
        values = VALUES[policy]
        for base, app, intercom in product([NEVER, *values], values, [NO_CONTACT, *values]):
            for shadow in [intercom] if intercom is NO_CONTACT else values:
                yield Situation(policy, base, app, intercom, shadow, way)


def shout(_name: str, value: Value) -> Value:
    """Stores another form: upper case, or the ten before."""
    if isinstance(value, str):
        return value.upper()
    if isinstance(value, bool):
        return not value
    return value // 20 * 20 if isinstance(value, int) else value


def drop(_name: str, _value: Value) -> Value:
    return None


def refuse(_name: str, _value: Value) -> Value:
    raise RefusesError


def settles(situation: Situation, pair: Pair) -> bool:
    """One pass is enough, the next makes no call, and a look finds nothing to correct."""
    first = situation.begin(pair)
    second, looked = pair.sync(), pair.sync(must_read_first=True)
    was_seen = first.calls > 0 or situation.knows
    return (
        first.last.settled
        and len(first.puts) <= 2
        and first.calls <= 2
        and second.did_nothing
        and (not was_seen or not (looked.puts or looked.writes))
    )


@pytest.mark.parametrize("pulled", [True, False], ids=["pulled", "not pulled"])
def test_every_combination_settles_in_one_pass_of_at_most_two_calls(pulled: bool) -> None:
    apart = [
        situation
        for situation in situations("remember", "look")
        if not settles(situation, situation.pair(pulled=pulled))
    ]

    assert apart == []


@pytest.mark.parametrize(("oauth", "clear"), [(True, True), (True, False), (False, False)])
def test_filling_settles_for_oauth_users_and_where_unusable_names_are_kept(
    oauth: bool, clear: bool
) -> None:
    apart = [
        situation
        for situation in situations("remember", "look")
        if situation.policy is Policy.FILL
        and not settles(situation, situation.pair(from_oauth=oauth, clear_unusable=clear))
    ]

    assert apart == []


@pytest.mark.parametrize(
    ("app", "intercom"),
    [
        *((app, as_sent) for app in (shout, drop, refuse)),
        *((as_sent, intercom) for intercom in (shout, drop)),
        *((shout, shout), (refuse, shout), (refuse, drop)),
    ],
)
def test_no_side_that_stores_values_its_own_way_makes_the_other_swing(
    app: Stores, intercom: Stores
) -> None:
    """An app that normalises, drops or refuses; an Intercom that normalises or drops."""
    apart = [
        situation
        for situation in situations("remember", "look")
        if not settles(situation, situation.pair(app, intercom))
    ]

    assert apart == []


def test_what_is_written_reads_back_as_decided() -> None:
    """Honest sides end equal, unless the rules say that they may differ."""
    for situation in situations("look"):
        pair = situation.pair()
        done = situation.begin(pair)
        decision, *_ = done.last.decisions
        same = partial(decision.field.same, decision.value)

        assert pair.intercom is not None
        assert situation.policy is Policy.OPT_OUT or pair.app["field"] == decision.value
        assert same(pair.app["field"]), situation
        assert same(pair.intercom.get("field")), situation
        assert done.last.agreed({})["field"] == decision.value


class TestPatience:
    """Calls of a pass, as docs/dev/protocol.md#calls counts them."""

    def calls(self, policy: Policy, **known: Any) -> tuple[int, int, int, int]:
        situation = Situation(policy, **{"base": "ada", "shadow": "ada", "way": "remember"} | known)
        done = situation.begin(situation.pair())
        return done.posts, done.gets, len(done.puts), len(done.writes)

    def test_a_new_user_is_one_post(self) -> None:
        for policy in OF_TEXTS:
            known = {"base": NEVER, "app": "ada", "intercom": NO_CONTACT, "shadow": None}

            assert self.calls(policy, **known) == (1, 0, 0, 0)

    def test_the_apps_change_of_what_it_owns_is_one_put_without_a_look(self) -> None:
        for policy in (Policy.APP, Policy.FILL):
            assert self.calls(policy, app="bob", intercom="ada") == (0, 0, 1, 0)

    def test_what_needs_intercoms_present_value_is_looked_at_once(self) -> None:
        assert self.calls(Policy.LAST_WRITER, app="bob", intercom="ada") == (0, 1, 1, 0)
        assert self.calls(Policy.FILL, app=None, intercom="ada") == (0, 1, 1, 0)
        assert self.calls(Policy.INTERCOM, app="bob", intercom="ada") == (0, 1, 0, 1)
        stale = {"base": 10, "app": 20, "intercom": 10, "shadow": 10}
        assert self.calls(Policy.LATER_VALUE, **stale) == (0, 1, 1, 0)

    def test_nothing_changed_is_no_call(self) -> None:
        for policy in OF_TEXTS:
            assert self.calls(policy, app="ada", intercom="ada") == (0, 0, 0, 0)

    def test_what_waits_rides_with_what_is_sent(self) -> None:
        """One PUT of the app's field; on its answer one more, and no GET."""
        plan = replace(field_of(Policy.APP), name="plan", intercom="plan")
        nick = replace(field_of(Policy.LAST_WRITER), name="nick", intercom="nick")
        held: dict[str, Value] = {"plan": "solo", "nick": "ada"}
        pair = Pair([plan, nick], {"plan": "team", "nick": "bob"}, held, dict(held), dict(held))

        done = pair.sync()

        assert (done.gets, done.puts) == (0, [{"plan": "team"}, {"nick": "bob"}])
        assert done.last.settled


def test_a_stale_look_never_costs_somebodys_edit() -> None:
    """A field that Intercom may win is as it would be had we looked first."""
    for situation in situations("remember"):
        pair, informed = situation.pair(), replace(situation, way="look").pair()
        if not situation.begin(pair).calls or situation.policy in (Policy.APP, Policy.FILL):
            continue
        informed.sync(must_read_first=True)

        assert (pair.app, pair.intercom) == (informed.app, informed.intercom), situation


# --- long lives -----------------------------------------------------------------------------------

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["app", "intercom", "sync", "look"]),
        st.sampled_from([None, "ada", "bob", "cy"]),
    ),
    max_size=10,
)
TICKS = st.lists(
    st.tuples(st.sampled_from(["app", "intercom", "sync", "look"]), st.integers(0, 50)),
    max_size=10,
)


def live(pair: Pair, steps: list[tuple[str, Any]]) -> Iterator[tuple[Value, Value, Pass]]:
    """Plays edits and passes; yields what both sides held before each pass, and the pass."""
    for what, value in [*steps, ("look", None)]:
        if what == "app":
            pair.app["field"] = value
        elif what == "intercom" and pair.intercom is not None:
            pair.intercom["field"] = value
        elif what != "intercom":
            before = (pair.app["field"], (pair.intercom or {}).get("field"))
            yield *before, pair.sync(must_read_first=what == "look" and pair.intercom is not None)


def time_of(value: Value) -> int:
    assert value is None or isinstance(value, int)
    return value or 0


def new(policy: Policy, value: Value = None, **more: Any) -> Pair:
    return Pair((field_of(policy),), {"field": value}, **more)


@pytest.mark.parametrize("policy", OF_TEXTS)
@pytest.mark.parametrize(
    ("app", "intercom"), [(as_sent, as_sent), (shout, as_sent), (as_sent, shout), (refuse, shout)]
)
def test_every_pass_of_a_long_life_settles(policy: Policy, app: Stores, intercom: Stores) -> None:
    @quick
    @given(EDITS)
    def settles(steps: list[tuple[str, Any]]) -> None:
        pair = new(policy, app_stores=app, intercom_stores=intercom)
        for _, _, done in live(pair, steps):
            assert done.last.settled
        assert pair.sync().did_nothing

    settles()


class TestWhoWinsInTheLongRun:
    @quick
    @given(EDITS)
    def test_the_apps_field_is_always_the_apps(self, steps: list[tuple[str, Any]]) -> None:
        pair = new(Policy.APP)
        for app, _, done in live(pair, steps):
            assert pair.app["field"] == app
            assert done.writes == []
        assert pair.intercom == {"field": pair.app["field"]} or pair.app["field"] is None

    @quick
    @given(EDITS)
    def test_newest_takes_whoever_moved(self, steps: list[tuple[str, Any]]) -> None:
        pair, agreed = new(Policy.LAST_WRITER), NEVER
        looks = [(what if what != "sync" else "look", value) for what, value in steps]
        for app, intercom, _ in live(pair, looks):
            moved = app is not None if agreed is NEVER else app != agreed
            agreed = app if moved else intercom
            assert (pair.app["field"], (pair.intercom or {}).get("field")) == (agreed, agreed)

    @quick
    @given(EDITS, st.sampled_from([as_sent, shout]))
    def test_what_the_app_cleared_under_fill_is_never_resurrected(
        self, steps: list[tuple[str, Any]], intercom: Stores
    ) -> None:
        """Only an edit of Intercom's own since the last pass may fill the gap again."""
        pair = new(Policy.FILL, intercom_stores=intercom)
        last: Value = None
        for app, held, _ in live(pair, [(w if w != "sync" else "look", v) for w, v in steps]):
            if app is None and held == last:
                assert pair.app["field"] is None
                assert (pair.intercom or {}).get("field") is None
            last = (pair.intercom or {}).get("field")

    @quick
    @given(EDITS)
    def test_filling_never_takes_a_value_from_the_app(self, steps: list[tuple[str, Any]]) -> None:
        pair = new(Policy.FILL)
        for app, _, _ in live(pair, steps):
            assert app is None or pair.app["field"] == app

    @quick
    @given(TICKS, st.sampled_from([as_sent, refuse]))
    def test_the_latest_time_never_moves_backwards(
        self, steps: list[tuple[str, Any]], app_stores: Stores
    ) -> None:
        pair = new(Policy.LATER_VALUE, 0, app_stores=app_stores)
        for app, intercom, done in live(pair, steps):
            held = time_of(pair.app["field"]), time_of((pair.intercom or {})["field"])
            before = time_of(app), time_of(intercom)
            assert held[0] >= before[0]
            assert held[1] >= before[1]
            if app_stores is as_sent and done.calls:
                assert held[0] == held[1] == max(before)

    @quick
    @given(EDITS)
    def test_an_owner_in_intercom_loses_nothing(self, steps: list[tuple[str, Any]]) -> None:
        pair, had = new(Policy.INTERCOM), False
        for app, intercom, _ in live(pair, [(w if w != "sync" else "look", v) for w, v in steps]):
            had = had or intercom is not None
            if intercom is not None:
                assert (pair.app["field"], pair.intercom) == (intercom, {"field": intercom})
            elif not had:
                assert pair.app["field"] == app
            had = had or (pair.intercom or {}).get("field") is not None


# --- crashes --------------------------------------------------------------------------------------


def crash(pair: Pair, *, landed: bool) -> None:
    """A pass dies at its last PUT, which Intercom took or not; only the note of it is left."""
    look, shadow = pair.look, pair.shadow
    pair.shadow, pair.look = dict(pair.intercom or {}), Freshness.FRESH
    plan = pair.plan()
    pair.in_flight = plan.in_flight(exists=True)
    if landed and pair.intercom is not None:
        pair.intercom |= plan.to_intercom
    pair.look, pair.shadow = look, shadow


class TestCrashes:
    def pair(self, app: Value, intercom: Value) -> Pair:
        agreed: dict[str, Value] = {"field": "ada"}
        return Pair(
            (field_of(Policy.LAST_WRITER),),
            {"field": app},
            {"field": intercom},
            dict(agreed),
            agreed,
        )

    def test_an_operators_edit_after_a_put_that_was_not_recorded_wins(self) -> None:
        pair = self.pair("bob", "ada")
        crash(pair, landed=True)
        assert pair.intercom == {"field": "bob"}
        pair.intercom = {"field": "cy"}

        pair.sync()

        assert (pair.app, pair.intercom) == ({"field": "cy"}, {"field": "cy"})

    def test_an_operators_edit_before_a_put_that_was_never_made_loses_as_it_would_have(
        self,
    ) -> None:
        pair = self.pair("bob", "cy")
        crash(pair, landed=False)
        assert pair.in_flight == {"field": "bob", BEFORE + "field": "cy"}

        pair.sync()

        assert (pair.app, pair.intercom) == ({"field": "bob"}, {"field": "bob"})

    @pytest.mark.parametrize("landed", [True, False])
    @pytest.mark.parametrize("policy", Policy)
    def test_after_a_crash_both_sides_are_as_without_it(self, policy: Policy, landed: bool) -> None:
        for situation in situations("look"):
            if situation.policy is not policy or situation.intercom is NO_CONTACT:
                continue
            pair, spared = situation.pair(), situation.pair()
            spared.sync(must_read_first=True)
            crash(pair, landed=landed)

            pair.sync(must_read_first=True)

            assert (pair.app, pair.intercom) == (spared.app, spared.intercom), situation
            assert pair.sync(must_read_first=True).puts == []


# --- order ----------------------------------------------------------------------------------------


def test_the_order_of_fields_is_of_no_account() -> None:
    fields = [replace(field_of(policy), name=policy.value) for policy in OF_TEXTS]
    fields.append(replace(NAME, name="other"))
    names = [each.name for each in fields]
    sight = FieldInputs(
        {name: "ada" for name in names[::2]},
        dict(zip(names, cycle(["bob", None, None, "ada", None]))),
        dict(zip(names, cycle(["cy", "cy", "ada", "cy", "b"]))),
        Freshness.FRESH,
        refused={"last_writer": "eve"},
        accepted={"app": ("x", "y")},
    )
    plans = [reconcile(order, sight) for order in permutations(fields)]

    assert len({frozenset(plan.decisions) for plan in plans}) == 1
    assert all(plan.to_app == plans[0].to_app for plan in plans)
    assert all(plan.agreed({}) == plans[0].agreed({}) for plan in plans)
