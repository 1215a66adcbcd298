"""Both sides of one user as a pass knows them, and what the domain decides on that.

What a pass may do, and what the answers to it mean, is `user_pass.py`'s: it goes on from here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.attributes import held
from intercom_assets.domain.decisions import FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import (
    DELETED,
    TIME_ZONE,
    Field,
    intercom_values,
)
from intercom_assets.domain.leads import CREATED, EMAIL, lead_email
from intercom_assets.domain.memberships import Attached, MembershipPlan, plan_memberships
from intercom_assets.domain.models import (
    AppUser,
    Contact,
    Gone,
    InvalidRow,
    JournalEntry,
    LeftOut,
    Membership,
    Reason,
    UserLink,
    Value,
    Values,
)
from intercom_assets.domain.persons import is_another_person
from intercom_assets.domain.policies import stays_undone
from intercom_assets.domain.reconcile import reconcile
from intercom_assets.domain.timezones import GeoHint, place
from intercom_assets.sync.context.failures import Problem, unfit
from intercom_assets.sync.passes.rules import Rules, user_hash


@dataclass(slots=True)
class UserSides:
    """`companies`: team id -> company id; `void_teams`: teams that have and get no company.

    Both are shared by the chunk and grow while it works. `waiting_since`: Unix s of the change.
    `sent`: what Intercom took in this pass, and what both sides held then, whatever the app did
    since. `left_to`: the external id, and the id, of a contact that turned out to be another
    user's. `inherited_nothing`: what Intercom held was set aside. `attempt`: what this pass is
    about to do, as noted. `cleared_up`: what a run that died had done is in the journal.
    `reread`: the workspace's attributes asked for once more, in doubt.
    """

    rules: Rules
    row: AppUser | InvalidRow | Gone
    link: UserLink
    companies: dict[str, str]
    void_teams: set[str]
    contact: Contact | None = None
    look: Freshness = Freshness.STALE
    base: Values = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    sent: Values = field(default_factory=dict)
    accepted: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    refused: dict[str, Value] = field(default_factory=dict)
    undone: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    undone_teams: set[str] = field(default_factory=set)
    undone_companies: set[str] = field(default_factory=set)
    edges: dict[str, Membership] = field(default_factory=dict)
    overwritten: dict[str, tuple[int, ...]] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    leads: Sequence[str] = ()
    lead_email: str | None = None
    leads_shown: Mapping[str, str] = field(default_factory=dict)
    refused_leads: dict[str, tuple[str, str]] = field(default_factory=dict)
    archived: bool = False
    problem: Problem | None = None
    tried: bool = False
    looked_at: float = 0.0
    noted: Values = field(default_factory=dict)
    attempt: Attempt | None = None
    cleared_up: bool = False
    read_requested: bool = False
    waiting_since: int | None = None
    lost_companies: list[str] = field(default_factory=list)
    created: bool = False
    left_to: tuple[str, str] | None = None
    inherited_nothing: bool = False
    late_problem: Problem | None = None
    calls: int = 0
    answered: set[str] = field(default_factory=set)
    reread: Callable[[], Rules] | None = None
    journal: list[JournalEntry] = field(default_factory=list)
    _plan: Reconciliation | None = None
    _row_hash: str | None = None

    def __post_init__(self) -> None:
        link = self.link
        self.contact, self.base, self.archived = link.shadow, link.base, link.archived
        self.accepted, self.refused = dict(link.accepted), dict(link.refused)
        self.undone, self.undone_teams = dict(link.undone), set(link.undone_teams)
        self.undone_companies = set(link.undone_companies)
        self.edges, self.lead_email = dict(link.edges), link.lead_email
        self.refused_leads = dict(link.refused_leads)
        self.overwritten = {name: tuple(times) for name, times in link.overwritten.items()}
        self.left_out = {n: each for n, each in link.left_out.items() if each.is_of_value}
        self.see_row(self.row)
        self.read_requested = self.is_another_person
        if self.is_back and not self.is_leaving:
            self.accepted.pop(EMAIL, None)  # given up when the user left: it may be free again
        self.look = self._first_look()

    # --- what is known -----------------------------------------------------------------------

    def see_row(self, row: AppUser | InvalidRow | Gone) -> None:
        """Takes the app's row, as read now; one that cannot be synced becomes the problem."""
        self.row, self._plan, self._row_hash = row, None, None
        if isinstance(row, Gone):
            self.values = {DELETED.name: True}
            return
        if isinstance(row, InvalidRow):
            self.problem = unfit(row)
            return
        fitted = held(self.rules.fields, row, truncate=self.rules.truncate)
        self.values = {**fitted.values, DELETED.name: row.deleted}
        self.left_out = {
            **{n: each for n, each in self.left_out.items() if each.is_of_value},
            **fitted.left_out,
        }

    @property
    def user_id(self) -> str:
        return self.link.user_id

    @property
    def is_leaving(self) -> bool:
        return isinstance(self.row, Gone) or (isinstance(self.row, AppUser) and self.row.deleted)

    @property
    def is_back(self) -> bool:
        """Marked as deleted before, and here again."""
        return isinstance(self.row, AppUser) and self.link.base.get(DELETED.name) is True

    @property
    def is_another_person(self) -> bool:
        """The app gave the id to somebody else since the last pass."""
        return isinstance(self.row, AppUser) and is_another_person(self.link.base, self.values)

    @property
    def may_lack_id(self) -> bool:
        """The app's row may not have the contact's id: it is another row than the last pass saw.

        Restored, or of somebody who got the same id; or the last pass was none, but a listing.
        """
        then, now = self.link.base.get(CREATED), self.values.get(CREATED)
        return self.link.synced_at is None or self.is_back or then != now

    @property
    def row_hash(self) -> str:
        """What the app's side was when this pass read it."""
        if self._row_hash is None:
            teams, oauth = self._wanted_teams, self._from_oauth
            self._row_hash = user_hash(self.rules, self.values, teams, oauth)
        return self._row_hash

    @property
    def only_seen(self) -> bool:
        """Nothing of the row differs from the last pass but `last_request_at`."""
        return self.link.synced_at is not None and self.link.row_hash == self.row_hash

    @property
    def differs(self) -> bool:
        """The app's row is not what the last pass saw, `last_request_at` included."""
        return not self.only_seen or bool(self.plan().to_intercom or self.plan().deferred)

    @property
    def is_absent(self) -> bool:
        """Nothing of this user on either side, as far as we know; a POST may have landed."""
        unknown = self.link.contact_id is None and not self.link.in_flight
        return isinstance(self.row, Gone) and unknown

    @property
    def _from_oauth(self) -> bool:
        return isinstance(self.row, AppUser) and self.row.from_oauth

    @property
    def _wanted_teams(self) -> frozenset[str]:
        return self.row.teams if isinstance(self.row, AppUser) else frozenset()

    @property
    def teams_without_company(self) -> frozenset[str]:
        lacking = self._wanted_teams - self.companies.keys() - self.void_teams
        return lacking - self.undone_teams

    def _first_look(self) -> Freshness:
        return Freshness.FRESH if self.contact is None else Freshness.STALE

    def follow(self, rules: Rules) -> None:
        """Goes on by other rules: attributes turned out to be unwritable, or are again writable."""
        if rules.unwritable != self.rules.unwritable:
            self.rules, self._plan = rules, None

    # --- what is decided ---------------------------------------------------------------------

    def look_first(self) -> None:
        self.read_requested = True

    def plan(self) -> Reconciliation:
        """Field by field, on what is known now; kept until something more is known."""
        if self._plan is None:
            self._plan = self._decide()
        return self._plan

    def forget_plan(self) -> None:
        """What it was made from has changed."""
        self._plan = None

    def _decide(self) -> Reconciliation:
        fields = self._fields
        return reconcile(
            fields.values(),
            FieldInputs(
                base=self.base,
                app=self.values,
                intercom=self._intercom_values(fields),
                look=self.look,
                from_oauth=self._from_oauth,
                clear_unusable=self.rules.clear_unusable,
                accepted=self.accepted,
                refused=self.refused,
                undone=self.undone,
                left_out=self.left_out,
                place=self._place(),
                book=self.rules.zones,
            ),
        )

    def memberships(self) -> MembershipPlan:
        contact = self.contact
        attached = Attached(
            frozenset(contact.company_ids) if contact else frozenset(),
            contact.companies_complete if contact else True,
            contact.company_count if contact else None,
        )
        return plan_memberships(
            self._wanted_teams - self.void_teams - self.teams_kept_out,
            self.edges,
            self.companies,
            attached,
            mirror=self.rules.mirror,
            kept=self.companies_kept,
        )

    # --- what is not sent ---------------------------------------------------------------------

    @property
    def fields_left_out(self) -> dict[str, LeftOut]:
        """What is left out as things stand: of values only those that would be sent otherwise."""
        decided = {each.field.name: each.left_out for each in self.plan().decisions}
        kept = {n: e for n, e in self.left_out.items() if not e.is_of_value or decided.get(n, True)}
        return {**kept, **self._unwritable}

    @property
    def _unwritable(self) -> dict[str, LeftOut]:
        """Fields that nobody can write just now, where the two sides differ."""
        if not isinstance(self.row, AppUser) or self.contact is None:
            return {}
        unwritable = {n: f for n, f in self.rules.fields.items() if n in self.rules.unwritable}
        there = self._intercom_values(unwritable)
        return {
            name: LeftOut(Reason.UNWRITABLE, self.rules.unwritable[name])
            for name, each in unwritable.items()
            if name in self.values and not each.same(self.values[name], there.get(name))
        }

    # --- what an operator took back, and what stays so until a side changes it ----------------

    @property
    def fields_kept(self) -> dict[str, tuple[Value, Value]]:
        there = self._intercom_values(self.rules.fields)
        return {
            name: pair
            for name, pair in self.undone.items()
            if (each := self.rules.fields.get(name)) is not None
            and stays_undone(each, self.undone, self.values.get(name), there.get(name))
        }

    @property
    def teams_kept_out(self) -> frozenset[str]:
        there = set(self.contact.company_ids) if self.contact else set()
        wanted = self.undone_teams & self._wanted_teams
        return frozenset(t for t in wanted if self.companies.get(t) not in there)

    @property
    def companies_kept(self) -> frozenset[str]:
        there = set(self.contact.company_ids) if self.contact else set()
        wanted = {self.companies.get(team) for team in self._wanted_teams}
        return frozenset(self.undone_companies & there - wanted)

    def lead_to_search(self) -> str | None:
        """The address to search; once for each, and again where Intercom's side has moved, or for
        a user who was away; but not if all that was found was refused and is as it was.

        A delay of ours does not close the window: it is open as of when the change was noticed.
        """
        if not isinstance(self.row, AppUser) or self.problem:
            return None
        anew = self.is_back or self._has_refused(changed=True)
        anew = anew or (self.read_requested and not self._has_refused(changed=False))
        link = replace(self.link, lead_email=None) if anew else self.link
        as_of = min(self.rules.now, self.waiting_since or self.rules.now)
        return lead_email(self.row, link, as_of, self.rules.merge_window)

    def found_leads(self, email: str, leads: Mapping[str, str]) -> None:
        """What a search for the address found: leads, and what they look like. Who was refused is
        not tried again before that, or the app's row, has changed."""
        still = {k: was for k, was in self.refused_leads.items() if k in leads}
        self.lead_email, self.refused_leads, self.leads_shown = email, still, leads
        now = {lead: (self.row_hash, looks) for lead, looks in leads.items()}
        self.leads = tuple(lead for lead in leads if still.get(lead) != now[lead])

    def _has_refused(self, *, changed: bool) -> bool:
        """Whether Intercom refused a lead, with the row as it is now or with another one."""
        then = (row for row, _ in self.link.refused_leads.values())
        return any((row != self.row_hash) is changed for row in then)

    @property
    def _fields(self) -> Mapping[str, Field]:
        """A gone user's row says nothing but that it is gone."""
        if isinstance(self.row, Gone):
            return {DELETED.name: DELETED}
        unwritable = self.rules.unwritable
        return {
            n: f for n, f in self.rules.fields.items() if n in self.values and n not in unwritable
        }

    def _intercom_values(self, fields: Mapping[str, Field]) -> Values:
        return intercom_values(fields.values(), self.contact) if self.contact else {}

    def _place(self) -> GeoHint:
        contact = self.contact
        if contact is None or TIME_ZONE not in self.rules.fields:
            return GeoHint()
        return place(contact.stated_time_zone, contact.country_code, self.rules.zones)
