"""The app's time zone, from where Intercom says that the person is, and the attribute showing it.

Whether the zone may move at all is the policy's (`policies.py`).
"""

from dataclasses import replace

from intercom_assets.domain.decisions import CONSIDERED_ZONE, Decision, FieldInputs, Freshness
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Side, Value
from intercom_assets.domain.policies import RULES, decide_value
from intercom_assets.domain.timezones import GeoHint, ZoneBook, in_dialect_of


def decide_zone(field: Field, inputs: FieldInputs) -> list[Decision]:
    """The app's zone, from where Intercom says that the person is; then its custom attribute.

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
    """The write to the app's zone that Intercom's knowledge of the place calls for, if any."""
    app, book = inputs.app.get(field.name), inputs.book
    wanted = _wanted_zone(inputs.place, app)
    if book is None or wanted is None or not field.pulled:
        return None
    if not RULES[field.policy].zone_may_move(field, inputs, app):
        return None
    if wanted in (_meaning(book, app), _meaning(book, inputs.refused.get(field.name))):
        return None
    value = in_dialect_of(app, wanted, book)
    why = "Intercom states where the person is"
    if wanted != inputs.place.stated:
        why = "the person's country has a single zone"
    return Decision(
        field, value, app, wanted, Side.APP, deferred=inputs.look is not Freshness.FRESH, why=why
    )


def _meaning(book: ZoneBook, name: Value) -> str | None:
    return book.meaning(name) if isinstance(name, str) else None


def _wanted_zone(where: GeoHint, app: Value) -> str | None:
    return where.stated or (where.derived if app is None else None)


def _remember_place(field: Field, inputs: FieldInputs) -> list[Decision]:
    """Three-way policies must know which place was considered, or it would win a pass later."""
    where = inputs.place.stated or inputs.place.derived
    if where is None or not field.pulled or not field.policy.traits.three_way:
        return []
    return [Decision(CONSIDERED_ZONE, where, where, where, why="considered")]
