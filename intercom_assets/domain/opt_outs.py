"""Who opted out: what has to be remembered of an opt-out beside its value. Pure.

Once an opt-out was carried over, both sides hold the same, and the values no longer tell whose it
is. So the base keeps, under a key of its own, who opted out and whose value is our copy; with that,
an edit can be told from an echo. Must not: who wins (`policies.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from intercom_assets.domain.attempts import attempts_in
from intercom_assets.domain.decisions import BEFORE, Decision, FieldInputs
from intercom_assets.domain.fields import (
    UNSUBSCRIBED,
    USER_FIELDS,
    Field,
    Policy,
    intercom_values,
)
from intercom_assets.domain.models import Contact, Kind, Side, Value, Values

KEY = "opted out: "
"""Before a field's name: the base's key for what is remembered of it. No column has a colon."""
_COPIED, _UNTOLD, _AND = " copied to ", " not yet in ", " and "


@dataclass(frozen=True, slots=True)
class OptOut:
    """`by`: the sides that opted out. `copied_to`: the sides whose opt-out is one that we wrote.
    `untold`: sides that opted out and whose false is no word: what holds it is another contact.
    """

    by: frozenset[Side] = frozenset()
    copied_to: frozenset[Side] = frozenset()
    untold: frozenset[Side] = frozenset()

    def now(self, held: Mapping[Side, Value]) -> "OptOut":
        """With what the sides hold now. Null is no word, so whoever had opted out still has."""
        copied = frozenset(side for side in self.copied_to if held[side] is True)
        told = {side for side, value in held.items() if value is True and side not in copied}
        untold = frozenset(side for side in self.untold if held[side] is not True)
        silent = {side for side, value in held.items() if value is None} | untold
        return OptOut(frozenset(told | silent & self.by), copied, untold)

    def written_to(self, side: Side, value: Value) -> "OptOut":
        """After we wrote this to a side. Its own opt-out, put back, stays its own."""
        if value is True and side not in self.by:
            return OptOut(self.by, self.copied_to | {side}, self.untold)
        return self

    def without_contact(self) -> "OptOut":
        """Intercom's next contact for the person knows nothing yet of its word."""
        return OptOut(self.by, self.copied_to - {Side.INTERCOM}, self.by & {Side.INTERCOM})

    def copied_over(self, side: Side, old: Value) -> "OptOut":
        """After a run that died wrote an opt-out over `old`, which took it back if false."""
        took_back = old is False and side not in self.untold
        by = self.by - {side} if took_back else self.by
        return OptOut(by, self.copied_to, self.untold).written_to(side, True)

    def as_value(self) -> Value:
        if not (self.by or self.copied_to):
            return None
        copied = _COPIED + _named(self.copied_to) if self.copied_to else ""
        return _named(self.by) + copied + (_UNTOLD + _named(self.untold) if self.untold else "")


def opt_out_in(base: Values, field: Field) -> OptOut:
    stored = base.get(KEY + field.name)
    if not isinstance(stored, str):
        return OptOut()
    told, _, untold = stored.partition(_UNTOLD)
    by, _, copied = told.partition(_COPIED)
    return OptOut(_sides(by), _sides(copied), _sides(untold))


def opted_out_of(fields: Iterable[Field], contact: Contact) -> list[Field]:
    """What this contact opted out of; of mails also where the mapping does not select that."""
    flags = {field.name: field for field in fields if field.policy is Policy.OPT_OUT}
    mails = next(field for field in USER_FIELDS if field.name == UNSUBSCRIBED)
    flags.setdefault(mails.name, mails)
    held = intercom_values(flags.values(), contact)
    return [flag for flag in flags.values() if held[flag.name] is True]


def with_word_of(side: Side, fields: Iterable[Field], base: Values) -> Values:
    """What the base keeps, once a side is known to have opted out, though what it holds is our
    copy."""
    kept: dict[str, Value] = {}
    for field in fields:
        known = opt_out_in(base, field)
        told = OptOut(known.by | {side}, known.copied_to - {side}, known.untold - {side})
        kept[KEY + field.name] = told.as_value()
    return kept


def after_writes(decisions: Iterable[Decision], base: Values) -> Values:
    """What the base keeps, once these were written to the sides that they name."""
    kept: dict[str, Value] = {}
    for decision in decisions:
        field, side = decision.field, decision.write_to
        if field.policy is Policy.OPT_OUT and side is not None:
            known = opt_out_in(base, field).now(held_by(decision.app, decision.intercom))
            kept[KEY + field.name] = known.written_to(side, decision.value).as_value()
    return kept


def after_death(
    in_flight: Values, fields: Mapping[str, Field], base: Values, sent: Values, app: Values
) -> Values:
    """What the base keeps of opt-outs that a run which died had written: they are copies.

    `sent`: of what was in flight to Intercom, what got there. `app`: its values now.
    """
    flags = [field for field in fields.values() if field.policy is Policy.OPT_OUT]
    offered = _offered(in_flight)
    kept: dict[str, Value] = {}
    for field in flags:
        before = known = opt_out_in(base, field)
        if sent.get(field.name) is True:
            known = known.copied_over(Side.INTERCOM, in_flight.get(BEFORE + field.name))
        if app.get(field.name) is True and field.name in offered:
            known = known.copied_over(Side.APP, offered[field.name])
        if known != before:
            kept[KEY + field.name] = known.as_value()
    return kept


def who_opted_out(base: Values) -> Values:
    """Of a base that is void otherwise, since its contact is gone: the person still opted out."""
    kept: dict[str, Value] = {}
    for key in base:
        if key.startswith(KEY):
            known = opt_out_in(base, _key_of(key.removeprefix(KEY)))
            kept[key] = known.without_contact().as_value()
    return {key: value for key, value in kept.items() if value is not None}


def on_anothers_contact(fields: Iterable[Field], base: Values, there: Values) -> Values:
    """What the base keeps of a person who got a contact that was somebody else's: an opt-out that
    it shows (`there`) is none of theirs, and goes as a copy does."""
    kept: dict[str, Value] = {}
    for field in fields:
        if field.policy is Policy.OPT_OUT:
            known = opt_out_in(base, field).written_to(Side.INTERCOM, there[field.name])
            kept[KEY + field.name] = known.as_value()
    return {key: value for key, value in kept.items() if value is not None}


def words_on(fields: Iterable[Field], there: Values) -> Values:
    """The entries of a base that knew of none, where Intercom shows these opt-outs."""
    flags = (field for field in fields if field.policy is Policy.OPT_OUT)
    return with_word_of(Side.INTERCOM, (flag for flag in flags if there[flag.name] is True), {})


def remember(field: Field, inputs: FieldInputs) -> list[Decision]:
    """A further decision, by which the base keeps who opted out as things stand."""
    held = held_by(inputs.app.get(field.name), inputs.intercom.get(field.name))
    value = opt_out_in(inputs.base, field).now(held).as_value()
    if value is None and inputs.base.get(KEY + field.name) is None:
        return []
    return [Decision(_key_of(KEY + field.name), value, value, value, why="who opted out")]


def held_by(app: Value, intercom: Value) -> Mapping[Side, Value]:
    return {Side.APP: app, Side.INTERCOM: intercom}


def _offered(in_flight: Values) -> Values:
    """What runs that died were about to turn into an opt-out in the app -> what it was."""
    return {
        name: old
        for attempt in attempts_in(in_flight)
        for name, (old, new) in attempt.pulled.items()
        if new is True and not attempt.undoes
    }


@lru_cache(maxsize=64)
def _key_of(name: str) -> Field:
    return Field(name, name, Kind.STRING, Policy.APP)


def _named(sides: frozenset[Side]) -> str:
    return _AND.join(sorted(sides)) or "nobody"


def _sides(named: str) -> frozenset[Side]:
    return frozenset(side for side in Side if side in named.split(_AND))
