"""Who wins a field: one function for each policy, and the table that names them.

A new policy is a row in `RULES` and one in `POLICIES` of `domain/fields.py`. Belongs here: what a
policy decides. Must not: what counts as moved and how a decision ends (`moves.py`), the order of
fields (`reconcile.py`), or where a time zone comes from (`zone_decisions.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from intercom_assets.domain.decisions import (
    CONSIDERED_ZONE,
    UNDONE,
    Decision,
    FieldInputs,
    Freshness,
)
from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import Side, Value
from intercom_assets.domain.moves import app_moved, clear, is_form_of, moved, pull
from intercom_assets.domain.opt_out_rule import is_open, opt_out


def decide_field(field: Field, inputs: FieldInputs) -> Decision:
    return decide_value(field, inputs, inputs.app.get(field.name), field.policy)


def decide_value(field: Field, inputs: FieldInputs, app: Value, policy: Policy) -> Decision:
    """For `app`, by `policy`: both may be others than those of the row and of the field."""
    intercom = inputs.intercom.get(field.name)
    if field.same(app, intercom) and not _is_open(field, inputs, app, intercom):
        return Decision(field, app, app, intercom, why="equal")
    if is_form_of(field, inputs, app, intercom):
        return Decision(field, app, app, app, why="Intercom's own form of what was sent")
    if stays_undone(field, inputs.undone, app, intercom):
        return Decision(field, app, app, intercom, why=UNDONE)
    return _unless_left_out(RULES[policy].decide(field, inputs, app, intercom), inputs)


def _is_open(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> bool:
    return field.policy is Policy.OPT_OUT and is_open(field, inputs, app, intercom)


def _unless_left_out(decision: Decision, inputs: FieldInputs) -> Decision:
    """A value that was refused or contested is not sent again; Intercom's may still be taken."""
    known = inputs.left_out.get(decision.field.name)
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
    field: Field, undone: Mapping[str, tuple[Value, Value]], app: Value, intercom: Value
) -> bool:
    """Whether both sides are as an operator's undo left them."""
    if field.name not in undone:
        return False
    then_app, then_intercom = undone[field.name]
    return field.same(app, then_app) and field.same(intercom, then_intercom)


def _app(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    return Decision(
        field,
        app,
        app,
        intercom,
        Side.INTERCOM,
        overruled=moved(field, inputs, intercom),
        why="the app owns it",
    )


def _intercom(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    if intercom is None and inputs.base.get(field.name) is None:
        unsure = inputs.look is not Freshness.FRESH
        why = "Intercom has none"
        return Decision(field, app, app, intercom, Side.INTERCOM, deferred=unsure, why=why)
    return pull(field, inputs, app, intercom, "Intercom owns it")


def _fill(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    if app is not None:
        return _app(field, inputs, app, intercom)
    if field.name in inputs.base and not moved(field, inputs, intercom):
        return clear(field, inputs, intercom, "the app cleared it")
    if not _usable(field, inputs, intercom):
        if not inputs.clear_unusable:
            return Decision(field, None, app, intercom, why="Intercom's is not usable; kept")
        return clear(field, inputs, intercom, "Intercom's is not usable for the app")
    return pull(field, inputs, app, intercom, "the app has none")


def _later_value(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    unsure = inputs.look is not Freshness.FRESH  # the Messenger may have moved it a moment ago
    if _time(app) >= _time(intercom):
        why = "the app's is later"
        return Decision(field, app, app, intercom, Side.INTERCOM, deferred=unsure, why=why)
    return pull(field, inputs, app, intercom, "Intercom's is later")


def _last_writer(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    if not app_moved(field, inputs, app):
        return pull(field, inputs, app, intercom, "only Intercom's moved")
    return Decision(
        field,
        app,
        app,
        intercom,
        Side.INTERCOM,
        deferred=inputs.look is not Freshness.FRESH,
        overruled=moved(field, inputs, intercom),
        why="the app's moved",
    )


def _usable(field: Field, inputs: FieldInputs, intercom: Value) -> bool:
    long_enough = len(str(intercom)) >= field.shortest
    return long_enough and (field.from_oauth or not inputs.from_oauth)


def _time(value: Value) -> float:
    return value if isinstance(value, int | float) else float("-inf")


def _stays_empty(inputs: FieldInputs) -> bool:
    return False


def _is_filled(inputs: FieldInputs) -> bool:
    return True


def _is_filled_once(inputs: FieldInputs) -> bool:
    """For each place: a zone that the app cleared stays so until the person moves."""
    return inputs.base.get(CONSIDERED_ZONE.name) != inputs.place.zone


class PolicyRule(NamedTuple):
    """How a policy decides a field, and whether the app's empty time zone may be filled."""

    decide: Callable[[Field, FieldInputs, Value, Value], Decision]
    empty_zone: Callable[[FieldInputs], bool]


RULES: Mapping[Policy, PolicyRule] = {
    Policy.APP: PolicyRule(_app, _stays_empty),
    Policy.INTERCOM: PolicyRule(_intercom, _is_filled),
    Policy.FILL: PolicyRule(_fill, _is_filled_once),
    Policy.LATER_VALUE: PolicyRule(_later_value, _is_filled),
    Policy.LAST_WRITER: PolicyRule(_last_writer, _is_filled_once),
    Policy.OPT_OUT: PolicyRule(opt_out, _stays_empty),
}
