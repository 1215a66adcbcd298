"""One user's way through a pass: what is known by now, and what became of the calls.

The chunk (`chunk.py`) drives it: a first call (POST, PUT or GET), the write-back to the app with
the row read again, then at most one more PUT together with merges and memberships. What is known is
a frozen `UserState`, replaced as answers come in; the calls themselves are in `calls.py`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.decisions import Decision, Reconciliation
from intercom_assets.domain.models import (
    Contact,
    JournalEntry,
    LeftOut,
    Reason,
    Side,
    Value,
    Values,
)
from intercom_assets.domain.reconcile import not_stored
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.intercom.calls import Call
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.context.endpoint_answers import answered_in
from intercom_assets.sync.context.failures import Problem
from intercom_assets.sync.passes.app_rows import Row, app_row
from intercom_assets.sync.passes.journal import (
    KIND,
    entry_of_decision,
    entry_of_event,
    entry_of_inheritance,
    entry_of_unknown_zone,
)
from intercom_assets.sync.passes.rules import Rules
from intercom_assets.sync.passes.users import calls_due, transitions
from intercom_assets.sync.passes.users.found_done import found_done
from intercom_assets.sync.passes.users.identity import SomebodyElses
from intercom_assets.sync.passes.users.state import UserState

READ_LASTS = 3.0
"""Seconds after which a contact is read again before a later time is written to it."""


@dataclass(slots=True)
class UserPass:
    """What became of one user so far; every part is written by the methods here.

    `late_problem`: all else of the user goes on. `noted`: what is about to be sent; `attempt`: that
    and the rest of what this pass does. `lost_companies`: teams whose company Intercom has no more.
    `left_to`: the external id, and the id, of a contact that turned out to be another user's.
    `answered`: endpoints. `reread`: asks for the workspace's attributes once more.
    `proven`: what a job did for the user was found, which stands for the answer to a first call.
    """

    state: UserState
    reread: Callable[[], Rules]
    problem: Problem | None = None
    late_problem: Problem | None = None
    read_at: float = 0.0
    noted: Values = field(default_factory=dict)
    attempt: Attempt | None = None
    created: bool = False
    proven: bool = False
    lost_companies: list[str] = field(default_factory=list)
    left_to: tuple[str, str] | None = None
    calls: int = 0
    answered: set[str] = field(default_factory=set)
    journal: list[JournalEntry] = field(default_factory=list)
    _was_cleared_up: bool = False

    def __post_init__(self) -> None:
        self.problem = self.problem or self.state.problem

    @property
    def user_id(self) -> str:
        return self.state.user_id

    @property
    def contact(self) -> Contact | None:
        return self.state.contact

    @property
    def contact_id(self) -> str:
        assert self.state.contact is not None, "this follows a known contact"
        return self.state.contact.id

    @property
    def intercom_id(self) -> str | None:
        return self.state.contact.id if self.state.contact else None

    @property
    def is_absent(self) -> bool:
        """No contact, and none was to be made."""
        return self.state.contact is None and not self.journal

    @property
    def ends_well(self) -> bool:
        return self.problem is None and self.late_problem is None

    @property
    def fields_left_out(self) -> Mapping[str, LeftOut]:
        return self.state.fields_left_out

    # --- what there is to do ------------------------------------------------------------------

    @property
    def needs_first_call(self) -> bool:
        if self.problem or self.proven:
            return False
        return calls_due.needs_first_call(self.state)

    @property
    def needs_second_calls(self) -> bool:
        return self.problem is None and calls_due.needs_second_calls(self.state)

    @property
    def claimed_contact(self) -> str | None:
        """A contact that was there already and is new to us: another may be linked to it, too."""
        if self.problem or self.created or self.intercom_id == self.state.link.contact_id:
            return None
        return self.intercom_id

    @property
    def read_is_old(self) -> bool:
        return monotonic() - self.read_at > READ_LASTS

    @property
    def was_created_before(self) -> bool:
        """By a run that died, as was just found."""
        return any(entry.action is Action.CREATED for entry in self.journal)

    # --- what becomes known -------------------------------------------------------------------

    def become(self, state: UserState) -> None:
        self.state = state.following(self.state)

    def set_aside(self, state: UserState) -> None:
        """Takes it without the decisions, which would be kept for thousands that wait."""
        self.state = state

    def begin(self, waiting_since: int, *, needs_read: bool, by_hand: bool) -> None:
        """`by_hand`: somebody asked for this user by name, so that what was left out for an answer
        of Intercom's is tried again."""
        state = self.state
        self.become(
            replace(
                state,
                waiting_since=waiting_since,
                read_requested=state.read_requested or needs_read,
                left_out={} if by_hand else state.left_out,
            )
        )

    def apply_rules(self, rules: Rules) -> None:
        """Goes on by other rules: attributes turned out to be unwritable, or are again writable."""
        if rules.unwritable != self.state.rules.unwritable:
            self.become(replace(self.state, rules=rules))

    def apply_read(self, answer: Contact) -> None:
        """Takes a contact as Intercom answers it by id. Raises `SomebodyElses`."""
        before = self.state
        self._apply_answer(before, transitions.after_read(before, answer), answer)

    def apply_proof(self, contact: Contact, after: UserState) -> None:
        """Takes a contact that shows what an item of a job was to bring there, and what is known
        `after` it."""
        self._apply_answer(self.state, after, contact)
        for entry in self.journal:
            if entry.action is Action.ATTACHED:
                team = str(entry.new)
                company = self.state.companies[team]
                self.become(transitions.attached(self.state, team, company))
        self.proven, self.created = True, self.was_created_before

    def apply_write(self, answer: Contact, plan: Reconciliation, client: IntercomClient) -> None:
        """Takes the answer to a write of `plan`. Raises `SomebodyElses`."""
        sent = [d for d in plan.decisions if d.is_due and d.write_to is Side.INTERCOM]
        for decision in sent:
            action = Action.OVERRULED if decision.overruled else Action.PUSHED
            self._journal_decision(action, decision, client)
        before = self.state
        self._apply_answer(before, transitions.after_write(before, answer, sent), answer)

    def _apply_answer(self, before: UserState, state: UserState, answer: Contact) -> None:
        self.read_at = monotonic()
        unknown = state.geo_hint.unknown
        if unknown not in (None, before.geo_hint.unknown):
            self.journal.append(entry_of_unknown_zone(self.user_id, unknown))
        if state.link.in_flight and not self._was_cleared_up:
            self._was_cleared_up = True
            self.journal += found_done(state, answer, self.journal)
        if state.inherited_nothing and not before.inherited_nothing:
            self.journal.append(entry_of_inheritance(self.user_id))
        self.become(state)

    def apply_creation(self, answer: Contact, plan: Reconciliation, client: IntercomClient) -> None:
        """What another run had in flight did not make the contact: this call did."""
        self.created = self._was_cleared_up = True
        self.apply_write(answer, plan, client)
        self.journal_event(Action.CREATED, client, why="new user")

    def apply_row(
        self, row: Row, refused: Mapping[str, str | None], changed: Collection[str]
    ) -> None:
        """The app was offered what was decided for it, and its row was read again.

        What it did not store as offered is not offered again until Intercom's value changes.
        `refused`: field -> the app's reason. `changed`: fields that it had changed meanwhile.
        """
        before = self.state
        decided = before.plan
        same = row == before.app.row
        app = before.app if same else app_row(QueueKind.USER, before.rules, row)
        self.problem = self.problem or app.problem
        lacking = not_stored(decided, app.values)
        new = {name: value for name, value in lacking.items() if name not in changed}
        if new or not same:
            self.become(replace(before, app=app, refused={**before.refused, **new}))
        offered = [d for d in decided.decisions if d.is_due and d.write_to is Side.APP]
        offered = [d for d in offered if d.field.name not in changed]
        for decision in offered:
            name = decision.field.name
            if name in lacking:
                why = refused.get(name) or "the app stored another form of it"
                self._journal_decision(Action.REFUSED_BY_APP, replace(decision, why=why))
            else:
                self._journal_decision(Action.PULLED, decision)
        stored = [d for d in offered if d.field.name not in lacking]
        self.become(transitions.after_write_back(self.state, stored))

    def leave_out(self, name: str, value: Value, reason: Reason, why: str) -> None:
        """This value is not sent again; everything else goes on."""
        self.become(transitions.leave_out(self.state, name, LeftOut(reason, why, value)))

    def forget_contact(self) -> None:
        self.become(transitions.forget_contact(self.state))

    def inherit_nothing(self) -> None:
        self.become(transitions.inherit_nothing(self.state))
        self.journal.append(entry_of_inheritance(self.user_id))

    def add_entries(self, entries: Iterable[JournalEntry]) -> None:
        self.journal += entries

    def lose_company(self, team: str) -> None:
        """Its company is deleted in Intercom."""
        self.lost_companies.append(team)

    def leave_contact(self, found: SomebodyElses) -> None:
        """It turned out to be another user's."""
        self.left_to = found.left_to

    def count_calls(self, calls: Sequence[Call]) -> None:
        self.calls += len(calls)
        self.answered |= answered_in(calls)

    # --- how it ends --------------------------------------------------------------------------

    def fail(self, problem: Problem) -> None:
        self.problem = problem

    def put_off(self, problem: Problem) -> None:
        """Something of the user has to wait; all else goes on. The first reason stays."""
        self.late_problem = self.late_problem or problem

    def note_intent(self, attempt: Attempt, noted: Values | None = None) -> None:
        self.attempt = attempt
        self.noted = self.noted if noted is None else noted

    def journal_event(
        self,
        action: Action,
        client: IntercomClient,
        *,
        old: Value = None,
        new: Value = None,
        why: str = "",
    ) -> None:
        """Journals something that is not a field: created, adopted, attached, merged ..."""
        self.journal.append(
            entry_of_event(KIND, self.user_id, action, client, old=old, new=new, why=why)
        )

    def _journal_decision(
        self, action: Action, decision: Decision, client: IntercomClient | None = None
    ) -> None:
        base = self.state.base.get(decision.field.name)
        self.journal.append(
            entry_of_decision(KIND, self.user_id, action, decision, base=base, client=client)
        )
