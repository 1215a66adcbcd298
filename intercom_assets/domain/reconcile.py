"""Base + app + Intercom -> one decision per field. Pure, and the heart of the project.

A decision says what both sides shall hold and which side must be written. It is taken twice in a
pass: on what we remember (a *stale* look), where everything that needs Intercom's present value is
deferred, and again on Intercom's answer (a *fresh* look). Deferring costs a call at most; deciding
on a stale value costs somebody's edit (docs/dev/protocol.md#one-call-per-change).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import NamedTuple

from intercom_assets.domain.fields import TIME_ZONE, Field, Policy
from intercom_assets.domain.models import Kind, LeftOut, Side, UserLink, Value, Values
from intercom_assets.domain.timezones import GeoHint, ZoneBook, in_dialect_of

BEFORE = "before: "
"""Marks, beside what is in flight, what Intercom held; no column's name has a colon."""
UNDONE = "reverted by an operator; it stays until one side changes"
CONSIDERED_ZONE = Field("place: time_zone", "time_zone", Kind.STRING, Policy.INTERCOM)
"""Not a field of a mapping: the base's key for the zone that Intercom's place stood for."""


class Freshness(Enum):
    """How well Intercom's values are known.

    STALE: remembered, or from a listing. FRESH: an answer by id in this pass.
    """

    STALE = auto()
    FRESH = auto()


@dataclass(frozen=True, slots=True)
class FieldInputs:
    """What is known of one user (or team) when deciding. Values are keyed by field name."""

    base: Values
    app: Values
    intercom: Values
    look: Freshness
    from_oauth: bool = False
    clear_unusable: bool = True
    accepted: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    refused: Values = field(default_factory=dict)
    undone: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    place: GeoHint = field(default_factory=GeoHint)
    book: ZoneBook | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`value` is what both sides shall hold; None for `write_to` means nothing to write.

    `deferred`: it needs a fresh look first; `write_to` is not to be acted on before.
    `overruled`: somebody's edit in Intercom loses, and shall be journaled. `left_out`: it would be
    written to Intercom, but for what became of this value there before.
    """

    field: Field
    value: Value
    app: Value
    intercom: Value
    write_to: Side | None = None
    deferred: bool = False
    overruled: bool = False
    why: str = ""
    left_out: bool = False

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
        return not any(d.write_to for d in self.decisions)

    def sending(self, names: Collection[str]) -> "Reconciliation":
        """As if of what is due to Intercom only these fields had been decided to be sent."""
        kept = (d for d in self.decisions if _writes_app(d) or d.field.name in names)
        return Reconciliation(tuple(kept))

    def agreed(self, base: Values) -> Values:
        """The new base: `base`, with every field on which both sides now agree."""
        apart = {d.field.name for d in self.decisions if not _agrees(d)}
        now = {d.field.name: d.value for d in self.decisions if d.field.name not in apart}
        return {**base, **now}

    def in_flight(self, *, exists: bool) -> Values:
        """What to note before `to_intercom` is sent, for `landed` to read after a crash.

        Where the contact `exists`, with what Intercom held: under `BEFORE` and the field's name.
        """
        sent = [d for d in self.decisions if d.is_due and not _writes_app(d)]
        before = {BEFORE + d.field.name: d.intercom for d in sent} if exists else {}
        return {**self.to_intercom, **before}


def _writes_app(decision: Decision) -> bool:
    return decision.write_to is Side.APP


def _agrees(decision: Decision) -> bool:
    return decision.field.same(decision.app, decision.intercom)


def reconcile(fields: Iterable[Field], sight: FieldInputs) -> Reconciliation:
    """Decides every field, independently of their order."""
    decisions: list[Decision] = []
    for each in fields:
        if each.name == TIME_ZONE:
            decisions.extend(_decide_zone(each, sight))
        else:
            decisions.append(_decide_field(each, sight))
    return Reconciliation(tuple(decisions))


def landed(link: UserLink, fields: Mapping[str, Field], intercom: Values) -> Values:
    """The base after a crash: what was in flight was agreed on, by us, if it got there.

    It did if Intercom holds it now, or holds neither it nor what was there before: then somebody
    wrote over it since, and that is an edit of its own, not "both moved"
    (docs/dev/protocol.md#landed-but-not-recorded).
    """
    ours = {
        name: sent
        for name, sent in link.in_flight.items()
        if name in fields and _got_there(fields[name], link.in_flight, intercom.get(name))
    }
    return {**link.base, **ours}


def _got_there(each: Field, in_flight: Values, now: Value) -> bool:
    before = in_flight.get(BEFORE + each.name, now)
    return each.same(now, in_flight[each.name]) or not each.same(now, before)


def not_stored(decided: Reconciliation, stored: Values) -> Values:
    """What the app was offered and did not store as offered: refused, or kept in another form.

    `stored`: the app's row as read after the write-back. Remembered as `refused`, so that it is
    not offered again until Intercom's value changes (docs/dev/protocol.md#writing-back-to-the-app).
    """
    offered = {d.field.name: d for d in decided.decisions if d.is_due and _writes_app(d)}
    return {
        name: decision.value
        for name, decision in offered.items()
        if not decision.field.same(decision.value, stored.get(name))
    }


def _decide_field(each: Field, sight: FieldInputs) -> Decision:
    app, intercom = sight.app.get(each.name), sight.intercom.get(each.name)
    if each.same(app, intercom):
        return Decision(each, app, app, intercom, why="equal")
    if _is_form_of(each, sight, app, intercom):
        return Decision(each, app, app, app, why="Intercom's own form of what was sent")
    if stays_undone(each, sight.undone, app, intercom):
        return Decision(each, app, app, intercom, why=UNDONE)
    return _unless_left_out(RULES[each.policy].decide(each, sight, app, intercom), sight)


def _unless_left_out(decision: Decision, sight: FieldInputs) -> Decision:
    """A value that was refused or contested is not sent again; Intercom's may still be taken."""
    known = sight.left_out.get(decision.field.name)
    if known is None or not known.is_of_value or decision.write_to is not Side.INTERCOM:
        return decision
    if not decision.field.same(decision.value, known.value):
        return decision
    return replace(
        decision,
        write_to=None,
        deferred=False,
        overruled=False,
        why=f"left out: {known.why}",
        left_out=True,
    )


def stays_undone(
    each: Field, undone: Mapping[str, tuple[Value, Value]], app: Value, intercom: Value
) -> bool:
    """Whether both sides are as an operator's undo left them."""
    if each.name not in undone:
        return False
    then_app, then_intercom = undone[each.name]
    return each.same(app, then_app) and each.same(intercom, then_intercom)


def _app(each: Field, sight: FieldInputs, app: Value, intercom: Value) -> Decision:
    return Decision(
        each,
        app,
        app,
        intercom,
        Side.INTERCOM,
        overruled=_moved(each, sight, intercom),
        why="the app owns it",
    )


def _intercom(each: Field, sight: FieldInputs, app: Value, intercom: Value) -> Decision:
    if intercom is None and sight.base.get(each.name) is None:
        unsure = sight.look is not Freshness.FRESH
        why = "Intercom has none"
        return Decision(each, app, app, intercom, Side.INTERCOM, deferred=unsure, why=why)
    return _pull(each, sight, app, intercom, "Intercom owns it")


def _fill(each: Field, sight: FieldInputs, app: Value, intercom: Value) -> Decision:
    if app is not None:
        return _app(each, sight, app, intercom)
    if each.name in sight.base and not _moved(each, sight, intercom):
        return _clear(each, sight, intercom, "the app cleared it")
    if not _usable(each, sight, intercom):
        if not sight.clear_unusable:
            return Decision(each, None, app, intercom, why="Intercom's is not usable; kept")
        return _clear(each, sight, intercom, "Intercom's is not usable for the app")
    return _pull(each, sight, app, intercom, "the app has none")


def _later_value(each: Field, sight: FieldInputs, app: Value, intercom: Value) -> Decision:
    unsure = sight.look is not Freshness.FRESH  # the Messenger may have moved it a moment ago
    if _time(app) >= _time(intercom):
        why = "the app's is later"
        return Decision(each, app, app, intercom, Side.INTERCOM, deferred=unsure, why=why)
    return _pull(each, sight, app, intercom, "Intercom's is later", deferred=unsure)


def _last_writer(each: Field, sight: FieldInputs, app: Value, intercom: Value) -> Decision:
    if not _app_moved(each, sight, app):
        return _pull(each, sight, app, intercom, "only Intercom's moved")
    return Decision(
        each,
        app,
        app,
        intercom,
        Side.INTERCOM,
        deferred=sight.look is not Freshness.FRESH,
        overruled=_moved(each, sight, intercom),
        why="the app's moved",
    )


def _pull(
    each: Field,
    sight: FieldInputs,
    app: Value,
    intercom: Value,
    why: str,
    deferred: bool | None = None,
) -> Decision:
    """Intercom's value for the app, unless the app has nowhere to put it or would not store it."""
    if not each.pulled:
        return Decision(each, app, app, intercom, why="no write-back column")
    if each.name in sight.refused and each.same(intercom, sight.refused[each.name]):
        return Decision(each, app, app, intercom, why="the app refused this value before")
    if deferred is None:
        deferred = sight.look is not Freshness.FRESH
    return Decision(each, intercom, app, intercom, Side.APP, deferred=deferred, why=why)


def _clear(each: Field, sight: FieldInputs, intercom: Value, why: str) -> Decision:
    deferred = sight.look is not Freshness.FRESH
    overruled = _moved(each, sight, intercom)
    return Decision(each, None, None, intercom, Side.INTERCOM, deferred, overruled, why)


def _moved(each: Field, sight: FieldInputs, intercom: Value) -> bool:
    """Whether Intercom's value was changed there since both sides agreed.

    Intercom's own form of what both agreed on is no change, also once the app has another value.
    """
    if each.name not in sight.base:
        return False
    if each.name in sight.undone and each.same(intercom, sight.undone[each.name][1]):
        return False
    base = sight.base[each.name]
    return not each.same(intercom, base) and not _is_form_of(each, sight, base, intercom)


def _app_moved(each: Field, sight: FieldInputs, app: Value) -> bool:
    """Whether the app's value was changed since; a value never agreed on counts as one."""
    if each.name in sight.undone and each.same(app, sight.undone[each.name][0]):
        return False
    return not each.same(app, sight.base.get(each.name))


def _is_form_of(each: Field, sight: FieldInputs, value: Value, intercom: Value) -> bool:
    """Whether Intercom stored `value` in the form that it shows now."""
    if each.name not in sight.accepted:
        return False
    sent, got = sight.accepted[each.name]
    return each.same(value, sent) and each.same(intercom, got)


def _usable(each: Field, sight: FieldInputs, intercom: Value) -> bool:
    long_enough = len(str(intercom)) >= each.shortest
    return long_enough and (each.from_oauth or not sight.from_oauth)


def _time(value: Value) -> float:
    return value if isinstance(value, int | float) else float("-inf")


def _decide_zone(each: Field, sight: FieldInputs) -> list[Decision]:
    """The app's zone, from where Intercom says that the person is; then its custom attribute.

    The attribute shows the zone that was decided, so it waits where the zone must wait.
    """
    zone = _pull_zone(each, sight)
    attribute = _show_zone(each, sight, zone.value if zone else sight.app.get(each.name))
    if zone is None:
        return [attribute, *_remember_place(each, sight)]
    if zone.deferred and attribute.write_to:
        attribute = replace(attribute, deferred=True)
    return [zone, attribute]


def _show_zone(each: Field, sight: FieldInputs, zone: Value) -> Decision:
    """The attribute is pushed whatever the policy: that says which side knows the zone."""
    decided = _decide_field(replace(each, policy=Policy.APP), replace(sight, app={each.name: zone}))
    why = "shows the app's zone" if decided.write_to else decided.why
    return replace(decided, field=each, why=why)


def _pull_zone(each: Field, sight: FieldInputs) -> Decision | None:
    """The write to the app's zone that Intercom's knowledge of the place calls for, if any."""
    app, book = sight.app.get(each.name), sight.book
    wanted = _wanted_zone(sight.place, app)
    if book is None or wanted is None or not each.pulled:
        return None
    if not RULES[each.policy].zone_may_move(each, sight, app):
        return None
    if wanted in (_meaning(book, app), _meaning(book, sight.refused.get(each.name))):
        return None
    value = in_dialect_of(app, wanted, book)
    why = "Intercom states where the person is"
    if wanted != sight.place.stated:
        why = "the person's country has a single zone"
    return Decision(
        each, value, app, wanted, Side.APP, deferred=sight.look is not Freshness.FRESH, why=why
    )


def _meaning(book: ZoneBook, name: Value) -> str | None:
    return book.meaning(name) if isinstance(name, str) else None


def _wanted_zone(where: GeoHint, app: Value) -> str | None:
    return where.stated or (where.derived if app is None else None)


def _zone_stays(each: Field, sight: FieldInputs, app: Value) -> bool:
    return False


def _zone_follows(each: Field, sight: FieldInputs, app: Value) -> bool:
    return True


def _zone_fills(each: Field, sight: FieldInputs, app: Value) -> bool:
    return _person_moved(sight) and app is None


def _zone_follows_moves(each: Field, sight: FieldInputs, app: Value) -> bool:
    return _person_moved(sight) and not _app_moved(each, sight, app)


def _person_moved(sight: FieldInputs) -> bool:
    return sight.base.get(CONSIDERED_ZONE.name) != (sight.place.stated or sight.place.derived)


def _remember_place(each: Field, sight: FieldInputs) -> list[Decision]:
    """Three-way policies must know which place was considered, or it would win a pass later."""
    where = sight.place.stated or sight.place.derived
    if where is None or not each.pulled or not each.policy.traits.three_way:
        return []
    return [Decision(CONSIDERED_ZONE, where, where, where, why="considered")]


class PolicyRule(NamedTuple):
    """How a policy decides a field, and whether the app's time zone may follow Intercom's."""

    decide: Callable[[Field, FieldInputs, Value, Value], Decision]
    zone_may_move: Callable[[Field, FieldInputs, Value], bool]


RULES: Mapping[Policy, PolicyRule] = {
    Policy.APP: PolicyRule(_app, _zone_stays),
    Policy.INTERCOM: PolicyRule(_intercom, _zone_follows),
    Policy.FILL: PolicyRule(_fill, _zone_fills),
    Policy.LATER_VALUE: PolicyRule(_later_value, _zone_follows),
    Policy.LAST_WRITER: PolicyRule(_last_writer, _zone_follows_moves),
}
