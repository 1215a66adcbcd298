"""One team's way through a pass: what is known, what it decides, the call that it makes.

The app owns every field of a company, and `POST /companies` is an upsert, so a changed team is one
call and an unchanged one none. The chunk (`companies.py`) drives it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Attempt, Event, Looked, attempts_in, fields_done
from intercom_assets.domain.decisions import (
    BEFORE,
    Decision,
    FieldInputs,
    Freshness,
    Reconciliation,
)
from intercom_assets.domain.fields import COMPANY_DELETED, Field, company_patch, intercom_values
from intercom_assets.domain.leads import CREATED
from intercom_assets.domain.models import (
    AppTeam,
    Company,
    CompanyPatch,
    Gone,
    InvalidRow,
    JournalEntry,
    LeftOut,
    Reason,
    Side,
    TeamLink,
    Value,
    Values,
)
from intercom_assets.domain.policies import stays_undone
from intercom_assets.domain.reconcile import reconcile
from intercom_assets.domain.values import digest
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound, Rejected
from intercom_assets.sync.context.endpoint_answers import answered_in
from intercom_assets.sync.context.failures import RACE_LOST, Problem, Verdict, problem_of
from intercom_assets.sync.passes.refused_fields import deliver

MOST_RACES = 3


@dataclass(slots=True)
class TeamPass:
    """One team's way through a pass. `values` are the app's, as Intercom can hold them.

    `is_answered`: its last call was, so that `company` is what Intercom has. `agreed`: what a run
    that died had brought there. `noted`: what this pass is about to send.
    """

    fields: dict[str, Field]
    row: AppTeam | InvalidRow | Gone
    link: TeamLink
    mapping_version: str
    values: Values = field(default_factory=dict)
    company: Company | None = None
    accepted: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    unwritable: dict[str, str] = field(default_factory=dict)
    reread: Callable[[], Mapping[str, str]] | None = None
    problem: Problem | None = None
    is_answered: bool = False
    calls: int = 0
    answered: set[str] = field(default_factory=set)
    journal: list[JournalEntry] = field(default_factory=list)
    agreed: Values = field(default_factory=dict)
    noted: Values = field(default_factory=dict)

    @property
    def team_id(self) -> str:
        return self.link.team_id

    @property
    def needs_id(self) -> bool:
        """The app may not have the company's id: the company is new to us, or the row is another.

        Restored, or of a team that got the same id; or the last pass was none, but a listing.
        """
        link, company = self.link, self.company
        if link.synced_at is None or company is None or link.company_id != company.id:
            return True
        then, now = link.base.get(CREATED), self.values.get(CREATED)
        return link.base.get(COMPANY_DELETED.name) is True or then != now

    @property
    def row_hash(self) -> str:
        return digest(self.mapping_version, self.values)

    @property
    def was_never_there(self) -> bool:
        leaving = isinstance(self.row, Gone) or (isinstance(self.row, AppTeam) and self.row.deleted)
        return leaving and self.link.company_id is None

    def plan(self) -> Reconciliation:
        fields = [f for name, f in self.fields.items() if name in self.values]
        intercom = intercom_values(fields, self.company) if self.company else {}
        return reconcile(
            fields,
            FieldInputs(
                self._base,
                self.values,
                intercom,
                Freshness.FRESH,
                accepted=self.accepted,
                undone=self.link.undone,
                left_out=self.left_out,
            ),
        )

    @property
    def _base(self) -> Values:
        """Nothing was ever agreed on about a company that was made again."""
        made_again = self.company is not None and self.company.id != self.link.company_id
        return self.agreed if made_again else {**self.link.base, **self.agreed}

    @property
    def needs_call(self) -> bool:
        if self.problem or self.was_never_there:
            return False
        return self.company is None or bool(self.plan().to_intercom)

    def note(self, run_id: str, at: int) -> Values:
        """What is about to be sent, to be noted before the call."""
        sent = self.plan().to_intercom
        known = self.company or self.link.shadow
        before = intercom_values(self.fields.values(), known) if known else {}
        events: tuple[Event, ...] = (
            ((Action.CREATED, None),) if self.link.company_id is None else ()
        )
        note = Attempt(run_id, at, frozenset(sent), events=events).note()
        self.noted = {**sent, **{BEFORE + n: before[n] for n in sent if n in before}, **note}
        return self.noted

    def look(self, client: IntercomClient) -> None:
        """After a run that died: what it had sent, and what is there now."""
        known = self.link.company_id
        try:
            self.apply_read(
                client.get_company(known) if known else client.find_company(self.team_id)
            )
            self.is_answered = True
        except NotFound:
            pass
        except IntercomError as error:
            self.problem = problem_of(error)
        finally:
            self.calls += len(client.calls)
            self.answered |= answered_in(client.calls)

    def apply_read(self, answer: Company) -> None:
        """Takes a company as it was read. What a run that died had done to it is that run's."""
        there = intercom_values(self.fields.values(), answer)
        looked = Looked(
            QueueKind.TEAM, self.team_id, self.fields, self.link.base, self.values, there
        )
        for attempt in attempts_in(self.link.in_flight):
            made = self.link.company_id is None and attempt.made(answer.created_at)
            done = fields_done(attempt, self.link.in_flight, looked, made=made)
            if made:
                done.append(
                    attempt.entry(QueueKind.TEAM, self.team_id, Action.CREATED, why="new company")
                )
            self.journal += done
            self.agreed = {**self.agreed, **{e.field: e.new for e in done if e.field}}
        self.company = answer

    def upsert(self, client: IntercomClient) -> None:
        """The one call of a team; its answer is the new shadow.

        A second one only where the answer shows another company than the one that we remember:
        typed over by hand, or deleted and now made again.
        """
        try:
            deliver(_CompanyWrite(self, client))
            if self.plan().to_intercom:
                deliver(_CompanyWrite(self, client))
        except IntercomError as error:
            self.problem = problem_of(error)
        finally:
            self.calls += len(client.calls)
            self.answered |= answered_in(client.calls)
        self.problem = self.problem or self._unsettled()

    def send(self, client: IntercomClient, names: Collection[str]) -> None:
        plan = self.plan().sending(names)
        sent = plan.to_intercom
        if self.company is None:
            sent = {name: value for name, value in sent.items() if value is not None}
        self.is_answered = False
        answer = _upserted(client, self.team_id, company_patch(self.fields, sent))
        self.is_answered = True
        self._absorb(answer, plan, client)

    def _unsettled(self) -> Problem | None:
        apart = ", ".join(sorted(self.plan().to_intercom))
        message = f"still apart after two writes: {apart}"
        return Problem(Verdict.REJECTED, message) if apart else None

    def leave_out(self, name: str, value: Value, why: str) -> None:
        self.left_out[name] = LeftOut(Reason.REFUSED, why, value)

    def try_everything(self) -> None:
        """Somebody asked by name: what was left out for an answer of Intercom's is tried again."""
        self.left_out = {n: each for n, each in self.left_out.items() if not each.is_of_value}

    def follow(self, unwritable: Mapping[str, str]) -> None:
        """Attributes turned out to be unwritable."""
        self.fields = {name: each for name, each in self.fields.items() if name not in unwritable}
        self.unwritable = dict(unwritable)

    @property
    def fields_left_out(self) -> dict[str, LeftOut]:
        """What is left out as things stand: of values only those that would be sent otherwise."""
        decided = {each.field.name: each.left_out for each in self.plan().decisions}
        kept = {n: e for n, e in self.left_out.items() if not e.is_of_value or decided.get(n, True)}
        return {**kept, **self._unwritable}

    @property
    def _unwritable(self) -> dict[str, LeftOut]:
        """Attributes that nobody can write just now, where the two sides differ."""
        if not isinstance(self.row, AppTeam) or self.company is None:
            return {}
        wanted = {**self.row.values, COMPANY_DELETED.name: self.row.deleted}
        there = self.company.custom_attributes
        return {
            name: LeftOut(Reason.UNWRITABLE, why)
            for name, why in self.unwritable.items()
            if name in wanted and wanted[name] != there.get(name)
        }

    @property
    def fields_kept(self) -> dict[str, tuple[Value, Value]]:
        """What an operator took back, and what stays so until a side changes it."""
        there = intercom_values(self.fields.values(), self.company) if self.company else {}
        return {
            name: pair
            for name, pair in self.link.undone.items()
            if (each := self.fields.get(name)) is not None
            and stays_undone(each, self.link.undone, self.values.get(name), there.get(name))
        }

    def _absorb(self, answer: Company, plan: Reconciliation, client: IntercomClient) -> None:
        sent = [d for d in plan.decisions if d.is_due]
        got = intercom_values([d.field for d in sent], answer)
        before = self._known_before(sent, answer)
        if answer.id != (self.company.id if self.company else self.link.company_id):
            self.journal.append(self._entry_of_creation(client))
        for decision in sent:
            name = decision.field.name
            self.accepted.pop(name, None)
            if not decision.field.same(decision.value, got[name]):
                self.accepted[name] = (decision.value, got[name])
            self.journal.append(self._entry(decision, before.get(name), client))
        self.company = answer

    def _known_before(self, sent: list[Decision], answer: Company) -> Values:
        """What Intercom held, also of a company that was told to be sent whole."""
        if self.company is not None:
            return {d.field.name: d.intercom for d in sent}
        known = self.link.shadow if answer.id == self.link.company_id else None
        return intercom_values([d.field for d in sent], known) if known else {}

    def _entry_of_creation(self, client: IntercomClient) -> JournalEntry:
        why = "new company" if self.link.company_id is None else "its company was gone"
        made = JournalEntry(
            QueueKind.TEAM, self.team_id, Action.CREATED, None, Side.INTERCOM, why=why
        )
        return replace(made, request_id=client.calls[-1].request_id)

    def _entry(self, decision: Decision, before: Value, client: IntercomClient) -> JournalEntry:
        return JournalEntry(
            QueueKind.TEAM,
            self.team_id,
            Action.OVERRULED if decision.overruled else Action.PUSHED,
            decision.field.name,
            Side.INTERCOM,
            before,
            decision.value,
            decision.why,
            client.calls[-1].request_id,
            decision.field.policy,
            self._base.get(decision.field.name),
        )


def _upserted(client: IntercomClient, team_id: str, patch: CompanyPatch) -> Company:
    """Once more, and once more, where another call made the company at the same moment."""
    for _ in range(MOST_RACES):
        try:
            return client.upsert_company(team_id, patch)
        except Rejected as refusal:
            if refusal.code != RACE_LOST:
                raise
    return client.upsert_company(team_id, patch)


@dataclass(frozen=True, slots=True)
class _CompanyWrite:
    """Of what is due for one team, as `deliver` asks for it."""

    team: TeamPass
    client: IntercomClient

    @property
    def fields(self) -> Mapping[str, Field]:
        return self.team.fields

    @property
    def due(self) -> Values:
        return self.team.plan().to_intercom

    def send(self, names: Collection[str]) -> None:
        self.team.send(self.client, names)

    def probe(self) -> None:
        """A company that is there already is left as it is by its id alone."""
        self.send(())

    def reread(self) -> None:
        if self.team.reread is not None:
            self.team.follow(self.team.reread())

    def leave_out(self, name: str, value: Value, why: str) -> None:
        self.team.leave_out(name, value, why)
