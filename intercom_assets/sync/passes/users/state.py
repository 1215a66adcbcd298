"""What is known of one user on both sides, and what the domain decides on that. Frozen.

Whoever asks "what would be decided?" (plan, feeders, status, undo) asks a state. Which calls that
takes is `calls_due.py`'s, what an answer makes of a state `transitions.py`'s.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from operator import attrgetter

from intercom_assets.domain.attempts import Attempt, attempts_in
from intercom_assets.domain.decisions import FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import DELETED, TIME_ZONE, Field, intercom_values
from intercom_assets.domain.lazily import lazily
from intercom_assets.domain.leads import CREATED
from intercom_assets.domain.memberships import Attached, MembershipPlan, plan_memberships
from intercom_assets.domain.models import (
    OF_EDGES,
    Contact,
    Gone,
    LeftOut,
    Membership,
    UserLink,
    Value,
    Values,
)
from intercom_assets.domain.opt_outs import words_on
from intercom_assets.domain.persons import is_another_person
from intercom_assets.domain.reconcile import reconcile
from intercom_assets.domain.tags import NOTHING, Carried, Tagging, TagPlan
from intercom_assets.domain.timezones import GeoHint, place
from intercom_assets.sync.context.failures import Problem
from intercom_assets.sync.passes.app_rows import AppRow
from intercom_assets.sync.passes.kept_apart import (
    Pairs,
    fields_kept,
    fields_left_out,
    unwritable_fields,
)
from intercom_assets.sync.passes.rules import Rules

PLANNED_ON = (
    *("rules", "app", "contact", "freshness", "base"),
    *("accepted", "refused", "undone", "left_out"),
)
"""What the decisions are made from, the contact less its companies and tags. A state that differs
in other things decides the same."""
_DECISIVE = attrgetter(*(name for name in PLANNED_ON if name != "contact"))
_SAID = attrgetter(*(f.name for f in fields(Contact) if f.name not in OF_EDGES))


@dataclass(frozen=True)
class UserState:
    """`companies`: team id -> company id; `void_teams`: teams that have and get no company.

    `sent`: what Intercom took in this pass, and what both sides held then, whatever the app did
    since. `left_out`: for answers of Intercom's. `leads`: to be merged; `leads_found`: by id.
    `inherited_nothing`: what Intercom held was another person's, and is set aside.
    `waiting_since`: Unix s of the change. `read_requested`: something in Intercom moved.
    `tags`: those that we put on, key -> id, of which `doubted_tags` may not be on.
    """

    rules: Rules
    app: AppRow
    link: UserLink
    companies: Mapping[str, str] = field(default_factory=dict)
    void_teams: AbstractSet[str] = frozenset()
    contact: Contact | None = None
    freshness: Freshness = Freshness.STALE
    base: Values = field(default_factory=dict)
    sent: Values = field(default_factory=dict)
    accepted: Pairs = field(default_factory=dict)
    refused: Values = field(default_factory=dict)
    undone: Pairs = field(default_factory=dict)
    undone_teams: frozenset[str] = frozenset()
    undone_companies: frozenset[str] = frozenset()
    edges: Mapping[str, Membership] = field(default_factory=dict)
    overwritten: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    leads: tuple[str, ...] = ()
    lead_email: str | None = None
    leads_found: Mapping[str, Contact] = field(default_factory=dict)
    refused_leads: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    archived: bool = False
    read_requested: bool = False
    inherited_nothing: bool = False
    waiting_since: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    doubted_tags: frozenset[str] = frozenset()
    undone_tags: frozenset[str] = frozenset()
    email_held_by: str | None = None

    def following(self, before: "UserState") -> "UserState":
        """With the decisions of the state before, where all that they are made from is the same."""
        if "plan" in before.__dict__ and _decides_alike(self, before):
            self.__dict__["plan"] = before.plan
        if "attempts" in before.__dict__ and self.link is before.link:
            self.__dict__["attempts"] = before.attempts
        return self

    # --- the app's side -----------------------------------------------------------------------

    @property
    def user_id(self) -> str:
        return self.link.user_id

    @property
    def values(self) -> Values:
        return self.app.values

    @property
    def row_hash(self) -> str:
        return self.app.hash

    @property
    def problem(self) -> Problem | None:
        """Of a row that cannot be synced."""
        return self.app.problem

    @property
    def is_leaving(self) -> bool:
        return self.app.is_leaving

    @property
    def is_gone(self) -> bool:
        return isinstance(self.app.row, Gone)

    @property
    def is_back(self) -> bool:
        """Marked as deleted before, and here again."""
        return self.app.is_here and self.link.base.get(DELETED.name) is True

    @property
    def is_another_person(self) -> bool:
        """The app gave the id to somebody else since the last pass."""
        return self.app.is_here and is_another_person(self.link.base, self.values)

    @property
    def may_lack_id(self) -> bool:
        """The app's row may not have the contact's id: it is another row than the last pass saw.

        Restored, or of somebody who got the same id; or the last pass was none, but a listing.
        """
        then, now = self.link.base.get(CREATED), self.values.get(CREATED)
        return self.link.synced_at is None or self.is_back or then != now

    @property
    def only_seen(self) -> bool:
        """Nothing of the row differs from the last pass but `last_request_at`."""
        return self.link.synced_at is not None and self.link.row_hash == self.row_hash

    @property
    def differs(self) -> bool:
        """The app's row is not what the last pass saw, `last_request_at` included."""
        return not self.only_seen or bool(self.plan.to_intercom or self.plan.deferred)

    @property
    def is_absent(self) -> bool:
        """Nothing of this user on either side, as far as we know; a POST may have landed."""
        return self.is_gone and self.link.contact_id is None and not self.link.in_flight

    @lazily
    def attempts(self) -> Sequence[Attempt]:
        """What runs noted before they did it, and of which nobody knows yet what came of it."""
        return attempts_in(self.link.in_flight)

    # --- Intercom's side ----------------------------------------------------------------------

    @property
    def was_read(self) -> bool:
        """By id, in this pass."""
        return self.contact is not None and self.freshness is Freshness.FRESH

    @property
    def company_ids(self) -> frozenset[str]:
        return frozenset(self.contact.company_ids) if self.contact else frozenset()

    @property
    def geo_hint(self) -> GeoHint:
        contact = self.contact
        if contact is None or TIME_ZONE not in self.rules.fields:
            return GeoHint()
        return place(contact.located_time_zone, contact.country_code, self.rules.zones)

    def intercom_values(self, wanted: Mapping[str, Field]) -> Values:
        return intercom_values(wanted.values(), self.contact) if self.contact else {}

    @property
    def opt_outs_shown(self) -> Values:
        """By the contact, as a base keeps them that knew of none."""
        return words_on(self.rules.fields.values(), self.intercom_values(self.rules.fields))

    # --- what is decided ----------------------------------------------------------------------

    @property
    def decided_fields(self) -> Mapping[str, Field]:
        """A gone user's row says nothing but that it is gone."""
        return {DELETED.name: DELETED} if self.is_gone else self.rules.decidable(self.values)

    @lazily
    def plan(self) -> Reconciliation:
        """Field by field, on what is known."""
        decided = self.decided_fields
        return reconcile(
            decided.values(),
            FieldInputs(
                base=self.base,
                app=self.values,
                intercom=self.intercom_values(decided),
                look=self.freshness,
                from_oauth=self.app.from_oauth,
                clear_unusable=self.rules.clear_unusable,
                accepted=self.accepted,
                refused=self.refused,
                undone=self.undone,
                left_out=self.all_left_out,
                place=self.geo_hint,
                book=self.rules.zones,
            ),
        )

    @property
    def teams_without_company(self) -> frozenset[str]:
        return self.app.teams - self.companies.keys() - self.void_teams - self.undone_teams

    @lazily
    def memberships(self) -> MembershipPlan:
        contact = self.contact
        attached = Attached(
            self.company_ids,
            contact.companies_complete if contact else True,
            contact.company_count if contact else None,
        )
        return plan_memberships(
            self.app.teams - self.void_teams - self.teams_kept_out,
            self.edges,
            self.companies,
            attached,
            mirror=self.rules.mirror,
            kept=self.companies_kept,
        )

    @lazily
    def tag_plan(self) -> TagPlan:
        """Of who leaves, or is archived, nothing is put on and nothing taken off."""
        return NOTHING if self.is_leaving or self.archived else self.tagging.plan

    @property
    def tagging(self) -> Tagging:
        return Tagging(
            self.app.tags,
            self.tags,
            self.rules.tags,
            self.carried_tags,
            self.doubted_tags,
            self.undone_tags,
        )

    @property
    def carried_tags(self) -> Carried:
        contact = self.contact
        if contact is None:
            return Carried()
        return Carried(frozenset(contact.tag_ids), contact.tags_complete)

    # --- what stays apart ---------------------------------------------------------------------

    @property
    def all_left_out(self) -> Mapping[str, LeftOut]:
        return {**self.left_out, **self.app.left_out}

    @property
    def fields_left_out(self) -> dict[str, LeftOut]:
        unwritable = unwritable_fields(self.rules, self.app, self.contact)
        return fields_left_out(self.all_left_out, self.plan, unwritable)

    @property
    def fields_kept(self) -> dict[str, tuple[Value, Value]]:
        known = {name: at for name, at in self.rules.fields.items() if name in self.undone}
        return fields_kept(known, self.undone, self.values, self.intercom_values(known))

    @property
    def teams_kept_out(self) -> frozenset[str]:
        wanted = self.undone_teams & self.app.teams
        return frozenset(t for t in wanted if self.companies.get(t) not in self.company_ids)

    @property
    def companies_kept(self) -> frozenset[str]:
        wanted = {self.companies.get(team) for team in self.app.teams}
        return frozenset(self.undone_companies & self.company_ids - wanted)


def _decides_alike(state: UserState, before: UserState) -> bool:
    return _says_alike(state.contact, before.contact) and bool(
        _DECISIVE(state) == _DECISIVE(before)
    )


def _says_alike(contact: Contact | None, before: Contact | None) -> bool:
    if contact is before or contact is None or before is None:
        return contact is before
    return bool(_SAID(contact) == _SAID(before))
