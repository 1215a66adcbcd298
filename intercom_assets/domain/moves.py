"""What counts as an edit since both sides agreed, and the endings that policies share. Pure.

Belongs here: what more than one policy asks or ends in. Must not: who wins (`policies.py`).
"""

from intercom_assets.domain.decisions import Decision, FieldInputs, Freshness
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import Side, Value


def pull(
    field: Field,
    inputs: FieldInputs,
    app: Value,
    intercom: Value,
    why: str,
) -> Decision:
    """Intercom's value for the app, unless the app has nowhere to put it or would not store it."""
    if not field.pulled:
        return Decision(field, app, app, intercom, why="no write-back column")
    if field.name in inputs.refused and field.same(intercom, inputs.refused[field.name]):
        return Decision(field, app, app, intercom, why="the app refused this value before")
    deferred = inputs.look is not Freshness.FRESH
    return Decision(field, intercom, app, intercom, Side.APP, deferred=deferred, why=why)


def clear(field: Field, inputs: FieldInputs, intercom: Value, why: str) -> Decision:
    deferred = inputs.look is not Freshness.FRESH
    overruled = moved(field, inputs, intercom)
    return Decision(field, None, None, intercom, Side.INTERCOM, deferred, overruled, why)


def moved(field: Field, inputs: FieldInputs, intercom: Value) -> bool:
    """Whether Intercom's value was changed there since both sides agreed.

    Intercom's own form of what both agreed on is no change, also once the app has another value.
    """
    if field.name not in inputs.base:
        return False
    if field.name in inputs.undone and field.same(intercom, inputs.undone[field.name][1]):
        return False
    base = inputs.base[field.name]
    return not field.same(intercom, base) and not is_form_of(field, inputs, base, intercom)


def app_moved(field: Field, inputs: FieldInputs, app: Value) -> bool:
    """Whether the app's value was changed since; a value never agreed on counts as one."""
    if field.name in inputs.undone and field.same(app, inputs.undone[field.name][0]):
        return False
    return not field.same(app, inputs.base.get(field.name))


def is_form_of(field: Field, inputs: FieldInputs, value: Value, intercom: Value) -> bool:
    """Whether Intercom stored `value` in the form that it shows now."""
    if field.name not in inputs.accepted:
        return False
    sent, got = inputs.accepted[field.name]
    return field.same(value, sent) and field.same(intercom, got)
