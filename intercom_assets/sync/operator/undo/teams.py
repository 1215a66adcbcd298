"""One team's part of an undo: its company's fields, by the upsert that a pass uses too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.decisions import BEFORE
from intercom_assets.domain.fields import company_patch, intercom_values
from intercom_assets.domain.models import JournalEntry, Side, TeamLink, Value, Values
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound
from intercom_assets.sync.context.failures import problem_of
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.operator.undo import tags
from intercom_assets.sync.operator.undo.steps import (
    Act,
    SidesNow,
    UndoStep,
    as_done,
    due_of,
    steps_of,
    taken_back,
)
from intercom_assets.sync.passes.rules import team_rules
from intercom_assets.sync.passes.teams.reading import read_teams
from intercom_assets.sync.passes.teams.state import TeamState, after_read, found_done


@dataclass(slots=True)
class TeamUndo:
    """`problem`: why nothing was taken back. `done`: the steps that were. `found`: what a run that
    died had done."""

    services: Services
    state: TeamState
    entries: Sequence[JournalEntry]
    problem: str | None = None
    done: list[UndoStep] = field(default_factory=list)
    undone: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    is_there: bool = True
    found: list[JournalEntry] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        services: Services,
        keys: Sequence[str],
        entries: Mapping[str, Sequence[JournalEntry]],
    ) -> Iterator["TeamUndo"]:
        for state in read_teams(services, keys, team_rules(services, {})) if keys else ():
            yield cls(services, state, entries[state.team_id], undone=dict(state.link.undone))

    @property
    def key(self) -> str:
        return self.state.team_id

    @property
    def settled(self) -> bool:
        """What else differs is for a pass to decide, which this undo leaves in the queue."""
        if self.problem or self.state.problem or self.state.company is None:
            return False
        state = replace(self.state, link=self.link())
        return state.plan.settled and state.tag_plan.settled

    def look(self, client: IntercomClient) -> None:
        company = self.state.company
        if company is None:
            self.is_there = False
            return
        try:
            answer = client.get_company(company.id)
            self.found = found_done(self.state, answer)
            self.state = after_read(self.state, answer, self.found)
        except NotFound:
            self.is_there = False
        except IntercomError as error:
            self.problem = problem_of(error).message

    def steps(self) -> list[UndoStep]:
        """What became of each thing that the run did to this team, or would."""
        there = self.state.company if self.is_there else None
        fields = self.services.team_fields
        present = SidesNow(
            QueueKind.TEAM,
            self.key,
            self.state.values if self.state.app.is_here else None,
            intercom_values(fields.values(), there) if there else None,
            accepted=self.state.accepted,
        )
        steps = [
            *steps_of(self.entries, fields, present),
            *tags.tag_steps(self.entries, present, self.state.tagging),
        ]
        return as_done(steps, self.done, self.problem)

    def in_flight(self, attempt: Attempt) -> Values:
        """What is about to be taken back, to be noted before it is sent."""
        due, events = self._due(Act.FIELD), tags.tag_events(self.steps())
        if not (due or events):
            return {}
        values = {step.what: step.was for step in due}
        before = {BEFORE + step.what: step.now for step in due}
        return {**values, **before, **attempt.joined(fields=values, events=events).note()}

    def _due(self, act: Act) -> list[UndoStep]:
        return due_of(self.steps(), act, Side.INTERCOM)

    def take_back(self, client: IntercomClient) -> None:
        if self.problem:
            return
        try:
            self._take_back_fields(client)
            self._take_back_tags(client)
        except IntercomError as error:
            self.problem = problem_of(error).message

    def _take_back_fields(self, client: IntercomClient) -> None:
        due = self._due(Act.FIELD)
        if not due:
            return
        patch = company_patch(self.services.team_fields, {step.what: step.was for step in due})
        company = client.upsert_company(self.key, patch)
        there = intercom_values(self.services.team_fields.values(), company)
        names = {step.what for step in due}
        accepted = {n: pair for n, pair in self.state.accepted.items() if n not in names}
        self.state = replace(self.state, company=company, accepted=accepted)
        for name in names:
            self.undone[name] = (self.state.values.get(name), there.get(name))
        self.done += map(taken_back, due)

    def _take_back_tags(self, client: IntercomClient) -> None:
        off, on = tags.taken_off_company, tags.put_back_on_company
        for act, revert in ((Act.TAGGED, off), (Act.UNTAGGED, on)):
            for step in self._due(act):
                self.state = revert(self.state, client, step.what)
                self.done.append(taken_back(step))

    def link(self) -> TeamLink:
        return replace(
            self.state.link,
            in_flight={},
            shadow=self.state.company,
            accepted=self.state.accepted,
            undone=self.undone,
            tags=self.state.tags,
            undone_tags=sorted(self.state.tagging.kept_off),
            others_tags=sorted(self.state.tagging.others),
        )
