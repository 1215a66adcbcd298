"""The write of what is due for one user: POST until there is a contact, then PUT.

A field that Intercom refuses is left out (`refused_fields.py`). Must not: know memberships or
leads.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from intercom_assets.domain.decisions import Reconciliation
from intercom_assets.domain.fields import DELETED, Field, contact_patch
from intercom_assets.domain.models import ContactPatch, Reason, Value, Values
from intercom_assets.domain.untold import patched
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Conflict
from intercom_assets.sync.passes.refused_fields import deliver
from intercom_assets.sync.passes.users import calls_due, identity
from intercom_assets.sync.passes.users.user_pass import UserPass

OVERWRITTEN_TIMES, OVERWRITTEN_WITHIN = 3, 86_400
"""So often, within so many seconds, somebody else may write over a field before it is left out."""


def write_contact(user: UserPass, client: IntercomClient) -> None:
    deliver(_ContactWrite(user, client))


@dataclass(frozen=True, slots=True)
class _ContactWrite:
    """Of what is due for one user, as `deliver` asks for it."""

    user: UserPass
    client: IntercomClient

    @property
    def fields(self) -> Mapping[str, Field]:
        return {**self.user.state.rules.fields, DELETED.name: DELETED}

    @property
    def due(self) -> Values:
        return self.user.state.plan.to_intercom

    def send(self, names: Collection[str]) -> None:
        plan = self.user.state.plan.sending(names)
        if self.user.contact is None:
            _create(self.user, self.client, plan)
        else:
            _update(self.user, self.client, plan)

    def probe(self) -> None:
        """Sets the role that the contact has already."""
        user = self.user
        if user.contact is None:
            self.send(())
            return
        user.apply_read(self.client.update_contact(user.contact.id, ContactPatch({"role": "user"})))

    def reread(self) -> None:
        self.user.apply_rules(self.user.reread())

    def leave_out(self, name: str, value: Value, why: str) -> None:
        self.user.leave_out(name, value, Reason.REFUSED, why)


def _create(user: UserPass, client: IntercomClient, plan: Reconciliation) -> None:
    contact, created = identity.find_or_create(
        client,
        user.user_id,
        _creation(user, plan),
        may_exist=bool(user.state.link.in_flight),
    )
    if created:
        user.apply_creation(contact, plan, client)
        return
    user.apply_read(contact)
    if not user.was_created_before:
        why = "Intercom had a contact with the same details"
        user.journal_event(Action.ADOPTED, client, why=why)


def _creation(user: UserPass, plan: Reconciliation) -> ContactPatch:
    values = {name: value for name, value in plan.to_intercom.items() if value is not None}
    patch = _patch(user, values)
    return replace(patch, standard={"role": "user", "external_id": user.user_id, **patch.standard})


def _patch(user: UserPass, values: Values) -> ContactPatch:
    known = {**user.state.rules.fields, DELETED.name: DELETED}
    patch = contact_patch(known, values)
    sent = [known[name] for name in values]
    return replace(patch, standard=patched(patch.standard, user.state.values, sent))


def _update(user: UserPass, client: IntercomClient, plan: Reconciliation) -> None:
    lacks_id = calls_due.lacks_external_id(user.state)
    patch = _patch(user, plan.to_intercom)
    if lacks_id:
        patch = replace(patch, standard={"external_id": user.user_id, **patch.standard})
    repeat = not calls_due.sends_a_later_time(user.state)
    try:
        answer = client.update_contact(user.contact_id, patch, repeat=repeat)
    except Conflict as conflict:
        if not lacks_id:
            raise
        _relink(user, client, conflict)
        return
    user.apply_write(answer, plan, client)


def _relink(user: UserPass, client: IntercomClient, conflict: Conflict) -> None:
    """Ours lost its external id, and another contact has it by now: that one is the user's."""
    contact = identity.adopt(client, user.user_id, conflict)
    user.forget_contact()
    user.apply_read(contact)
    user.journal_event(Action.RELINKED, client, why="another contact has its external id")


def count_overwritten(user: UserPass) -> dict[str, tuple[int, ...]]:
    """Field -> when somebody else wrote over it lately, now included.

    One for which that was too often is left out from here on.
    """
    state = user.state
    since = state.rules.now - OVERWRITTEN_WITHIN
    found: dict[str, tuple[int, ...]] = {}
    for decision in state.plan.overruled:
        if decision.field.policy.traits.of_flags:
            continue  # an opt-out is never given up
        name = decision.field.name
        times = (*(t for t in state.overwritten.get(name, ()) if t > since), state.rules.now)
        if len(times) < OVERWRITTEN_TIMES:
            found[name] = times
            continue
        counted = {n: t for n, t in user.state.overwritten.items() if n != name}
        user.become(replace(user.state, overwritten=counted))
        why = f"another integration keeps writing {name} in Intercom"
        user.leave_out(name, decision.value, Reason.CONTESTED, why)
    return found
