"""The time zone: what Intercom knows of a place against what the app holds, and what is shown.

Two decisions belong to this one field: the app's zone, and the custom attribute that shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from intercom_assets.domain.decisions import CONSIDERED_ZONE, Freshness, Reconciliation
from intercom_assets.domain.fields import TIME_ZONE, Policy
from intercom_assets.domain.models import Side, Value
from intercom_assets.domain.reconcile import not_stored
from intercom_assets.domain.timezones import GeoHint, ZoneBook
from intercom_assets_tests.domain.field_decisions import NEVER, ZONE, plan_of
from intercom_assets_tests.domain.passes import Pair, RefusesError, Stores, as_sent

BERLIN, LONDON, PARIS = "Europe/Berlin", "Europe/London", "Europe/Paris"
BOOK = ZoneBook(frozenset({BERLIN, LONDON, PARIS, "Europe/Old"}), {"Europe/Old": BERLIN})
IN_BERLIN, FROM_PARIS = GeoHint(stated=BERLIN), GeoHint(derived=PARIS)


def zone_plan(policy: Policy = Policy.INTERCOM, **known: Any) -> Reconciliation:
    pulled = known.pop("pulled", True)
    for name, usual in (("place", IN_BERLIN), ("book", BOOK)):
        known.setdefault(name, usual)
    return plan_of(replace(ZONE, policy=policy, pulled=pulled), **known)


def moved(plan: Reconciliation) -> tuple[Value, Value]:
    """The zone for the app and the one shown in Intercom, as written now; None for no write."""
    return plan.to_app.get(TIME_ZONE), plan.to_intercom.get(TIME_ZONE)


class TestAStatedZone:
    @pytest.mark.parametrize("app", [None, LONDON, "London", "junk"])
    def test_it_replaces_the_apps_and_is_shown(self, app: Value) -> None:
        written = "Berlin" if app == "London" else BERLIN

        assert moved(zone_plan(app=app, intercom=app)) == (written, written)

    @pytest.mark.parametrize("app", [BERLIN, "Berlin", "Europe/Old"])
    def test_a_name_that_means_it_is_left_as_the_app_writes_it(self, app: str) -> None:
        assert zone_plan(app=app, intercom=app).settled
        assert moved(zone_plan(app=app, intercom=None)) == (None, app)

    def test_the_decision_tells_both_values_and_why(self) -> None:
        (zone, attribute) = zone_plan(app=LONDON, intercom=LONDON).decisions

        assert (zone.app, zone.intercom, zone.value) == (LONDON, BERLIN, BERLIN)
        assert zone.why == "Intercom states where the person is"
        assert attribute.write_to is Side.INTERCOM

    @pytest.mark.parametrize("policy", Policy)
    def test_what_is_told_is_who_wins_by_the_mapping(self, policy: Policy) -> None:
        """The attribute is always pushed; that is no policy of anybody's."""
        decisions = zone_plan(policy, app=LONDON, intercom=PARIS).decisions
        (attribute,) = (d for d in decisions if d.write_to is Side.INTERCOM)

        assert attribute.field.policy is policy
        assert attribute.why == "shows the app's zone"

    def test_where_it_is_shown_already_nothing_is_said_of_it(self) -> None:
        (_, attribute) = zone_plan(app=LONDON, intercom=BERLIN).decisions

        assert (attribute.write_to, attribute.why) == (None, "equal")

    def test_a_number_in_the_apps_column_is_no_zone(self) -> None:
        assert moved(zone_plan(app=5, intercom=5)) == (BERLIN, BERLIN)


class TestADerivedZone:
    def test_it_fills_an_empty_one(self) -> None:
        plan = zone_plan(place=FROM_PARIS)

        assert moved(plan) == (PARIS, PARIS)
        assert plan.decisions[0].why == "the person's country has a single zone"

    def test_it_never_replaces_the_apps(self) -> None:
        assert zone_plan(place=FROM_PARIS, app=LONDON, intercom=LONDON).settled
        assert zone_plan(place=FROM_PARIS, app="junk", intercom="junk").settled

    def test_a_stated_one_goes_before(self) -> None:
        assert moved(zone_plan(place=GeoHint(BERLIN, PARIS))) == (BERLIN, BERLIN)
        assert zone_plan(place=GeoHint(BERLIN, PARIS)).decisions[0].why == (
            "Intercom states where the person is"
        )


class TestWithoutAZoneToTake:
    """The app's zone is still shown: the attribute is the app's."""

    @pytest.mark.parametrize(
        "known",
        [
            {"place": GeoHint()},
            {"place": GeoHint(unknown="+1000")},
            {"place": GeoHint(), "refused": {TIME_ZONE: BERLIN}},
            {"book": None},
            {"pulled": False},
            {"refused": {TIME_ZONE: BERLIN}},
        ],
        ids=["nothing known", "no zone", "nothing since", "no book", "no column", "refused"],
    )
    def test_the_apps_zone_stays_and_is_shown(self, known: dict[str, Any]) -> None:
        assert moved(zone_plan(app=LONDON, **known)) == (None, LONDON)
        assert zone_plan(app=LONDON, intercom=LONDON, **known).settled

    def test_a_zone_shown_otherwise_is_corrected_and_its_editor_told(self) -> None:
        plan = zone_plan(app=BERLIN, intercom=PARIS, base=BERLIN)

        assert moved(plan) == (None, BERLIN)
        assert [decision.field.name for decision in plan.overruled] == [TIME_ZONE]

    def test_what_the_app_refused_in_its_own_words_is_not_offered_again(self) -> None:
        plan = zone_plan(app="London", intercom="London", refused={TIME_ZONE: "Berlin"})

        assert plan.settled

    def test_a_zone_that_was_refused_under_one_name_is_refused_under_its_others(self) -> None:
        """The app had "London", was offered "Berlin", and stored something else altogether."""
        assert zone_plan(app="junk", intercom="junk", refused={TIME_ZONE: "Berlin"}).settled

    def test_another_zone_than_the_refused_one_is_offered(self) -> None:
        plan = zone_plan(app=LONDON, intercom=LONDON, refused={TIME_ZONE: PARIS, "name": BERLIN})

        assert moved(plan) == (BERLIN, BERLIN)


class TestLooks:
    def test_a_remembered_place_waits_and_so_does_what_is_shown(self) -> None:
        plan = zone_plan(app=LONDON, intercom=LONDON, look=Freshness.STALE)

        assert moved(plan) == (None, None)
        assert plan.deferred == (TIME_ZONE, TIME_ZONE)

    def test_where_it_is_shown_already_only_the_app_waits(self) -> None:
        plan = zone_plan(app=LONDON, intercom=BERLIN, look=Freshness.STALE)

        assert plan.deferred == (TIME_ZONE,)
        assert plan.decisions[1].write_to is None

    def test_without_a_place_the_apps_zone_is_shown_at_once(self) -> None:
        plan = zone_plan(app=LONDON, intercom=BERLIN, look=Freshness.STALE, place=GeoHint())

        assert moved(plan) == (None, LONDON)


class TestPolicies:
    def test_under_app_the_app_keeps_its_zone(self) -> None:
        assert moved(zone_plan(Policy.APP, app=LONDON)) == (None, LONDON)
        assert moved(zone_plan(Policy.APP)) == (None, None)

    @pytest.mark.parametrize("policy", [Policy.INTERCOM, Policy.LATER_VALUE])
    @pytest.mark.parametrize("base", [NEVER, LONDON, PARIS])
    def test_under_intercom_the_place_always_wins(self, policy: Policy, base: Value) -> None:
        assert moved(zone_plan(policy, app=LONDON, base=base)) == (BERLIN, BERLIN)

    def test_under_fill_only_an_empty_zone_is_filled(self) -> None:
        assert moved(zone_plan(Policy.FILL)) == (BERLIN, BERLIN)
        assert moved(zone_plan(Policy.FILL, app=LONDON)) == (None, LONDON)

    def test_under_newest_the_place_wins_where_the_app_has_not_moved(self) -> None:
        known = {"app": LONDON, "intercom": LONDON}

        assert moved(zone_plan(Policy.LAST_WRITER, **known, base=LONDON)) == (BERLIN, BERLIN)
        assert zone_plan(Policy.LAST_WRITER, **known, base=PARIS).to_app == {}
        assert zone_plan(Policy.LAST_WRITER, **known).to_app == {}
        assert moved(zone_plan(Policy.LAST_WRITER)) == (BERLIN, BERLIN)

    @pytest.mark.parametrize("policy", [Policy.FILL, Policy.LAST_WRITER])
    @pytest.mark.parametrize("where", [IN_BERLIN, FROM_PARIS])
    def test_a_place_that_was_considered_is_agreed_on(self, policy: Policy, where: GeoHint) -> None:
        agreed = zone_plan(policy, app=LONDON, intercom=LONDON, place=where).agreed({})

        assert agreed == {TIME_ZONE: LONDON, CONSIDERED_ZONE.name: where.stated or where.derived}

    def test_it_is_stored_under_a_name_that_no_column_has(self) -> None:
        (_, considered) = zone_plan(Policy.LAST_WRITER, app=LONDON, intercom=LONDON).decisions

        assert considered.field.name == "place: time_zone"
        assert (considered.why, considered.write_to) == ("considered", None)

    @pytest.mark.parametrize("policy", [Policy.INTERCOM, Policy.APP, Policy.LATER_VALUE])
    def test_the_other_policies_need_not_remember_it(self, policy: Policy) -> None:
        agreed = zone_plan(policy, app=BERLIN, intercom=BERLIN).agreed({})

        assert agreed == {TIME_ZONE: BERLIN}

    def test_a_place_that_is_not_known_or_cannot_be_taken_is_not_remembered(self) -> None:
        known = {"app": LONDON, "intercom": LONDON}

        for more in ({"place": GeoHint()}, {"pulled": False}):
            assert zone_plan(Policy.LAST_WRITER, **known, **more).agreed({}) == {TIME_ZONE: LONDON}


def test_a_zone_is_agreed_on_only_once_the_app_has_it() -> None:
    """The app's row may be locked: what is shown already must not pass for the app's own."""
    plan = zone_plan(app=LONDON, intercom=BERLIN)

    assert plan.to_app == {TIME_ZONE: BERLIN}
    assert plan.agreed({TIME_ZONE: LONDON}) == {TIME_ZONE: LONDON}


def test_what_the_app_did_with_an_offered_zone_is_told() -> None:
    plan = zone_plan(app=LONDON, intercom=LONDON)

    assert not_stored(plan, {TIME_ZONE: BERLIN}) == {}
    assert not_stored(plan, {TIME_ZONE: LONDON}) == {TIME_ZONE: BERLIN}


# --- it settles -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Situation:
    policy: Policy
    base: Value
    considered: Value
    app: Value
    shown: Value
    place: GeoHint
    remembered: GeoHint
    must_read_first: bool

    def pair(self, **more: Any) -> Pair:
        base: dict[str, Value] = {TIME_ZONE: self.base, CONSIDERED_ZONE.name: self.considered}
        return Pair(
            (replace(ZONE, policy=self.policy),),
            {TIME_ZONE: self.app},
            {TIME_ZONE: self.shown},
            {TIME_ZONE: self.shown},
            {name: value for name, value in base.items() if value is not NEVER},
            place=self.place,
            shadow_place=self.remembered,
            book=BOOK,
            **more,
        )


def situations(policy: Policy) -> Iterator[Situation]:
    places = [GeoHint(), IN_BERLIN, GeoHint(LONDON, PARIS), FROM_PARIS]
    for parts in product(
        [NEVER, LONDON],
        [NEVER, BERLIN] if policy in (Policy.FILL, Policy.LAST_WRITER) else [NEVER],
        [None, LONDON, "London", "Berlin", "junk"],
        [None, BERLIN],
        places,
        [GeoHint(), IN_BERLIN],
        [True, False],
    ):
        yield Situation(policy, *parts)


def as_rails(_name: str, value: Value) -> Value:
    return {BERLIN: "Berlin", LONDON: "London"}.get(str(value), value)


def refuse(_name: str, _value: Value) -> Value:
    raise RefusesError


def ignore(_name: str, _value: Value) -> Value:
    return "junk"


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("app", [as_sent, as_rails, refuse, ignore])
def test_every_combination_of_zones_settles_in_one_pass(policy: Policy, app: Stores) -> None:
    for situation in situations(policy):
        pair = situation.pair(app_stores=app)
        first = pair.sync(must_read_first=situation.must_read_first)
        second, looked = pair.sync(), pair.sync(must_read_first=True)

        assert first.last.settled, situation
        assert second.did_nothing, situation
        assert not first.calls or looked.puts == looked.writes == [], situation


class TestInTheLongRun:
    @pytest.mark.parametrize("policy", [Policy.LAST_WRITER, Policy.FILL])
    def test_a_zone_chosen_in_the_app_stands_until_the_person_moves(self, policy: Policy) -> None:
        """Or the place that was known all along would win one pass later."""
        pair = Situation(policy, NEVER, NEVER, None, None, IN_BERLIN, GeoHint(), True).pair()
        pair.sync(must_read_first=True)
        assert pair.app == {TIME_ZONE: BERLIN}

        pair.app[TIME_ZONE] = LONDON
        for _ in range(2):
            pair.sync(must_read_first=True)
            assert (pair.app, pair.intercom) == ({TIME_ZONE: LONDON}, {TIME_ZONE: LONDON})

        pair.place = GeoHint(stated=PARIS)
        pair.sync(must_read_first=True)
        expected = PARIS if policy is Policy.LAST_WRITER else LONDON
        assert pair.app == pair.intercom == {TIME_ZONE: expected}

    @pytest.mark.parametrize("policy", [Policy.LAST_WRITER, Policy.FILL])
    def test_a_zone_that_the_app_cleared_is_not_resurrected(self, policy: Policy) -> None:
        pair = Situation(policy, NEVER, NEVER, None, None, IN_BERLIN, GeoHint(), True).pair()
        pair.sync(must_read_first=True)

        pair.app[TIME_ZONE] = None
        for _ in range(2):
            pair.sync(must_read_first=True)
            assert (pair.app, pair.intercom) == ({TIME_ZONE: None}, {TIME_ZONE: None})

    def test_a_place_that_is_not_told_for_a_while_is_not_forgotten(self) -> None:
        pair = Situation(
            Policy.LAST_WRITER, NEVER, NEVER, None, None, IN_BERLIN, GeoHint(), True
        ).pair()
        pair.sync(must_read_first=True)
        pair.app[TIME_ZONE] = LONDON
        for where in (GeoHint(), IN_BERLIN):
            pair.place = where
            pair.sync(must_read_first=True)

        assert pair.app == {TIME_ZONE: LONDON}
