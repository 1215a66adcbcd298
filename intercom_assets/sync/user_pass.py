"""One user's way through a pass: what is known, what it decides, the calls that it makes.

The chunk (`users.py`) drives it: a first call (POST, PUT or GET), the write-back to the app with
the row read again, then at most one more PUT together with merges and memberships. Every decision
is the domain's; this module keeps the pieces of one user together while the answers come in. The
calls themselves are in `user_calls.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attributes import held
from intercom_assets.domain.fields import (
    DELETED,
    LAST_SEEN,
    TIME_ZONE,
    Field,
    intercom_values,
)
from intercom_assets.domain.leads import CREATED, lead_email
from intercom_assets.domain.memberships import Attached, MembershipPlan, plan_memberships
from intercom_assets.domain.models import (
    AppUser,
    Contact,
    Edge,
    EdgeState,
    Gone,
    JournalEntry,
    Side,
    Unfit,
    UserLink,
    Value,
    Values,
)
from intercom_assets.domain.reconcile import (
    Decision,
    Look,
    Reconciliation,
    Sight,
    landed,
    not_stored,
    reconcile,
    stays_undone,
)
from intercom_assets.domain.timezones import Place, place
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.failures import Problem, Stuck, Verdict, unfit
from intercom_assets.sync.identity import is_ours
from intercom_assets.sync.known_companies import confirmed, with_known_companies
from intercom_assets.sync.rules import Rules, user_hash
from intercom_assets.sync.user_journal import (
    entry_of_decision,
    entry_of_event,
    entry_of_unknown_zone,
)

RECENT = 15 * 60
"""Seconds for which a look, or the app's own value, is good enough for `latest` (DESIGN 7)."""


@dataclass(slots=True)
class UserPass:
    """`companies`: team id -> company id; `void_teams`: teams that have and get no company.

    Both are shared by the chunk and grow while it works. `waiting_since`: Unix s of the change.
    """

    rules: Rules
    row: AppUser | Unfit | Gone
    link: UserLink
    companies: dict[str, str]
    void_teams: set[str]
    contact: Contact | None = None
    look: Look = Look.STALE
    base: Values = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    accepted: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    refused: dict[str, Value] = field(default_factory=dict)
    undone: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    undone_teams: set[str] = field(default_factory=set)
    undone_companies: set[str] = field(default_factory=set)
    edges: dict[str, Edge] = field(default_factory=dict)
    overwritten: dict[str, tuple[int, ...]] = field(default_factory=dict)
    leads: Sequence[str] = ()
    lead_email: str | None = None
    archived: bool = False
    problem: Problem | None = None
    tried: bool = False
    noted: Values = field(default_factory=dict)
    told_to_look: bool = False
    waiting_since: int | None = None
    lost_companies: list[str] = field(default_factory=list)
    late_problem: Problem | None = None
    calls: int = 0
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
        self.overwritten = {name: tuple(times) for name, times in link.overwritten.items()}
        self.see_row(self.row)
        self.look = self._first_look()

    # --- what is known -----------------------------------------------------------------------

    def see_row(self, row: AppUser | Unfit | Gone) -> None:
        """Takes the app's row, as read now; one that cannot be synced becomes the problem."""
        self.row, self._plan, self._row_hash = row, None, None
        if isinstance(row, Gone):
            self.values = {DELETED.name: True}
            return
        fitted = (
            held(self.rules.fields, row, truncate=self.rules.truncate)
            if isinstance(row, AppUser)
            else row
        )
        if isinstance(fitted, Unfit):
            self.problem = unfit(fitted)
        elif isinstance(row, AppUser):
            self.values = {**fitted, DELETED.name: row.deleted}

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

    def _first_look(self) -> Look:
        if self.contact is None:
            return Look.FRESH
        times = [self.link.shadow_read_at, self.values.get(LAST_SEEN)]
        recent = any(isinstance(t, int) and abs(self.rules.now - t) <= RECENT for t in times)
        return Look.RECENT if recent else Look.STALE

    def follow(self, rules: Rules) -> None:
        """Goes on by other rules: attributes turned out to be barred, or are again writable."""
        if rules.barred != self.rules.barred:
            self.rules, self._plan = rules, None

    # --- what is decided ---------------------------------------------------------------------

    def look_first(self) -> None:
        self.told_to_look = True

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
            Sight(
                base=self.base,
                app=self.values,
                intercom=self._intercom_values(fields),
                look=self.look,
                from_oauth=self._from_oauth,
                clear_unusable=self.rules.clear_unusable,
                accepted=self.accepted,
                refused=self.refused,
                undone=self.undone,
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
        """The address to search; once for each, and again where Intercom's side has moved.

        A delay of ours does not close the window: it is open as of when the change was noticed.
        """
        if not isinstance(self.row, AppUser) or self.problem:
            return None
        link = replace(self.link, lead_email=None) if self.told_to_look else self.link
        as_of = min(self.rules.now, self.waiting_since or self.rules.now)
        return lead_email(self.row, link, as_of, self.rules.merge_window)

    @property
    def _fields(self) -> Mapping[str, Field]:
        """A gone user's row says nothing but that it is gone."""
        if isinstance(self.row, Gone):
            return {DELETED.name: DELETED}
        barred = self.rules.barred
        return {n: f for n, f in self.rules.fields.items() if n in self.values and n not in barred}

    def _intercom_values(self, fields: Mapping[str, Field]) -> Values:
        return intercom_values(fields.values(), self.contact) if self.contact else {}

    def _place(self) -> Place:
        contact = self.contact
        if contact is None or TIME_ZONE not in self.rules.fields:
            return Place()
        return place(contact.stated_time_zone, contact.country_code, self.rules.zones)

    # --- what there is to do ------------------------------------------------------------------

    @property
    def needs_first_call(self) -> bool:
        if self.problem or self.is_absent or (self.archived and self.is_leaving):
            return False
        if self.contact is None:
            return not self._was_never_there
        if self.must_look or self.archived:
            return True
        return self.has_to_send or bool(self.leads) or bool(self.plan().deferred)

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
    def must_look(self) -> bool:
        """Whether Intercom's present values come first: something there moved, or may have."""
        told = self.told_to_look or self.link.needs_read or bool(self.link.in_flight)
        return told or bool(self._companies_in_doubt) or self._listing_is_not_enough

    @property
    def _companies_in_doubt(self) -> frozenset[str]:
        """A pass that died was about to attach or detach these: only a look tells what it did."""
        edges = self.link.edges.values()
        return frozenset(e.company_id for e in edges if e.state is not EdgeState.ATTACHED)

    @property
    def _listing_is_not_enough(self) -> bool:
        """A listing never justifies a clearing or a detach, nor "unchanged" for what just moved."""
        if not self.link.listed or self.contact is None or self.look is Look.FRESH:
            return False
        if self.rules.now - (self.contact.updated_at or self.rules.now) <= RECENT:
            return True
        edges = self.memberships()
        clears = None in self.plan().to_intercom.values()
        return clears or edges.must_list or bool(edges.detach or edges.dropped)

    @property
    def has_looked(self) -> bool:
        return self.tried and self.contact is not None and self.look is Look.FRESH

    @property
    def lacks_external_id(self) -> bool:
        contact = self.contact
        return contact is not None and contact.external_id is None and not self.is_leaving

    @property
    def claims(self) -> str | None:
        """A contact new to us that no external id makes this user's: another may claim it, too."""
        contact = self.contact
        if self.problem or contact is None or contact.external_id is not None:
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

    def edges_in_flight(self) -> list[Edge]:
        """The edges that the second calls will move, to be noted before them."""
        plan = self.memberships()
        attaching = [
            Edge(team, self.companies[team], EdgeState.ATTACHING)
            for team in plan.attach
            if team in self.companies
        ]
        leaving = {*plan.detach, *plan.dropped}
        return attaching + [
            replace(edge, state=EdgeState.DETACHING)
            for edge in self.edges.values()
            if edge.company_id in leaving
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
                self._journal_decision("refused", replace(decision, why=why))
            else:
                self._journal_decision("pulled", decision)

    # --- what an answer of Intercom means -----------------------------------------------------

    def see(self, answer: Contact) -> None:
        """Takes a contact as Intercom answers it by id. Raises `Stuck` if it is not this user's."""
        if not is_ours(answer, self.user_id):
            problem = f"contact {answer.id} has another user's external id"
            raise Stuck(Problem(Verdict.PARK, problem))
        if self.contact is None and answer.id == self.link.contact_id:
            self._remember_contact()
        before = self._place().unknown
        doubted = self._companies_in_doubt
        self.contact = with_known_companies(answer, self.contact, doubted)
        self.look = Look.FRESH
        self.edges = {t: confirmed(e, answer) for t, e in self.edges.items()}
        if (unknown := self._place().unknown) not in (None, before):
            self.journal.append(entry_of_unknown_zone(self.user_id, unknown))
        self._plan = None
        if self.link.in_flight:
            self.base = landed(self.link, self._fields, self._intercom_values(self._fields))

    def absorb(self, answer: Contact, plan: Reconciliation, client: IntercomClient) -> None:
        """Takes the answer to a write of `plan`, and what became of each value sent."""
        sent = [d for d in plan.decisions if d.is_due and d.write_to is Side.INTERCOM]
        got = intercom_values([d.field for d in sent], answer)
        for decision in sent:
            name = decision.field.name
            self.accepted.pop(name, None)
            if not decision.field.same(decision.value, got[name]):
                self.accepted[name] = (decision.value, got[name])
            action = "overruled" if decision.overruled else "pushed"
            self._journal_decision(action, decision, client)
        self.see(answer)

    def forget_contact(self) -> None:
        self.contact, self.look, self.base, self._plan = None, Look.FRESH, {}, None
        self.accepted, self.edges, self.archived = {}, {}, False
        self.undone, self.undone_teams, self.undone_companies = {}, set(), set()

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
        action: str,
        client: IntercomClient,
        *,
        old: Value = None,
        new: Value = None,
        why: str = "",
    ) -> None:
        """Journals something that is not a field: created, adopted, attached, merged ..."""
        self.journal.append(entry_of_event(self.user_id, action, client, old=old, new=new, why=why))

    def _journal_decision(
        self, action: str, decision: Decision, client: IntercomClient | None = None
    ) -> None:
        base = self.base.get(decision.field.name)
        self.journal.append(entry_of_decision(self.user_id, action, decision, base, client))
