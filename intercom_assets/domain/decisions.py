"""What is decided of one user's or team's fields, and from what. Values; no rule.

`FieldInputs` is what a decision is taken from; a `Reconciliation` holds one `Decision` per field,
and what follows from them: what to write where, and what both sides agree on from now on.
"""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.lazily import lazily
from intercom_assets.domain.models import Kind, LeftOut, Side, Value, Values
from intercom_assets.domain.timezones import GeoHint, ZoneBook

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
    accepted: Mapping[str, tuple[Value, Value]] = dataclasses.field(default_factory=dict)
    refused: Values = dataclasses.field(default_factory=dict)
    undone: Mapping[str, tuple[Value, Value]] = dataclasses.field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = dataclasses.field(default_factory=dict)
    place: GeoHint = dataclasses.field(default_factory=GeoHint)
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


@dataclass(frozen=True)
class Reconciliation:
    """All decisions of one user. `to_app`, `to_intercom`: field name -> value to write now."""

    decisions: tuple[Decision, ...]

    @lazily
    def to_app(self) -> Values:
        return {d.field.name: d.value for d in self.decisions if d.is_due and writes_app(d)}

    @lazily
    def to_intercom(self) -> Values:
        return {d.field.name: d.value for d in self.decisions if d.is_due and not writes_app(d)}

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
        kept = (d for d in self.decisions if writes_app(d) or d.field.name in names)
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
        sent = [d for d in self.decisions if d.is_due and not writes_app(d)]
        before = {BEFORE + d.field.name: d.intercom for d in sent} if exists else {}
        return {**self.to_intercom, **before}


def writes_app(decision: Decision) -> bool:
    return decision.write_to is Side.APP


def _agrees(decision: Decision) -> bool:
    return decision.field.same(decision.app, decision.intercom)
