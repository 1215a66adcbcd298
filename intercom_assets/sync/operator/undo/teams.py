"""One team's part of an undo: its company's fields, by the upsert that a pass uses too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.decisions import BEFORE
from intercom_assets.domain.fields import company_patch, intercom_values
from intercom_assets.domain.models import AppTeam, JournalEntry, TeamLink, Value, Values
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound
from intercom_assets.sync.context.failures import problem_of
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.operator.undo.steps import Act, SidesNow, StepState, UndoStep, steps_of
from intercom_assets.sync.passes.teams.chunk import read_teams
from intercom_assets.sync.passes.teams.team_pass import TeamPass


@dataclass(slots=True)
class TeamUndo:
    """`problem`: why nothing was taken back. `done`: the steps that were."""

    services: Services
    team: TeamPass
    entries: Sequence[JournalEntry]
    problem: str | None = None
    done: list[UndoStep] = field(default_factory=list)
    undone: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    is_there: bool = True

    @classmethod
    def read(
        cls,
        services: Services,
        keys: Sequence[str],
        entries: Mapping[str, Sequence[JournalEntry]],
    ) -> Iterator["TeamUndo"]:
        for team in read_teams(services, keys, {}) if keys else ():
            yield cls(services, team, entries[team.team_id], undone=dict(team.link.undone))

    @property
    def key(self) -> str:
        return self.team.team_id

    @property
    def settled(self) -> bool:
        """What else differs is for a pass to decide, which this undo leaves in the queue."""
        if self.problem or self.team.problem or self.team.company is None:
            return False
        self.team.link = self.link()
        return self.team.plan().settled

    def look(self, client: IntercomClient) -> None:
        company = self.team.company
        if company is None:
            self.is_there = False
            return
        try:
            self.team.apply_read(client.get_company(company.id))
        except NotFound:
            self.is_there = False
        except IntercomError as error:
            self.problem = problem_of(error).message

    def steps(self) -> list[UndoStep]:
        """What became of each thing that the run did to this team, or would."""
        there = self.team.company if self.is_there else None
        fields = self.services.team_fields
        present = SidesNow(
            QueueKind.TEAM,
            self.key,
            self.team.values if isinstance(self.team.row, AppTeam) else None,
            intercom_values(fields.values(), there) if there else None,
            accepted=self.team.accepted,
        )
        done = {step.what: step for step in self.done}
        told = [done.get(s.what, s) for s in steps_of(self.entries, fields, present)]
        if self.problem is None:
            return told
        return [
            replace(step, state=StepState.FAILED, why=self.problem)
            if step.state is StepState.DUE
            else step
            for step in told
        ]

    def in_flight(self, attempt: Attempt) -> Values:
        """What is about to be taken back, to be noted before it is sent."""
        due = self._due()
        if not due:
            return {}
        values = {step.what: step.was for step in due}
        before = {BEFORE + step.what: step.now for step in due}
        return {**values, **before, **attempt.joined(fields=values).note()}

    def found_done(self) -> list[JournalEntry]:
        """What a run that died had done, as this look found."""
        return [entry for entry in self.team.journal if entry.by is not None]

    def _due(self) -> list[UndoStep]:
        return [s for s in self.steps() if s.state is StepState.DUE and s.act is Act.FIELD]

    def take_back(self, client: IntercomClient) -> None:
        due = self._due()
        if self.problem or not due:
            return
        patch = company_patch(self.services.team_fields, {step.what: step.was for step in due})
        try:
            self.team.company = client.upsert_company(self.key, patch)
        except IntercomError as error:
            self.problem = problem_of(error).message
            return
        there = intercom_values(self.services.team_fields.values(), self.team.company)
        for step in due:
            self.team.accepted.pop(step.what, None)
            self.undone[step.what] = (self.team.values.get(step.what), there.get(step.what))
        self.done = [replace(step, now=step.was, state=StepState.DONE) for step in due]

    def link(self) -> TeamLink:
        return replace(
            self.team.link,
            in_flight={},
            shadow=self.team.company,
            accepted=self.team.accepted,
            undone=self.undone,
        )
