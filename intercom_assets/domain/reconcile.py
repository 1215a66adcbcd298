"""Base + app + Intercom -> one decision per field. Pure, and the heart of the project.

A decision says what both sides shall hold and which side must be written. It is taken twice in a
pass: on what we remember (a *stale* look), where everything that needs Intercom's present value is
deferred, and again on Intercom's answer (a *fresh* look). Deferring costs a call at most; deciding
on a stale value costs somebody's edit (docs/dev/protocol.md#one-call-per-change).
"""

from collections.abc import Iterable, Mapping

from intercom_assets.domain.decisions import (
    BEFORE,
    Decision,
    FieldInputs,
    Reconciliation,
    writes_app,
)
from intercom_assets.domain.fields import TIME_ZONE, Field, Policy
from intercom_assets.domain.models import UserLink, Value, Values
from intercom_assets.domain.opt_outs import after_death, remember
from intercom_assets.domain.policies import decide_field
from intercom_assets.domain.untold import decide_untold, with_email
from intercom_assets.domain.zone_decisions import decide_zone


def reconcile(fields: Iterable[Field], inputs: FieldInputs) -> Reconciliation:
    """Decides every field, independently of their order."""
    decisions: list[Decision] = []
    some_untold = False
    for field in fields:
        if not field.told:
            some_untold = True
            decisions.append(decide_untold(field, inputs))
        elif field.name == TIME_ZONE:
            decisions.extend(decide_zone(field, inputs))
        else:
            decisions.append(decide_field(field, inputs))
        if field.policy is Policy.OPT_OUT:
            decisions.extend(remember(field, inputs))
    return Reconciliation(tuple(with_email(decisions) if some_untold else decisions))


def landed(link: UserLink, fields: Mapping[str, Field], intercom: Values, app: Values) -> Values:
    """The base after a crash: what was in flight was agreed on, by us, if it got there.

    It did if Intercom holds it now, or holds neither it nor what was there before: then somebody
    wrote over it since, and that is an edit of its own, not "both moved"
    (docs/dev/protocol.md#landed-but-not-recorded).
    """
    ours = {
        name: sent
        for name, sent in link.in_flight.items()
        if name in fields
        and fields[name].told
        and _got_there(fields[name], link.in_flight, intercom.get(name))
    }
    copies = after_death(link.in_flight, fields, link.base, ours, app)
    return {**link.base, **ours, **copies}


def _got_there(field: Field, in_flight: Values, now: Value) -> bool:
    before = in_flight.get(BEFORE + field.name, now)
    return field.same(now, in_flight[field.name]) or not field.same(now, before)


def not_stored(decided: Reconciliation, stored: Values) -> Values:
    """What the app was offered and did not store as offered: refused, or kept in another form.

    `stored`: the app's row as read after the write-back. Remembered as `refused`, so that it is
    not offered again until Intercom's value changes (docs/dev/protocol.md#writing-back-to-the-app).
    """
    offered = {d.field.name: d for d in decided.decisions if d.is_due and writes_app(d)}
    return {
        name: decision.value
        for name, decision in offered.items()
        if not decision.field.same(decision.value, stored.get(name))
    }
