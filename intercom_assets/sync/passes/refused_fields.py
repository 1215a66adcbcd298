"""A write that Intercom refuses for one of its fields: the others are sent all the same.

Which field it is tells the refusal, or else a few further writes of fewer fields. A request that is
refused with no field of ours in it is not about a field: that refusal goes on up. Must not: know
contacts or companies, or decide what is sent.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import Value, Values
from intercom_assets.intercom.errors import Invalid, NotRestorable, UnknownAttribute
from intercom_assets.sync.context.failures import NEEDS_A_HUMAN, NOBODYS_FAULT

OF_A_VALUE = frozenset({400, 413, 422})
CUSTOM = "custom_attributes."
_QUOTED = re.compile(r"['\"`]([^'\"`]+)['\"`]")


class Write(Protocol):
    """One user's or team's write. `send` raises `Invalid`; what was accepted is not due any more.

    `probe`: a write that carries no field of the mapping. `reread`: reads the workspace's
    attributes once more, whereupon other fields may be due. `leave_out`: this value is not sent.
    """

    @property
    def fields(self) -> Mapping[str, Field]: ...
    @property
    def due(self) -> Values: ...
    def send(self, names: Collection[str]) -> None: ...
    def probe(self) -> None: ...
    def reread(self) -> None: ...
    def leave_out(self, name: str, value: Value, why: str) -> None: ...


def deliver(write: Write) -> None:
    """Sends what is due, without the fields for which Intercom refuses the whole."""
    refusal = _attempt(write, write.due)
    if refusal is None:
        return
    due = dict(write.due)
    if any(write.fields[name].custom for name in due):
        write.reread()
        if write.due != due or isinstance(refusal, UnknownAttribute):
            refusal, due = _attempt(write, write.due), dict(write.due)
    if refusal is not None:
        for name, why in _culprits(write, list(due), refusal).items():
            write.leave_out(name, due[name], f"Intercom refused it: {why}")


def _culprits(write: Write, due: Sequence[str], refusal: Invalid) -> dict[str, Invalid]:
    """Everything else was sent when this returns."""
    found: dict[str, Invalid] = {}
    rest, further = list(due), refusal
    while (name := _named(further, {n: write.fields[n] for n in rest})) is not None:
        found[name] = further
        rest.remove(name)
        if not rest:
            write.probe()
            return found
        again = _attempt(write, rest)
        if again is None:
            return found
        further = again
    guessed = {name for name, why in found.items() if why.field is None}
    rest += sorted(guessed)
    write.probe()
    sure = {name: why for name, why in found.items() if name not in guessed}
    return sure | _narrowed(write, rest)


def _narrowed(write: Write, names: Sequence[str]) -> dict[str, Invalid]:
    """Halves of what was refused together, until each culprit was refused alone."""
    if len(names) <= 1:
        return _alone(names, _attempt(write, names)) if names else {}
    half = len(names) // 2
    left, right = names[:half], names[half:]
    first = _attempt(write, left)
    if first is None:
        return _narrowed(write, right)
    second = _attempt(write, right)
    return {**_within(write, left, first), **_within(write, right, second)}


def _within(write: Write, names: Sequence[str], refusal: Invalid | None) -> dict[str, Invalid]:
    if refusal is None or len(names) == 1:
        return _alone(names, refusal)
    return _narrowed(write, names)


def _alone(names: Sequence[str], refusal: Invalid | None) -> dict[str, Invalid]:
    return {} if refusal is None else dict.fromkeys(names, refusal)


def _attempt(write: Write, names: Collection[str]) -> Invalid | None:
    """The refusal, if it may be about one of the fields. Answers may have settled some of them."""
    due = [name for name in names if name in write.due]
    if names and not due:
        return None
    try:
        write.send(due)
    except Invalid as refusal:
        if not _may_be_of_a_field(refusal):
            raise
        return refusal
    return None


def _may_be_of_a_field(refusal: Invalid) -> bool:
    of_another_kind = NEEDS_A_HUMAN | NOBODYS_FAULT
    is_of_value = refusal.status in OF_A_VALUE and refusal.code not in of_another_kind
    return is_of_value and not isinstance(refusal, NotRestorable)


def _named(refusal: Invalid, fields: Mapping[str, Field]) -> str | None:
    """The field that the refusal names, or the only one that its words speak of."""
    named = refusal.field or getattr(refusal, "attribute", None)
    if named is not None:
        wanted = {named, named.removeprefix(CUSTOM)}
        found = [name for name, field in fields.items() if field.intercom in wanted]
        return found[0] if found else None
    quoted = set(_QUOTED.findall(refusal.message))
    words = set(re.findall(r"\w+", refusal.message.lower()))
    found = [
        name
        for name, field in fields.items()
        if field.intercom in quoted or (not field.custom and field.intercom.lower() in words)
    ]
    return found[0] if len(found) == 1 else None
