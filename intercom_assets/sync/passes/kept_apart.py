"""What of a user or a team stays apart on purpose, and in which form Intercom keeps a value.

The same questions of both kinds: fields that are left out, fields that an operator's undo keeps as
they are, and values that Intercom stored in a form of its own. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from intercom_assets.domain.decisions import Decision, Reconciliation
from intercom_assets.domain.fields import Field, intercom_values
from intercom_assets.domain.models import Company, Contact, LeftOut, Reason, Value, Values
from intercom_assets.domain.policies import stays_undone
from intercom_assets.sync.passes.app_rows import AppRow
from intercom_assets.sync.passes.rules import Rules

Pairs: TypeAlias = Mapping[str, tuple[Value, Value]]
"""Field -> what the app, and what Intercom, held; or what was sent, and how it is kept."""


def of_answers(left_out: Mapping[str, LeftOut]) -> dict[str, LeftOut]:
    """What an answer of Intercom's was the reason for; the rest shows again in the app's row."""
    return {name: reason for name, reason in left_out.items() if reason.is_of_value}


def fields_left_out(
    left_out: Mapping[str, LeftOut], plan: Reconciliation, unwritable: Mapping[str, LeftOut]
) -> dict[str, LeftOut]:
    """What is left out as things stand: of values only those that would be sent otherwise."""
    decided = {d.field.name: d.left_out for d in plan.decisions}
    kept = {n: r for n, r in left_out.items() if not r.is_of_value or decided.get(n, True)}
    return {**kept, **unwritable}


def unwritable_fields(
    rules: Rules, app: AppRow, there: Contact | Company | None
) -> dict[str, LeftOut]:
    """Fields that nobody can write just now, where the two sides differ."""
    if there is None or not rules.unwritable or not app.is_here:
        return {}
    fields = {n: f for n, f in rules.fields.items() if n in rules.unwritable and n in app.values}
    intercom = intercom_values(fields.values(), there)
    return {
        name: LeftOut(Reason.UNWRITABLE, rules.unwritable[name])
        for name, field in fields.items()
        if not field.same(app.values[name], intercom[name])
    }


def fields_kept(
    fields: Mapping[str, Field], undone: Pairs, app: Values, intercom: Values
) -> dict[str, tuple[Value, Value]]:
    """What an operator took back, and what stays so until a side changes it."""
    return {
        name: pair
        for name, pair in undone.items()
        if (field := fields.get(name)) is not None
        and stays_undone(field, undone, app.get(name), intercom.get(name))
    }


def accepted_after(
    accepted: Pairs, sent: Iterable[Decision], answer: Contact | Company
) -> dict[str, tuple[Value, Value]]:
    """With the fields that Intercom stored in another form than the one that was sent."""
    known = dict(accepted)
    for decision in sent:
        field = decision.field
        known.pop(field.name, None)
        if not field.told:
            continue
        stored = intercom_values([field], answer)[field.name]
        if not field.same(decision.value, stored):
            known[field.name] = (decision.value, stored)
    return known
