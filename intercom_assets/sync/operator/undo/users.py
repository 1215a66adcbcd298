"""One user's part of an undo: look by id, take back what is due, remember what stays so.

The order of the writes is that of a pass: Intercom first, then the app by compare-and-set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.domain.attempts import Attempt, Event
from intercom_assets.domain.decisions import BEFORE
from intercom_assets.domain.fields import TIME_ZONE, contact_patch
from intercom_assets.domain.models import Contact, JournalEntry, Side, UserLink, Values
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, Merged, NotFound
from intercom_assets.sync.context.failures import PassFailed, problem_of
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
from intercom_assets.sync.passes.app_rows import app_row
from intercom_assets.sync.passes.rules import user_rules
from intercom_assets.sync.passes.users import transitions
from intercom_assets.sync.passes.users.found_done import found_done
from intercom_assets.sync.passes.users.reading import read_users
from intercom_assets.sync.passes.users.state import UserState


@dataclass(slots=True)
class UserUndo:
    """`problem`: why nothing more was taken back. `done`: the steps that were. `found`: what a run
    that died had done."""

    services: Services
    state: UserState
    entries: Sequence[JournalEntry]
    problem: str | None = None
    done: list[UndoStep] = field(default_factory=list)
    found: list[JournalEntry] = field(default_factory=list)
    is_there: bool = True
    _was_read: bool = False
    _steps: list[UndoStep] | None = None

    @classmethod
    def read(
        cls,
        services: Services,
        keys: Sequence[str],
        entries: Mapping[str, Sequence[JournalEntry]],
    ) -> Iterator["UserUndo"]:
        for state in read_users(services, keys, user_rules(services, {})) if keys else ():
            teams = {str(e.new) for e in entries[state.user_id] if e.action is Action.ATTACHED}
            links = services.store.links.teams(sorted(teams - state.companies.keys()))
            made = {team: link.company_id for team, link in links.items() if link.company_id}
            state = replace(state, companies={**state.companies, **made})
            yield cls(services, state, entries[state.user_id])

    @property
    def key(self) -> str:
        return self.state.user_id

    @property
    def settled(self) -> bool:
        """Nothing else waits to be synced, as far as this read could tell."""
        state = self.state
        if self.problem or state.problem or state.contact is None:
            return False
        edges = state.memberships.settled and state.tag_plan.settled
        return edges and state.plan.settled

    # --- looking ------------------------------------------------------------------------------

    def look(self, client: IntercomClient) -> None:
        """Reads the contact by id; one that we archived is as it was when that was done."""
        self.is_there = self.state.contact is not None
        if self.state.contact is None or self.state.archived:
            return
        try:
            self._read(client)
        except (NotFound, Merged, PassFailed):
            self.is_there = False
        except IntercomError as error:
            self.problem = problem_of(error).message

    @property
    def _contact_id(self) -> str:
        assert self.state.contact is not None, "a step that is due was read from a contact"
        return self.state.contact.id

    def _read(self, client: IntercomClient) -> None:
        answer = client.get_contact(self._contact_id)
        self._apply_read(answer)
        if any(entry.action in (Action.TAGGED, Action.UNTAGGED) for entry in self.entries):
            self.state = tags.listed(self.state, client)
        if not answer.companies_complete:
            companies = client.contact_companies(answer.id)
            listed = frozenset(company.id for company in companies)
            self.state = transitions.in_companies(self.state, listed, complete=True)

    def _apply_read(self, answer: Contact) -> None:
        self.state = transitions.after_read(self.state, answer)
        if self.state.link.in_flight and not self._was_read:
            self.found = found_done(self.state, answer)
        self._was_read = True

    def steps(self) -> list[UndoStep]:
        """What became of each thing that the run did to this user, or would."""
        if self._steps is None:
            present = self._present()
            self._steps = [
                *steps_of(self.entries, self.services.user_fields, present),
                *tags.tag_steps(self.entries, present, self.state.tagging),
            ]
        return as_done(self._steps, self.done, self.problem)

    def _present(self) -> SidesNow:
        state, fields = self.state, self.services.user_fields
        is_there = self.is_there and state.contact is not None
        return SidesNow(
            QueueKind.USER,
            state.user_id,
            app=state.values if state.app.is_here else None,
            intercom=state.intercom_values(fields) if is_there else None,
            companies=state.companies,
            attached=state.company_ids,
            archived=state.archived,
            accepted=state.accepted,
        )

    def in_flight(self, attempt: Attempt) -> Values:
        """What is about to be taken back, to be noted before the first write."""
        sent, stored = self._due(Act.FIELD), self._due(Act.FIELD, Side.APP)
        events: list[Event] = [(Action.UNARCHIVED, None) for _ in self._due(Act.ARCHIVED)]
        events += [(Action.DETACHED, self.state.companies[s.what]) for s in self._due(Act.ATTACHED)]
        events += [(Action.ATTACHED, self._team_of(s.what)) for s in self._due(Act.DETACHED)]
        events += tags.tag_events(self.steps())
        if not (sent or stored or events):
            return {}
        values = {step.what: step.was for step in sent}
        pulled = {step.what: (step.wrote, step.was) for step in stored}
        noted = attempt.joined(fields=values, pulled=pulled, events=events)
        return {**values, **{BEFORE + step.what: step.now for step in sent}, **noted.note()}

    # --- taking back --------------------------------------------------------------------------

    def take_back(self, client: IntercomClient) -> None:
        if self.problem:
            return
        try:
            self._take_back_archiving(client)
            self._take_back_fields(client)
            self._take_back_memberships(client)
            self._take_back_tags(client)
        except PassFailed as failed:
            self.problem = failed.problem.message
        except IntercomError as error:
            self.problem = problem_of(error).message
        self._take_back_from_app()
        self._keep()

    def _due(self, act: Act, side: Side = Side.INTERCOM) -> list[UndoStep]:
        return due_of(self.steps(), act, side)

    def _take_back_archiving(self, client: IntercomClient) -> None:
        for step in self._due(Act.ARCHIVED):
            client.unarchive_contact(self._contact_id)
            self.state = replace(self.state, archived=False)
            self.done.append(taken_back(step))
            self._read(client)
            self._steps = None

    def _take_back_fields(self, client: IntercomClient) -> None:
        due = self._due(Act.FIELD)
        if not due:
            return
        values = {step.what: step.was for step in due}
        patch = contact_patch(self.services.user_fields, values)
        answer = client.update_contact(self._contact_id, patch)
        accepted = {n: pair for n, pair in self.state.accepted.items() if n not in values}
        self.state = replace(self.state, accepted=accepted)
        self._apply_read(answer)
        self.done += map(taken_back, due)

    def _take_back_memberships(self, client: IntercomClient) -> None:
        for step in self._due(Act.ATTACHED):
            company = self.state.companies[step.what]
            client.detach_company(self._contact_id, company)
            state = transitions.without_edges(self.state, {company})
            kept_out = state.undone_teams | {step.what}
            self.state = replace(transitions.detached(state, company), undone_teams=kept_out)
            self.done.append(replace(taken_back(step), journaled_as=company))
        for step in self._due(Act.DETACHED):
            client.attach_company(self._contact_id, step.what)
            state, kept = self.state, self.state.undone_companies | {step.what}
            self.state = replace(transitions.in_company(state, step.what), undone_companies=kept)
            self.done.append(replace(taken_back(step), journaled_as=self._team_of(step.what)))

    def _take_back_tags(self, client: IntercomClient) -> None:
        for act, revert in ((Act.TAGGED, tags.taken_off), (Act.UNTAGGED, tags.put_back)):
            for step in self._due(act):
                self.state = revert(self.state, client, step.what)
                self.done.append(taken_back(step))

    def _team_of(self, company: str) -> str:
        """The journal names memberships by the team where it has one."""
        by_company = self.services.store.links.by_company([company])
        return by_company.get(company, company)

    def _take_back_from_app(self) -> None:
        due = self._due(Act.FIELD, Side.APP)
        if not due:
            return
        request = WriteBack(
            self.key,
            expected={step.what: step.wrote for step in due},
            new={step.what: step.was for step in due},
        )
        written = self.services.app.write_back_users([request])[self.key]
        if written.status != "written":
            reason = written.reason or f"the app's row is {written.status}"
            self.problem = self.problem or reason
            return
        row = app_row(QueueKind.USER, self.state.rules, written.row)
        self.state = replace(self.state, app=row)
        self.done += map(taken_back, due)

    def _keep(self) -> None:
        """Both sides stay as they are now until one of them changes."""
        state = self.state
        there = state.intercom_values(self.services.user_fields)
        undone, refused = dict(state.undone), dict(state.refused)
        for step in self.done:
            if step.act is not Act.FIELD:
                continue
            undone[step.what] = (state.values.get(step.what), there.get(step.what))
            if step.what == TIME_ZONE and step.side is Side.APP:
                refused[TIME_ZONE] = step.wrote
        self.state = replace(state, undone=undone, refused=refused)

    def link(self) -> UserLink:
        """All that the next pass shall know; the row's hash stays, so nothing due is forgotten."""
        state, before = self.state, self.state.link
        unarchived = any(step.act is Act.ARCHIVED for step in self.done)
        return replace(
            before,
            shadow=state.contact,
            shadow_read_at=state.rules.now if state.was_read else before.shadow_read_at,
            in_flight={} if state.was_read and not self.problem else before.in_flight,
            accepted=state.accepted,
            refused=state.refused,
            archived=state.archived,
            needs_read=before.needs_read or self.problem is not None,
            edges=state.edges,
            undone=state.fields_kept,
            undone_teams=sorted(state.teams_kept_out),
            undone_companies=sorted(state.companies_kept),
            tags=state.tags,
            undone_tags=sorted(state.tagging.kept_off),
            others_tags=sorted(state.tagging.others),
            undone_archive=before.undone_archive or unarchived,
        )
