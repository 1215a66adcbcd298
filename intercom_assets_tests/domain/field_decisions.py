"""One field, seen: the shorthand in which the tests of deciding are written.

Belongs here: building a `FieldInputs` of one field and naming what was decided. Must not: a test.
"""

from typing import Any

from intercom_assets.domain.decisions import Decision, FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import TIME_ZONE, Field, Policy
from intercom_assets.domain.models import Kind, Side, Value, Values
from intercom_assets.domain.reconcile import reconcile

NAME = Field("name", "name", Kind.STRING, Policy.FILL, pulled=True, shortest=2, from_oauth=False)
SEEN = Field("last_request_at", "last_seen_at", Kind.DATE, Policy.LATER_VALUE, pulled=True)
PLAN = Field("plan", "plan", Kind.STRING, Policy.APP, custom=True)
NICK = Field("nick", "nick", Kind.STRING, Policy.LAST_WRITER, custom=True, pulled=True)
CITY = Field("city", "city", Kind.STRING, Policy.INTERCOM, custom=True, pulled=True)
ZONE = Field(TIME_ZONE, TIME_ZONE, Kind.STRING, Policy.INTERCOM, custom=True, pulled=True)

NEVER: Any = object()
"""As a base: the two sides never agreed."""


def plan_of(
    field: Field,
    *,
    app: Value = None,
    intercom: Value = None,
    base: Value = NEVER,
    look: Freshness = Freshness.FRESH,
    **more: Any,
) -> Reconciliation:
    """What is decided for one field; `more` are further parts of a `FieldInputs`."""
    agreed: Values = {} if base is NEVER else {field.name: base}
    sight = FieldInputs(agreed, {field.name: app}, {field.name: intercom}, look, **more)
    return reconcile([field], sight)


def decide(field: Field, **known: Any) -> Decision:
    (decision,) = plan_of(field, **known).decisions
    return decision


def outcome(decision: Decision) -> str:
    """`to app: x`, `to intercom: x`, `nothing`; with `later` where a fresh look comes first."""
    if decision.write_to is None:
        return "nothing"
    side = "app" if decision.write_to is Side.APP else "intercom"
    return f"to {side}: {decision.value}" + (", later" if decision.deferred else "")
