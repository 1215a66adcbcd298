"""A field that Intercom takes and never tells: whether the person's e-mail is verified. Pure.

What Intercom holds is taken to be what was sent last, which the base keeps under a key of its own:
an attribute of that name, of a mapping before, was something else. It is taken only together
with an e-mail (docs/dev/intercom-facts.md#contacts), so it goes with each one that is sent, and a
change of it alone takes the e-mail along.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from intercom_assets.domain.decisions import Decision, FieldInputs
from intercom_assets.domain.fields import EMAIL, Field
from intercom_assets.domain.models import Side, Values

KEY = "sent: "
"""Before the field's name; no column's name has a colon."""


def sent_now(decisions: Iterable[Decision]) -> Values:
    """What the base keeps, once these were sent."""
    return {KEY + d.field.name: d.value for d in decisions if not d.field.told}


def decide_untold(field: Field, inputs: FieldInputs) -> Decision:
    app, sent = inputs.app.get(field.name), inputs.base.get(KEY + field.name)
    if field.same(app, sent):
        return Decision(field, app, app, sent, why="equal")
    if (why := _kept_back(inputs)) is not None:
        return Decision(field, app, app, sent, why=why)
    known = inputs.left_out.get(field.name)
    if known is not None and known.is_of_value and field.same(app, known.value):
        return Decision(field, app, app, sent, why=f"left out: {known.why}", left_out=True)
    return Decision(field, app, app, sent, Side.INTERCOM, why="the app owns it")


def _kept_back(inputs: FieldInputs) -> str | None:
    email = inputs.app.get(EMAIL)
    if email is None:
        return "goes with an e-mail only, and the app has none"
    known = inputs.left_out.get(EMAIL)
    if known is not None and (not known.is_of_value or known.value == email):
        return "goes with the e-mail only, which is left out"
    return None


def with_email(decisions: Sequence[Decision]) -> list[Decision]:
    """An e-mail that is sent brings it along: what Intercom makes of the old word is unknown."""
    sent = any(d.field.name == EMAIL and d.is_due and d.value is not None for d in decisions)
    return [_along(decision) if sent else decision for decision in decisions]


def _along(decision: Decision) -> Decision:
    if decision.field.told or decision.why != "equal" or decision.app is None:
        return decision
    return replace(decision, write_to=Side.INTERCOM, why="goes with the e-mail")


def patched(standard: Values, app: Values, fields: Sequence[Field]) -> Values:
    """What is sent by Intercom's names: with the app's e-mail where one of these goes."""
    goes = any(not field.told and field.intercom in standard for field in fields)
    return {EMAIL: app.get(EMAIL), **standard} if goes else standard
