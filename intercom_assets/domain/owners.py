"""Which teammate owns a contact: the e-mail or id that the app has -> Intercom's id. Pure.

What the app names is looked up here before anything is decided, so values, base and journal hold
ids only. Must not: know how the list of teammates is kept (`sync/context/admins.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from intercom_assets.domain.fields import OWNER_EMAIL, OWNER_ID
from intercom_assets.domain.models import Admin, LeftOut, Reason, Value, Values

UNREAD = "the workspace's teammates were not read yet"
UNKNOWN = {
    OWNER_EMAIL: f"{OWNER_EMAIL} is the address of no teammate of the workspace",
    OWNER_ID: f"{OWNER_ID} is the id of no teammate of the workspace",
}


@dataclass(frozen=True, slots=True)
class Admins:
    """The workspace's teammates: `ids`, and `by_email`: what stands for an address -> id.

    `unread`: why there is no list.
    """

    ids: frozenset[str] = frozenset()
    by_email: Mapping[str, str] | None = None
    unread: str | None = None

    def owner(self, column: str, named: str) -> str | None:
        """The id of the teammate whom the app names; None for nobody's."""
        if column == OWNER_ID:
            return named if named in self.ids else None
        return (self.by_email or {}).get(stands_for(named))


def admins_of(listed: Iterable[Admin]) -> Admins:
    listed = list(listed)
    by_email = {stands_for(admin.email): admin.id for admin in listed if admin.email}
    return Admins(frozenset(admin.id for admin in listed), by_email)


def stands_for(email: str) -> str:
    """In place of an address, of which no more has to be kept than to know it again."""
    return sha256(email.strip().lower().encode()).hexdigest()[:32]


def with_owner(
    column: str, values: Values, admins: Admins | None
) -> tuple[Values, Mapping[str, LeftOut]]:
    """`values` with the owner's id, or without an owner whom nobody knows, and why."""
    named: Value = values.get(column)
    if not isinstance(named, str):
        return values, {}
    known = admins or Admins(unread=UNREAD)
    if known.unread is None and (owner := known.owner(column, named)) is not None:
        return {**values, column: owner}, {}
    kept = {name: value for name, value in values.items() if name != column}
    return kept, {column: LeftOut(Reason.UNWRITABLE, known.unread or UNKNOWN[column])}
