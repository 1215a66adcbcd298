"""One team's way through a pass: what is known by now, and what became of its call.

`POST /companies` is an upsert, so a changed team is one call and an unchanged one none. The chunk
(`chunk.py`) drives it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Attempt, Event
from intercom_assets.domain.decisions import BEFORE, Decision, Reconciliation
from intercom_assets.domain.fields import intercom_values
from intercom_assets.domain.models import (
    Company,
    JournalEntry,
    LeftOut,
    Reason,
    Value,
    Values,
)
from intercom_assets.domain.tags import TAGGED_WHY, UNTAGGED_WHY
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.context.endpoint_answers import answered_in
from intercom_assets.sync.context.failures import Problem
from intercom_assets.sync.passes.journal import entry_of_decision, entry_of_event
from intercom_assets.sync.passes.late_jobs import BUSY
from intercom_assets.sync.passes.rules import Rules
from intercom_assets.sync.passes.teams.state import (
    KIND,
    TeamState,
    after_read,
    after_write,
    disowned,
    found_done,
    tagged,
    untagged,
)


@dataclass(slots=True)
class TeamPass:
    """What became of one team so far; every part is written by the methods here.

    `is_answered`: its last call was, so that the company is what Intercom has. `noted`: what this
    pass is about to send; `attempt`: that and the rest of what it does. `answered`: endpoints.
    `reread`: asks for the workspace's attributes once more.
    """

    state: TeamState
    reread: Callable[[], Rules]
    problem: Problem | None = None
    is_answered: bool = False
    calls: int = 0
    answered: set[str] = field(default_factory=set)
    journal: list[JournalEntry] = field(default_factory=list)
    noted: Values = field(default_factory=dict)
    attempt: Attempt | None = None

    def __post_init__(self) -> None:
        self.problem = self.problem or self.state.problem

    @property
    def team_id(self) -> str:
        return self.state.team_id

    @property
    def intercom_id(self) -> str | None:
        return self.state.company.id if self.state.company else None

    @property
    def company_id(self) -> str:
        """Intercom's."""
        assert self.state.company is not None, "this follows a known company"
        return self.state.company.id

    @property
    def is_absent(self) -> bool:
        return self.state.company is None

    @property
    def needs_call(self) -> bool:
        return self.problem is None and self.state.needs_call

    @property
    def needs_upsert(self) -> bool:
        return self.problem is None and self.state.needs_upsert

    @property
    def moves_tags(self) -> bool:
        return self.problem is None and self.state.moves_tags

    @property
    def ends_well(self) -> bool:
        return self.problem is None

    @property
    def fields_left_out(self) -> Mapping[str, LeftOut]:
        return self.state.fields_left_out

    # --- what becomes known -------------------------------------------------------------------

    def begin(self, *, send_all: bool, by_hand: bool) -> None:
        """`send_all`: deleted in Intercom, or doubted: the upsert carries everything. `by_hand`:
        asked for by name, so that what was left out for an answer of Intercom's is tried again."""
        state = self.state
        self.state = replace(
            state,
            company=None if send_all else state.company,
            left_out={} if by_hand else state.left_out,
        )

    def apply_rules(self, rules: Rules) -> None:
        """Attributes turned out to be unwritable."""
        self.state = replace(self.state, rules=rules)

    def leave_out(self, name: str, value: Value, why: str) -> None:
        reason = LeftOut(Reason.REFUSED, why, value)
        self.state = replace(self.state, left_out={**self.state.left_out, name: reason})

    def apply_read(self, answer: Company) -> None:
        """Takes a company as it was read. What a run that died had done to it is that run's."""
        done = found_done(self.state, answer)
        self.journal += done
        self.state = after_read(self.state, answer, done)
        self.is_answered = True

    def wait_for_job(self, known_before: TeamState) -> None:
        """What was read is not the end of it: all stands as it was noted."""
        self.state, self.is_answered = known_before, False
        self.journal.clear()
        self.fail(BUSY)

    def find_none(self) -> None:
        """There is no company, and none that may yet be made."""
        self.state = replace(self.state, link=replace(self.state.link, in_flight={}))

    def apply_proof(self, company: Company) -> bool:
        """Takes a company as a listing shows it, if nothing is left to be written then."""
        if self.state.link.company_id not in (None, company.id):
            return False
        done = found_done(self.state, company)
        if after_read(self.state, company, done).needs_call:
            return False
        self.apply_read(company)
        return True

    def apply_write(self, answer: Company, plan: Reconciliation, client: IntercomClient) -> None:
        self.is_answered = True
        sent = [decision for decision in plan.decisions if decision.is_due]
        before = self._known_before(sent, answer)
        known = self.state.company.id if self.state.company else self.state.link.company_id
        if answer.id != known:
            self.journal.append(self._entry_of_creation(client))
        self.journal += [self._entry(d, before.get(d.field.name), client) for d in sent]
        self.state = after_write(self.state, answer, sent)

    def _known_before(self, sent: Sequence[Decision], answer: Company) -> Values:
        """What Intercom held, also of a company that was to be sent whole."""
        if self.state.company is not None:
            return {decision.field.name: decision.intercom for decision in sent}
        link = self.state.link
        known = link.shadow if answer.id == link.company_id else None
        return intercom_values([decision.field for decision in sent], known) if known else {}

    def note_intent(self, run_id: str, at: int, *, bulk: bool) -> Values:
        """What is about to be sent, to be noted before the call."""
        state = self.state
        sent = state.plan.to_intercom
        known = state.company or state.link.shadow
        before = intercom_values(state.rules.fields.values(), known) if known else {}
        events: tuple[Event, ...] = (
            ((Action.CREATED, None),) if state.link.company_id is None else ()
        )
        self.attempt = Attempt(run_id, at, frozenset(sent), events=events, bulk=bulk)
        self.noted = {**sent, **{BEFORE + n: before[n] for n in sent if n in before}}
        return {**self.noted, **self.attempt.note()}

    def note_tags(self, run_id: str, at: int) -> Values:
        """Which tags are about to be put on and taken off, to be noted before that."""
        plan, wanted = self.state.tag_plan, self.state.app.tags or {}
        self.attempt = (self.attempt or Attempt(run_id, at)).joined(
            events=[
                *((Action.TAGGED, wanted[key]) for key in plan.put_on),
                *((Action.UNTAGGED, key) for key in plan.take_off),
            ]
        )
        return self.attempt.note()

    def left_to_note(self) -> Values:
        """What this pass may have done unanswered."""
        attempt = self.attempt.without(self.journal).note() if self.attempt else {}
        return {**self.noted, **attempt}

    def lose_company(self) -> None:
        """It is there no more, or another team's: what there is to send is sent whole."""
        self.state = replace(self.state, company=None)

    def apply_tag(self, name: str, tag_id: str, client: IntercomClient) -> None:
        self.is_answered = True
        self.state = tagged(self.state, name, tag_id)
        why = TAGGED_WHY[KIND]
        entry = entry_of_event(KIND, self.team_id, Action.TAGGED, client, new=name, why=why)
        self.journal.append(entry)

    def apply_untag(self, key: str, client: IntercomClient) -> None:
        self.is_answered = True
        self.state = untagged(self.state, self.state.tags[key])
        why = UNTAGGED_WHY
        entry = entry_of_event(KIND, self.team_id, Action.UNTAGGED, client, old=key, why=why)
        self.journal.append(entry)

    def disown_tags(self, keys: Collection[str]) -> None:
        """No longer ours to take off."""
        self.state = disowned(self.state, keys)

    def refuse_tag(self, problem: Problem) -> None:
        """One tag has to wait; all else of the team goes on."""
        self.is_answered = True
        self.put_off(problem)

    def expect_answer(self) -> None:
        """Until the write that is begun now is answered, nobody knows what Intercom has."""
        self.is_answered = False

    def count(self, client: IntercomClient) -> None:
        """The calls that were made."""
        self.calls += len(client.calls)
        self.answered |= answered_in(client.calls)

    # --- how it ends --------------------------------------------------------------------------

    def fail(self, problem: Problem) -> None:
        self.problem = problem

    def put_off(self, problem: Problem) -> None:
        self.problem = self.problem or problem

    def _entry_of_creation(self, client: IntercomClient) -> JournalEntry:
        why = "new company" if self.state.link.company_id is None else "its company was gone"
        return entry_of_event(KIND, self.team_id, Action.CREATED, client, why=why)

    def _entry(self, decision: Decision, before: Value, client: IntercomClient) -> JournalEntry:
        action = Action.OVERRULED if decision.overruled else Action.PUSHED
        base = self.state.base.get(decision.field.name)
        entry = entry_of_decision(KIND, self.team_id, action, decision, base=base, client=client)
        return replace(entry, old=before)
