"""The time zone: a place fills the app's empty one and replaces none, and what is shown.

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
IN_BERLIN, FROM_PARIS = GeoHint(located=BERLIN), GeoHint(of_country=PARIS)


def zone_plan(policy: Policy = Policy.INTERCOM, **known: Any) -> Reconciliation:
    pulled = known.pop("pulled", True)
    for name, usual in (("place", IN_BERLIN), ("book", BOOK)):
        known.setdefault(name, usual)
    return plan_of(replace(ZONE, policy=policy, pulled=pulled), **known)


def moved(plan: Reconciliation) -> tuple[Value, Value]:
    """The zone for the app and the one shown in Intercom, as written now; None for no write."""
    return plan.to_app.get(TIME_ZONE), plan.to_intercom.get(TIME_ZONE)


class TestAnEmptyZone:
    @pytest.mark.parametrize(
        ("place", "zone", "why"),
        [
            (IN_BERLIN, BERLIN, "where Intercom takes the person to be"),
            (FROM_PARIS, PARIS, "the person's country has a single zone"),
            (GeoHint(BERLIN, PARIS), BERLIN, "where Intercom takes the person to be"),
        ],
        ids=["located", "of the country", "both"],
    )
    def test_it_is_filled_and_shown(self, place: GeoHint, zone: str, why: str) -> None:
        plan = zone_plan(place=place)

        assert moved(plan) == (zone, zone)
        assert plan.decisions[0].why == why

    def test_the_decision_tells_both_values(self) -> None:
        (zone, attribute) = zone_plan(intercom=LONDON).decisions

        assert (zone.app, zone.intercom, zone.value) == (None, BERLIN, BERLIN)
        assert attribute.write_to is Side.INTERCOM

    @pytest.mark.parametrize("policy", Policy)
    def test_what_is_told_is_who_wins_by_the_mapping(self, policy: Policy) -> None:
        """The attribute is always pushed; that is no policy of anybody's."""
        decisions = zone_plan(policy, app=LONDON, intercom=PARIS).decisions
        (attribute,) = (d for d in decisions if d.write_to is Side.INTERCOM)

        assert attribute.field.policy is policy
        assert attribute.why == "shows the app's zone"

    def test_where_it_is_shown_already_nothing_is_said_of_it(self) -> None:
        (_, attribute) = zone_plan(intercom=BERLIN).decisions

        assert (attribute.write_to, attribute.why) == (None, "equal")


class TestAZoneThatTheAppHas:
    @pytest.mark.parametrize("policy", Policy)
    @pytest.mark.parametrize("place", [IN_BERLIN, FROM_PARIS, GeoHint(BERLIN, PARIS)])
    @pytest.mark.parametrize("app", [LONDON, "London", "junk", 5])
    @pytest.mark.parametrize("base", [NEVER, None, LONDON, BERLIN])
    def test_no_policy_lets_a_place_replace_it(
        self, policy: Policy, place: GeoHint, app: Value, base: Value
    ) -> None:
        plan = zone_plan(policy, place=place, app=app, intercom=BERLIN, base=base)

        assert moved(plan) == (None, app)


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
    def test_an_empty_zone_stays_and_is_shown_as_such(self, known: dict[str, Any]) -> None:
        assert moved(zone_plan(intercom=LONDON, **known)) == (None, None)
        assert zone_plan(intercom=LONDON, **known).to_intercom == {TIME_ZONE: None}
        assert zone_plan(**known).settled

    def test_a_zone_shown_otherwise_is_corrected_and_its_editor_told(self) -> None:
        plan = zone_plan(app=BERLIN, intercom=PARIS, base=BERLIN)

        assert moved(plan) == (None, BERLIN)
        assert [decision.field.name for decision in plan.overruled] == [TIME_ZONE]

    def test_a_zone_that_was_refused_under_one_name_is_refused_under_its_others(self) -> None:
        assert zone_plan(refused={TIME_ZONE: "Berlin"}).settled
        assert zone_plan(refused={TIME_ZONE: "Europe/Old"}).settled

    def test_another_zone_than_the_refused_one_is_offered(self) -> None:
        plan = zone_plan(refused={TIME_ZONE: PARIS, "name": BERLIN})

        assert moved(plan) == (BERLIN, BERLIN)


class TestLooks:
    def test_a_remembered_place_waits_and_so_does_what_is_shown(self) -> None:
        plan = zone_plan(intercom=LONDON, look=Freshness.STALE)

        assert moved(plan) == (None, None)
        assert plan.deferred == (TIME_ZONE, TIME_ZONE)

    def test_where_it_is_shown_already_only_the_app_waits(self) -> None:
        plan = zone_plan(intercom=BERLIN, look=Freshness.STALE)

        assert plan.deferred == (TIME_ZONE,)
        assert plan.decisions[1].write_to is None

    def test_without_a_place_the_apps_zone_is_shown_at_once(self) -> None:
        plan = zone_plan(app=LONDON, intercom=BERLIN, look=Freshness.STALE, place=GeoHint())

        assert moved(plan) == (None, LONDON)


class TestPolicies:
    @pytest.mark.parametrize("policy", [Policy.APP, Policy.OPT_OUT])
    def test_under_app_an_empty_zone_stays_empty(self, policy: Policy) -> None:
        assert moved(zone_plan(policy)) == (None, None)

    @pytest.mark.parametrize("policy", [Policy.INTERCOM, Policy.LATER_VALUE])
    @pytest.mark.parametrize("considered", [NEVER, BERLIN, PARIS])
    def test_under_intercom_it_is_filled_as_often_as_it_is_empty(
        self, policy: Policy, considered: Value
    ) -> None:
        assert self._filled(policy, considered)

    @pytest.mark.parametrize("policy", [Policy.FILL, Policy.LAST_WRITER])
    def test_under_fill_a_place_fills_it_once(self, policy: Policy) -> None:
        assert self._filled(policy, NEVER)
        assert self._filled(policy, PARIS)
        assert not self._filled(policy, BERLIN)

    def _filled(self, policy: Policy, considered: Value) -> bool:
        pair = Situation(policy, NEVER, considered, None, None, IN_BERLIN, GeoHint(), True).pair()
        pair.sync(must_read_first=True)
        return pair.app == {TIME_ZONE: BERLIN}

    @pytest.mark.parametrize("policy", [Policy.FILL, Policy.LAST_WRITER])
    @pytest.mark.parametrize("where", [IN_BERLIN, FROM_PARIS])
    def test_a_place_that_was_considered_is_agreed_on(self, policy: Policy, where: GeoHint) -> None:
        agreed = zone_plan(policy, app=LONDON, intercom=LONDON, place=where).agreed({})

        assert agreed == {TIME_ZONE: LONDON, CONSIDERED_ZONE.name: where.zone}

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
    plan = zone_plan(intercom=BERLIN)

    assert plan.to_app == {TIME_ZONE: BERLIN}
    assert plan.agreed({TIME_ZONE: None}) == {TIME_ZONE: None}


def test_what_the_app_did_with_an_offered_zone_is_told() -> None:
    plan = zone_plan()

    assert not_stored(plan, {TIME_ZONE: BERLIN}) == {}
    assert not_stored(plan, {TIME_ZONE: None}) == {TIME_ZONE: BERLIN}


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
    def test_a_zone_chosen_in_the_app_stands_wherever_the_person_goes(self, policy: Policy) -> None:
        pair = Situation(policy, NEVER, NEVER, None, None, IN_BERLIN, GeoHint(), True).pair()
        pair.sync(must_read_first=True)
        assert pair.app == {TIME_ZONE: BERLIN}

        pair.app[TIME_ZONE] = LONDON
        for _ in range(2):
            pair.sync(must_read_first=True)
            assert (pair.app, pair.intercom) == ({TIME_ZONE: LONDON}, {TIME_ZONE: LONDON})

        pair.place = GeoHint(located=PARIS)
        pair.sync(must_read_first=True)
        assert pair.app == pair.intercom == {TIME_ZONE: LONDON}

    @pytest.mark.parametrize("policy", [Policy.LAST_WRITER, Policy.FILL])
    def test_a_zone_that_the_app_cleared_is_not_resurrected(self, policy: Policy) -> None:
        pair = Situation(policy, NEVER, NEVER, None, None, IN_BERLIN, GeoHint(), True).pair()
        pair.sync(must_read_first=True)

        pair.app[TIME_ZONE] = None
        for _ in range(2):
            pair.sync(must_read_first=True)
            assert (pair.app, pair.intercom) == ({TIME_ZONE: None}, {TIME_ZONE: None})

        pair.place = FROM_PARIS
        pair.sync(must_read_first=True)
        assert pair.app == pair.intercom == {TIME_ZONE: PARIS}

    def test_a_place_that_is_not_told_for_a_while_is_not_forgotten(self) -> None:
        pair = Situation(
            Policy.LAST_WRITER, NEVER, NEVER, None, None, IN_BERLIN, GeoHint(), True
        ).pair()
        pair.sync(must_read_first=True)
        pair.app[TIME_ZONE] = None
        for where in (GeoHint(), IN_BERLIN):
            pair.place = where
            pair.sync(must_read_first=True)

        assert pair.app == {TIME_ZONE: None}
