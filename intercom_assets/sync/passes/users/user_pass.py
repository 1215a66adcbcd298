"""One user's way through a pass: the calls that it makes, and what their answers mean.

The chunk (`users.py`) drives it: a first call (POST, PUT or GET), the write-back to the app with
the row read again, then at most one more PUT together with merges and memberships. Every decision
is the domain's, on what `user_sides.py` knows; this module keeps the pieces of one user together
while the answers come in. The calls themselves are in `user_calls.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from intercom_assets.domain.attempts import (
    Event,
)
from intercom_assets.domain.decisions import CONSIDERED_ZONE, Decision, Freshness, Reconciliation
from intercom_assets.domain.fields import TIME_ZONE, intercom_values
from intercom_assets.domain.models import (
    Contact,
    EdgeState,
    JournalEntry,
    LeftOut,
    Membership,
    Reason,
    Side,
    Value,
)
from intercom_assets.domain.reconcile import landed, not_stored
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.passes.journal import (
    entry_of_decision,
    entry_of_event,
    entry_of_inheritance,
    entry_of_unknown_zone,
)
from intercom_assets.sync.passes.known_companies import merge_known_companies, with_known_companies
from intercom_assets.sync.passes.users.found_done import found_done
from intercom_assets.sync.passes.users.identity import SomebodyElses, is_ours
from intercom_assets.sync.passes.users.state import UserSides

RECENT = 15 * 60
"""Seconds by which a listing may be behind."""
LOOK_LASTS = 3.0
"""Seconds after which a contact is read again before a later time is written to it."""


@dataclass(slots=True)
class UserPass(UserSides):
    """What there is to do for one user, and what became of it."""

    # --- what there is to do ------------------------------------------------------------------

    @property
    def needs_first_call(self) -> bool:
        if self.problem or self.is_absent or (self.archived and self.is_leaving):
            return False
        if self.contact is None:
            return self.read_requested or not self._was_never_there
        if self.must_read_first or self.archived:
            return True
        return self.has_to_send or bool(self.leads) or bool(self.plan().deferred)

    @property
    def is_to_write_first(self) -> bool:
        """Whether the first call may write. What a pass that died had noted is not written over."""
        return not self.must_read_first or (self.contact is None and not self.link.in_flight)

    @property
    def needs_second_calls(self) -> bool:
        if self.problem or self.contact is None or self.archived:
            return False
        has_edges = not self.memberships().settled
        return self.has_to_send or has_edges or self.is_to_archive or bool(self.leads)

    @property
    def is_to_be_saved_before_leads(self) -> bool:
        """Intercom merges duplicates only: the contact must have the address first.

        And it must be the user's, which one without external id may turn out not to be.
        """
        contact = self.contact
        return (
            contact is not None
            and self.has_to_send
            and (self.lacks_external_id or (contact.email or "").lower() != self.lead_email)
        )

    @property
    def has_to_send(self) -> bool:
        return self.lacks_external_id or bool(self.plan().to_intercom)

    @property
    def must_read_first(self) -> bool:
        """Whether Intercom's present values come first: something there moved, or may have."""
        told = self.read_requested or self.link.needs_read or bool(self.link.in_flight)
        return told or bool(self._companies_in_doubt) or self._listing_is_not_enough

    @property
    def _companies_in_doubt(self) -> frozenset[str]:
        """A pass that died was about to attach or detach these: only a look tells what it did."""
        edges = self.link.edges.values()
        return frozenset(e.company_id for e in edges if e.state is not EdgeState.ATTACHED)

    @property
    def _listing_is_not_enough(self) -> bool:
        """A listing never justifies a clearing or a detach, nor "unchanged" for what just moved."""
        if not self.link.listed or self.contact is None or self.look is Freshness.FRESH:
            return False
        theirs = self.rules.intercom_now
        if theirs - (self.contact.updated_at or theirs) <= RECENT:
            return True
        edges = self.memberships()
        clears = None in self.plan().to_intercom.values()
        return clears or edges.must_list or bool(edges.detach or edges.dropped)

    @property
    def has_looked(self) -> bool:
        return self.tried and self.contact is not None and self.look is Freshness.FRESH

    @property
    def sends_a_later_time(self) -> bool:
        """Intercom has no conditional write: what the Messenger sets between our look and our PUT
        is overwritten. So little lies between them, and the PUT is not repeated blindly."""
        due = (d for d in self.plan().decisions if d.is_due and d.write_to is Side.INTERCOM)
        return any(d.field.policy.traits.of_times for d in due)

    @property
    def looked_long_ago(self) -> bool:
        return monotonic() - self.looked_at > LOOK_LASTS

    @property
    def lacks_external_id(self) -> bool:
        contact = self.contact
        return contact is not None and contact.external_id is None and not self.is_leaving

    @property
    def has_own_external_id(self) -> bool:
        return self.contact is not None and self.contact.external_id == self.user_id

    @property
    def claims(self) -> str | None:
        """A contact that was there already and is new to us: another may be linked to it, too."""
        contact = self.contact
        if self.problem or contact is None or self.created:
            return None
        return contact.id if contact.id != self.link.contact_id else None

    @property
    def is_to_archive(self) -> bool:
        kept = self.archived or self.link.undone_archive
        return self.rules.archive and self.is_leaving and not kept

    @property
    def _was_never_there(self) -> bool:
        """A user that left before we ever knew a contact, and whom we looked for once already."""
        return self.is_leaving and self.link.row_hash == self.row_hash

    def edges_in_flight(self) -> list[Membership]:
        """The edges that the second calls will move, to be noted before them."""
        plan = self.memberships()
        attaching = [
            Membership(team, self.companies[team], EdgeState.ATTACHING)
            for team in plan.attach
            if team in self.companies
        ]
        leaving = {*plan.detach, *plan.dropped}
        return attaching + [
            replace(edge, state=EdgeState.DETACHING)
            for edge in self.edges.values()
            if edge.company_id in leaving
        ]

    def first_events(self) -> list[Event]:
        """What the first call does beside sending fields, to be noted before it."""
        events: list[Event] = [(Action.MERGED, lead) for lead in self.leads]
        if self.contact is None and not self.is_leaving and self.is_to_write_first:
            events.append((Action.CREATED, None))
        if self.archived and not self.is_leaving:
            events.append((Action.UNARCHIVED, None))
        return events

    def second_events(self) -> list[Event]:
        """What the second calls do beside it. Where the companies are still to be listed, any of
        ours may be left."""
        plan, wanted = self.memberships(), self._wanted_teams
        ours = self.edges.items() if plan.must_list else ()
        leaving = [edge.company_id for team, edge in ours if team not in wanted]
        return [
            *((Action.MERGED, lead) for lead in self.leads),
            *((Action.ATTACHED, team) for team in plan.attach if team in self.companies),
            *((Action.DETACHED, company) for company in (*plan.detach, *leaving)),
            *([(Action.ARCHIVED, None)] if self.is_to_archive else []),
        ]

    # --- the write-back -----------------------------------------------------------------------

    def wrote_back(
        self,
        decided: Reconciliation,
        refused: Mapping[str, str | None],
        moved: Collection[str],
    ) -> None:
        """The app was offered what was decided for it, and its row was read again.

        What it did not store as offered is not offered again until Intercom's value changes.
        `refused`: field -> the app's reason. `moved`: fields that it had changed meanwhile.
        """
        lacking = not_stored(decided, self.values)
        self.refused |= {name: value for name, value in lacking.items() if name not in moved}
        self._plan = None
        for decision in decided.decisions:
            name = decision.field.name
            if not decision.is_due or decision.write_to is not Side.APP or name in moved:
                continue
            if name in lacking:
                why = refused.get(name) or "the app stored another form of it"
                self._journal_decision(Action.REFUSED_BY_APP, replace(decision, why=why))
            else:
                self._journal_decision(Action.PULLED, decision)

    # --- what an answer of Intercom means -----------------------------------------------------

    def apply_read(self, answer: Contact) -> None:
        """Takes a contact as Intercom answers it by id. Raises `SomebodyElses`."""
        if not is_ours(answer, self.user_id):
            raise SomebodyElses(answer)
        if self.contact is None and answer.id == self.link.contact_id:
            self._remember_contact()
        before = self._place().unknown
        doubted = self._companies_in_doubt
        self.contact = with_known_companies(answer, self.contact, doubted)
        self.look, self.looked_at = Freshness.FRESH, monotonic()
        self.edges = {t: merge_known_companies(e, answer) for t, e in self.edges.items()}
        if (unknown := self._place().unknown) not in (None, before):
            self.journal.append(entry_of_unknown_zone(self.user_id, unknown))
        self._plan = None
        if self.link.in_flight and not self.cleared_up:
            self.cleared_up = True
            self.journal += found_done(self, answer)
        if self.link.in_flight:
            self.base = landed(self.link, self._fields, self._intercom_values(self._fields))
        self.base = {**self.base, **self.sent}
        others = self.is_another_person or self.link.others_contact == answer.id
        if others and not self.inherited_nothing:
            self.inherit_nothing()

    def apply_write(self, answer: Contact, plan: Reconciliation, client: IntercomClient) -> None:
        """Takes the answer to a write of `plan`, and what became of each value sent."""
        sent = [d for d in plan.decisions if d.is_due and d.write_to is Side.INTERCOM]
        got = intercom_values([d.field for d in sent], answer)
        for decision in sent:
            name = decision.field.name
            self.accepted.pop(name, None)
            if not decision.field.same(decision.value, got[name]):
                self.accepted[name] = (decision.value, got[name])
            action = Action.OVERRULED if decision.overruled else Action.PUSHED
            self._journal_decision(action, decision, client)
        self.sent = {**self.sent, **{d.field.name: d.value for d in sent}}
        self.apply_read(answer)

    def archived_before(self, found: Sequence[JournalEntry]) -> None:
        """A run that died had archived the contact, which comes back with its user."""
        sent = {entry.field: entry.new for entry in found if entry.field}
        self.journal += found
        self.archived, self.look, self.base = True, Freshness.FRESH, {**self.base, **sent}
        self._plan = None

    def leave_out(self, name: str, value: Value, reason: Reason, why: str) -> None:
        """This value is not sent again; everything else goes on."""
        self.left_out[name] = LeftOut(reason, why, value)
        self._plan = None

    def try_everything(self) -> None:
        """Somebody asked by name: what was left out for an answer of Intercom's is tried again."""
        self.left_out = {n: each for n, each in self.left_out.items() if not each.is_of_value}
        self._plan = None

    def forget_contact(self) -> None:
        self.contact, self.look, self.base, self._plan = None, Freshness.FRESH, {}, None
        self.accepted, self.edges, self.archived, self.sent = {}, {}, False, {}
        self.undone, self.undone_teams, self.undone_companies = {}, set(), set()
        self.refused_leads = {}

    def inherit_nothing(self) -> None:
        """What Intercom holds was another person's: none of it is pulled, and what the app has not
        is cleared. `refused` holds until Intercom's value changes."""
        self.inherited_nothing = True
        there = self._intercom_values(self.rules.fields)
        pulled = {name: there[name] for name, each in self.rules.fields.items() if each.pulled}
        where = self._place()
        zone = where.stated or where.derived
        self.base = {**pulled, CONSIDERED_ZONE.name: zone}
        self.refused = {**pulled, TIME_ZONE: zone} if TIME_ZONE in pulled else pulled
        self.accepted, self.undone, self.overwritten, self._plan = {}, {}, {}, None
        self.journal.append(entry_of_inheritance(self.user_id))

    def _remember_contact(self) -> None:
        """The one that was forgotten is there after all: what was agreed on it still holds."""
        self.base, self.accepted = self.link.base, dict(self.link.accepted)
        self.edges = dict(self.link.edges)

    def set_companies(self, ids: set[str], complete: bool | None = None) -> None:
        assert self.contact is not None
        known, count = self.contact.companies_complete, self.contact.company_count
        if count is not None:
            count = len(ids) if complete else count + len(ids) - len(self.contact.company_ids)
        self.contact = replace(
            self.contact,
            company_ids=tuple(sorted(ids)),
            companies_complete=known if complete is None else complete,
            company_count=count,
        )

    def drop_edges(self, company_ids: set[str]) -> None:
        self.edges = {t: e for t, e in self.edges.items() if e.company_id not in company_ids}

    # --- the journal --------------------------------------------------------------------------

    def note(
        self,
        action: Action,
        client: IntercomClient,
        *,
        old: Value = None,
        new: Value = None,
        why: str = "",
    ) -> None:
        """Journals something that is not a field: created, adopted, attached, merged ..."""
        self.journal.append(entry_of_event(self.user_id, action, client, old=old, new=new, why=why))

    def _journal_decision(
        self, action: Action, decision: Decision, client: IntercomClient | None = None
    ) -> None:
        base = self.base.get(decision.field.name)
        self.journal.append(entry_of_decision(self.user_id, action, decision, base, client))
