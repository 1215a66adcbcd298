"""What Intercom can hold in custom attributes, and which of them have yet to be made. Pure.

A value that Intercom cannot hold is left out with its column's name, never shortened in silence:
`truncate: true` in the mapping is the operator's consent.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from intercom_assets.domain.fields import AVATAR, Field
from intercom_assets.domain.models import (
    AppTeam,
    AppUser,
    DataAttribute,
    Kind,
    LeftOut,
    Reason,
    Value,
    Values,
)
from intercom_assets.domain.values import MAX_SPEND, MAX_TEXT
from intercom_assets.domain.vocabulary import AttributeModel

SPEND = "monthly_spend"
LONGEST_ADDRESS = 2_048
"""Characters of a picture's address; what Intercom holds of it is not documented."""
MOST_ATTRIBUTES = 250
"""Custom attributes that a workspace holds (docs/dev/intercom-facts.md#custom-attributes)."""
_HELD_BY: Mapping[Kind, frozenset[str]] = {
    Kind.STRING: frozenset({"string", "options"}),
    Kind.INTEGER: frozenset({"integer", "float"}),
    Kind.FLOAT: frozenset({"float"}),
    Kind.BOOLEAN: frozenset({"boolean"}),
    Kind.DATE: frozenset({"date", "datetime"}),
}
"""The types of attribute that take values of a kind. A type is never changed.

docs/dev/intercom-facts.md#custom-attributes
"""
_TYPES = frozenset().union(*_HELD_BY.values())
_ADDRESS = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_NAME = re.compile(r"[\w\- ]+")


@dataclass(frozen=True, slots=True)
class AttributePlan:
    """`missing` are to be created; `unwritable` (name -> why) cannot be written, for anybody."""

    missing: tuple[Field, ...]
    unwritable: Mapping[str, str]


def plan_attributes(
    fields: Iterable[Field], model: AttributeModel, known: Sequence[DataAttribute]
) -> AttributePlan:
    """Compares a mapping's custom attributes with the workspace's. `model`: contact or company."""
    custom = [field for field in fields if field.custom]
    own = {a.name: a for a in known if a.model == model}
    # Intercom tells names of custom attributes apart by case, and keeps its own in every case.
    standard = {name.lower(): a for name, a in own.items() if not a.custom}
    taken = {a.name for a in known if a.custom}
    met = {f.name: own.get(f.intercom) or standard.get(f.intercom.lower()) for f in custom}
    unwritable = {f.name: why for f in custom if (why := _bar(f, met[f.name], taken, model))}
    missing = tuple(f for f in custom if f.intercom not in own and f.name not in unwritable)
    return AttributePlan(missing, unwritable)


def _bar(
    field: Field, own: DataAttribute | None, taken: set[str], model: AttributeModel
) -> str | None:
    if own is not None and own.archived:
        return f"the attribute {field.intercom!r} is archived in Intercom; restore it there"
    if own is not None and not own.custom:
        return (
            f"the name {field.intercom!r} is that of one of Intercom's own {model} fields: select "
            "the column under another name"
        )
    if own is not None and not own.api_writable:
        return f"Intercom lets nobody write the {model} attribute {field.intercom!r}"
    if own is not None and own.data_type in _TYPES - _HELD_BY[field.kind]:
        return (
            f"the attribute {field.intercom!r} is of type {own.data_type} in Intercom and the "
            f"column's is {field.kind}; cast it in the mapping's SELECT, or select it under "
            "another name"
        )
    if own is None and field.intercom in taken:
        return (
            f"the name {field.intercom!r} is taken by an attribute of the other kind; Intercom "
            "shares names across contacts and companies: select the column under another name"
        )
    return None


def name_problem(name: str) -> str | None:
    """Why Intercom would refuse an attribute of this name, in one clause; None if it would not."""
    if not _NAME.fullmatch(name):
        return "has characters other than letters, digits, spaces, - and _"
    if name != name.strip():
        return "begins or ends with a space"
    if len(name) > 190:
        return "is longer than 190 characters"
    return None


@dataclass(frozen=True, slots=True)
class FittedValues:
    """A row's values as Intercom can hold them, and the columns whose values it cannot."""

    values: Values
    left_out: Mapping[str, LeftOut]


def fit_values(
    fields: Mapping[str, Field], row: AppUser | AppTeam, *, truncate: bool
) -> FittedValues:
    """Known limits are applied here, so that no call is spent on learning them again."""
    values: dict[str, Value] = {}
    unfit = {name: why for name, why in row.unfit.items() if name in fields}
    for name, value in row.values.items():
        field = fields.get(name)
        if field is None:
            continue
        if field.custom and truncate and isinstance(value, str):
            value = value[:MAX_TEXT].strip()
        if (why := _beyond(field, value)) is not None:
            unfit[name] = why
        else:
            values[name] = value
    return FittedValues(values, {name: LeftOut(Reason.UNFIT, why) for name, why in unfit.items()})


def _beyond(field: Field, value: Value) -> str | None:
    """Which limit that Intercom documents the value exceeds, in a sentence."""
    if field.custom and isinstance(value, str) and len(value) > MAX_TEXT:
        return (
            f"{field.name} has {len(value):,} characters and Intercom holds {MAX_TEXT}; shorten it "
            "in the mapping's SELECT, or set truncate: true"
        )
    if field.name == AVATAR and value is not None and not _is_address(str(value)):
        return (
            f"{field.name} is not the address of a picture; allowed: http or https, of at most "
            f"{LONGEST_ADDRESS:,} characters and without spaces"
        )
    if field.intercom == SPEND and not field.custom and _exceeds(value, MAX_SPEND):
        return f"{field.name} is beyond {MAX_SPEND:,}, the most that Intercom holds of it"
    return None


def _is_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _exceeds(value: Value, most: int) -> bool:
    return isinstance(value, int | float) and abs(value) > most
