"""Base + app + Intercom -> one decision per field. Pure, and the heart of the project.

A decision says what both sides shall hold and which side must be written. It is taken twice in a
pass: on what we remember (a *stale* look), where everything that needs Intercom's present value is
deferred, and again on Intercom's answer (a *fresh* look). Deferring costs a call at most; deciding
on a stale value costs somebody's edit (sync-protocol sections 5 and 6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from intercom_assets.domain.fields import TIME_ZONE, Field, Policy
from intercom_assets.domain.models import Side, UserLink, Value, Values
from intercom_assets.domain.timezones import Place, ZoneBook, in_dialect_of


class Look(Enum):
    """How well Intercom's values are known.

    STALE: remembered, or from a listing. RECENT: read by id at most 15 minutes ago, good enough
    for `latest`. FRESH: an answer by id in this pass.
    """

    STALE = 0
    RECENT = 1
    FRESH = 2


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one user (or team) when deciding. Values are keyed by field name."""

    base: Values
    app: Values
    intercom: Values
    look: Look
    from_oauth: bool = False
    clear_unusable: bool = True
    accepted: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    refused: Values = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    book: ZoneBook | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`value` is what both sides shall hold; None for `write_to` means nothing to write.

    `deferred`: it needs a fresh look first; `write_to` is not to be acted on.
    `overruled`: somebody's edit in Intercom loses, and shall be journaled.
    """

    field: Field
    value: Value
    app: Value
    intercom: Value
    write_to: Side | None = None
    deferred: bool = False
    overruled: bool = False
    why: str = ""

    @property
    def is_due(self) -> bool:
        return self.write_to is not None and not self.deferred


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All decisions of one user. `to_app`, `to_intercom`: field name -> value to write now."""

    decisions: tuple[Decision, ...]

    @property
    def to_app(self) -> Values:
        return {d.field.name: d.value for d in self.decisions if d.is_due and _writes_app(d)}

    @property
    def to_intercom(self) -> Values:
        return {d.field.name: d.value for d in self.decisions if d.is_due and not _writes_app(d)}

    @property
    def deferred(self) -> tuple[str, ...]:
        return tuple(d.field.name for d in self.decisions if d.deferred)

    @property
    def overruled(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.decisions if d.overruled and d.is_due)

    @property
    def settled(self) -> bool:
        return not any(d.deferred or d.write_to for d in self.decisions)

    def agreed(self, base: Values) -> Values:
        """The new base: `base`, with every field on which both sides now agree."""
        return {**base, **{d.field.name: d.value for d in self.decisions if _agrees(d)}}


def _writes_app(decision: Decision) -> bool:
    return decision.write_to is Side.APP


def _agrees(decision: Decision) -> bool:
    return decision.field.same(decision.app, decision.intercom)


def reconcile(fields: Iterable[Field], sight: Sight) -> Reconciliation:
    """Decides every field, independently of their order."""
    decisions: list[Decision] = []
    for each in fields:
        if each.name == TIME_ZONE:
            decisions.extend(_decide_zone(each, sight))
        else:
            decisions.append(_decide_field(each, sight))
    return Reconciliation(tuple(decisions))


def landed(link: UserLink, fields: Mapping[str, Field], intercom: Values) -> Values:
    """The base after a crash: what was in flight and is there now was agreed on, by us.

    Without this an operator's later edit looks like "both moved", and a value of our own like an
    operator's (sync-protocol section 4).
    """
    ours = {
        name: value
        for name, value in link.in_flight.items()
        if name in fields and fields[name].same(value, intercom.get(name))
    }
    return {**link.base, **ours}


def _decide_field(each: Field, sight: Sight) -> Decision:
    app, intercom = sight.app.get(each.name), sight.intercom.get(each.name)
    sent, got = sight.accepted.get(each.name, (app, app))
    if each.same(app, sent) and each.same(intercom, got):
        return Decision(each, app, app, app, why="equal, or Intercom's own form of what was sent")
    if each.same(app, intercom):
        return Decision(each, app, app, intercom)
    return _POLICIES[each.policy](each, sight, app, intercom)


def _app(each: Field, sight: Sight, app: Value, intercom: Value) -> Decision:
    return Decision(
        each,
        app,
        app,
        intercom,
        Side.INTERCOM,
        overruled=_moved(each, sight, intercom),
        why="the app owns it",
    )


def _intercom(each: Field, sight: Sight, app: Value, intercom: Value) -> Decision:
    if intercom is None and sight.base.get(each.name) is None:
        return Decision(each, app, app, intercom, Side.INTERCOM, why="Intercom has none")
    return _pull(each, sight, app, intercom, "Intercom owns it")


def _fill(each: Field, sight: Sight, app: Value, intercom: Value) -> Decision:
    if app is not None:
        return _app(each, sight, app, intercom)
    if not _usable(each, sight, intercom):
        if not sight.clear_unusable:
            return Decision(each, None, app, intercom, why="Intercom's is not usable; kept")
        return _clear(each, sight, intercom, "Intercom's is not usable for the app")
    if each.name in sight.base and each.same(intercom, sight.base[each.name]):
        return _clear(each, sight, intercom, "the app cleared it")
    return _pull(each, sight, app, intercom, "the app has none")


def _latest(each: Field, sight: Sight, app: Value, intercom: Value) -> Decision:
    unsure = sight.look is Look.STALE
    if _time(app) > _time(intercom):
        why = "the app's is later"
        return Decision(each, app, app, intercom, Side.INTERCOM, deferred=unsure, why=why)
    return _pull(each, sight, app, intercom, "Intercom's is later", deferred=unsure)


def _newest(each: Field, sight: Sight, app: Value, intercom: Value) -> Decision:
    known = each.name in sight.base
    base = sight.base.get(each.name)
    app_moved = not each.same(app, base) if known else app is not None
    if not app_moved:
        return _pull(each, sight, app, intercom, "only Intercom's moved")
    return Decision(
        each,
        app,
        app,
        intercom,
        Side.INTERCOM,
        deferred=sight.look is not Look.FRESH,
        overruled=_moved(each, sight, intercom),
        why="the app's moved",
    )


_POLICIES = {
    Policy.APP: _app,
    Policy.INTERCOM: _intercom,
    Policy.FILL: _fill,
    Policy.LATEST: _latest,
    Policy.NEWEST: _newest,
}


def _pull(
    each: Field, sight: Sight, app: Value, intercom: Value, why: str, deferred: bool | None = None
) -> Decision:
    """Intercom's value for the app, unless the app has nowhere to put it or would not store it."""
    if not each.pulled:
        return Decision(each, app, app, intercom, why="no write-back column")
    if each.name in sight.refused and each.same(intercom, sight.refused[each.name]):
        return Decision(each, app, app, intercom, why="the app refused this value before")
    if deferred is None:
        deferred = sight.look is not Look.FRESH
    return Decision(each, intercom, app, intercom, Side.APP, deferred=deferred, why=why)


def _clear(each: Field, sight: Sight, intercom: Value, why: str) -> Decision:
    deferred = sight.look is not Look.FRESH
    overruled = _moved(each, sight, intercom)
    return Decision(each, None, None, intercom, Side.INTERCOM, deferred, overruled, why)


def _moved(each: Field, sight: Sight, intercom: Value) -> bool:
    """Whether Intercom's value was changed there since both sides agreed."""
    return each.name in sight.base and not each.same(intercom, sight.base[each.name])


def _usable(each: Field, sight: Sight, intercom: Value) -> bool:
    long_enough = len(str(intercom)) >= each.shortest
    return long_enough and (each.from_oauth or not sight.from_oauth)


def _time(value: Value) -> float:
    return value if isinstance(value, int | float) else float("-inf")


def _decide_zone(each: Field, sight: Sight) -> list[Decision]:
    """The app's zone, from where Intercom says that the person is; then its custom attribute.

    The attribute shows the zone that was decided, so it waits where the zone must wait.
    """
    zone = _pull_zone(each, sight)
    shown = zone.value if zone else sight.app.get(each.name)
    attribute = _decide_field(
        replace(each, policy=Policy.APP), replace(sight, app={**sight.app, each.name: shown})
    )
    if zone and zone.deferred and attribute.write_to:
        attribute = replace(attribute, deferred=True)
    return [zone, attribute] if zone else [attribute]


def _pull_zone(each: Field, sight: Sight) -> Decision | None:
    """The write to the app's zone that Intercom's knowledge of the place calls for, if any."""
    app, book = sight.app.get(each.name), sight.book
    wanted = sight.place.stated or (sight.place.derived if app is None else None)
    if book is None or wanted is None or not each.pulled or not _zone_may_move(each, sight, app):
        return None
    meaning = book.meaning(app) if isinstance(app, str) else None
    value = in_dialect_of(app if isinstance(app, str) else None, wanted)
    if meaning == wanted or each.same(sight.refused.get(each.name), value):
        return None
    why = "Intercom states where the person is"
    if wanted != sight.place.stated:
        why = "the person's country has a single zone"
    return Decision(
        each, value, app, wanted, Side.APP, deferred=sight.look is not Look.FRESH, why=why
    )


def _zone_may_move(each: Field, sight: Sight, app: Value) -> bool:
    match each.policy:
        case Policy.APP:
            return False
        case Policy.FILL:
            return app is None
        case Policy.NEWEST:
            return each.name not in sight.base or each.same(app, sight.base[each.name])
        case _:
            return True
