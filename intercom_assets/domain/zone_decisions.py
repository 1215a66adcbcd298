"""The app's time zone, filled from where Intercom takes the person to be, and the attribute for it.

A zone that the app has stays, whatever the policy; whether an empty one is filled is the policy's
(`policies.py`).
"""

from dataclasses import replace

from intercom_assets.domain.decisions import CONSIDERED_ZONE, Decision, FieldInputs, Freshness
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Side, Value
from intercom_assets.domain.policies import RULES, decide_value
from intercom_assets.domain.timezones import ZoneBook


def decide_zone(field: Field, inputs: FieldInputs) -> list[Decision]:
    """The app's zone, where it has none; then its custom attribute.

    The attribute shows the zone that was decided, so it waits where the zone must wait.
    """
    zone = _pull_zone(field, inputs)
    attribute = _show_zone(field, inputs, zone.value if zone else inputs.app.get(field.name))
    if zone is None:
        return [attribute, *_remember_place(field, inputs)]
    if zone.deferred and attribute.write_to:
        attribute = replace(attribute, deferred=True)
    return [zone, attribute]


def _show_zone(field: Field, inputs: FieldInputs, zone: Value) -> Decision:
    """The attribute is pushed whatever the policy: that says which side knows the zone."""
    decided = decide_value(field, inputs, zone, Policy.APP)
    return replace(decided, why="shows the app's zone") if decided.write_to else decided


def _pull_zone(field: Field, inputs: FieldInputs) -> Decision | None:
    """The write that fills the app's empty zone, if the place calls for one."""
    app, book, wanted = inputs.app.get(field.name), inputs.book, inputs.place.zone
    if app is not None or book is None or wanted is None or not field.pulled:
        return None
    if not RULES[field.policy].empty_zone(inputs):
        return None
    if wanted == _meaning(book, inputs.refused.get(field.name)):
        return None
    why = "where Intercom takes the person to be"
    if inputs.place.located is None:
        why = "the person's country has a single zone"
    return Decision(
        field, wanted, app, wanted, Side.APP, deferred=inputs.look is not Freshness.FRESH, why=why
    )


def _meaning(book: ZoneBook, name: Value) -> str | None:
    return book.meaning(name) if isinstance(name, str) else None


def _remember_place(field: Field, inputs: FieldInputs) -> list[Decision]:
    """Three-way policies must know which place was considered, or it would win a pass later."""
    where = inputs.place.zone
    if where is None or not field.pulled or not field.policy.traits.three_way:
        return []
    return [Decision(CONSIDERED_ZONE, where, where, where, why="considered")]
