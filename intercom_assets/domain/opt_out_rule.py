"""The policy `opt_out`: an opt-out on either side wins; only the side that opted out takes it back.

Whose an opt-out is, once both sides hold it, is remembered by `opt_outs.py`. To mail somebody who
opted out is against the law, so whatever is not known for certain leaves the opt-out where it is.
"""

from dataclasses import replace

from intercom_assets.domain.decisions import Decision, FieldInputs, Freshness
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import Side, Value
from intercom_assets.domain.moves import pull
from intercom_assets.domain.opt_outs import OptOut, held_by, opt_out_in

_NOT_READ = "whether it opted out in Intercom was not read yet"
_OPTED_OUT = {Side.APP: "opted out in the app", Side.INTERCOM: "opted out in Intercom"}


def opt_out(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    """Which way it goes needs Intercom's present value: a stale one may hide somebody's word."""
    before = opt_out_in(inputs.base, field)
    by = before.now(held_by(app, intercom)).by
    if not by and field.same(app, intercom):
        return Decision(field, app, app, intercom, Side.INTERCOM, True, why=_NOT_READ)
    if not by:
        return _opt_in(field, inputs, app, intercom)
    pulled = pull(field, inputs, app, True, _whose(Side.INTERCOM, before, app))
    if app is not True and Side.INTERCOM in by and pulled.write_to is not None:
        return replace(pulled, intercom=intercom)
    if intercom is not True:
        return _carry_opt_out(field, inputs, app, intercom, before, by)
    if Side.INTERCOM not in by:
        return Decision(field, True, app, intercom, why=f"{_OPTED_OUT[Side.APP]}; null is no word")
    return replace(pulled, why=f"{_OPTED_OUT[Side.INTERCOM]}, which stays there: {pulled.why}")


def is_open(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> bool:
    """Of two sides that hold the same: whether there is something to decide although that is no
    opt-out. Who opted out has a null now, or what Intercom has was never read."""
    if app is True:
        return False
    unread = intercom is None and field.name not in inputs.base
    if unread and inputs.look is not Freshness.FRESH:
        return True
    return bool(opt_out_in(inputs.base, field).now(held_by(app, intercom)).by)


def _carry_opt_out(
    field: Field,
    inputs: FieldInputs,
    app: Value,
    intercom: Value,
    before: OptOut,
    by: frozenset[Side],
) -> Decision:
    """To Intercom. `before`: what was known until now; `by`: who has opted out now."""
    side = Side.APP if Side.APP in by else Side.INTERCOM
    return Decision(
        field,
        True,
        app,
        None if Side.INTERCOM in before.untold else intercom,
        Side.INTERCOM,
        deferred=inputs.look is not Freshness.FRESH,
        overruled=Side.INTERCOM in before.copied_to and intercom is False,
        why=_whose(side, before, intercom),
    )


def _opt_in(field: Field, inputs: FieldInputs, app: Value, intercom: Value) -> Decision:
    """What is left of an opt-out that was taken back is our copy of it."""
    if app is True:
        return pull(field, inputs, app, False, "Intercom took its opt-out back")
    deferred = inputs.look is not Freshness.FRESH
    why = "the app took its opt-out back"
    return Decision(field, False, app, intercom, Side.INTERCOM, deferred, why=why)


def _whose(side: Side, before: OptOut, other: Value) -> str:
    """`other`: what the other side holds, which had a copy if somebody took that one back."""
    opposite = Side.INTERCOM if side is Side.APP else Side.APP
    if other is False and opposite in before.copied_to:
        return f"{_OPTED_OUT[side]}, where alone it is taken back"
    return _OPTED_OUT[side]
