"""One user's part of an undo: look by id, take back what is due, remember what stays so.

The order of the writes is that of a pass: Intercom first, then the app by compare-and-set.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.domain.attempts import Attempt, Event
from intercom_assets.domain.decisions import BEFORE
from intercom_assets.domain.fields import TIME_ZONE, contact_patch, intercom_values
from intercom_assets.domain.models import AppUser, JournalEntry, Side, UserLink, Values
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, Merged, NotFound
from intercom_assets.sync.context.failures import PassFailed, problem_of
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.operator.undo.steps import Act, SidesNow, StepState, UndoStep, steps_of
from intercom_assets.sync.passes.users.chunk import read_users, user_rules
from intercom_assets.sync.passes.users.user_pass import UserPass


@dataclass(slots=True)
class UserUndo:
    """`problem`: why nothing more was taken back. `done`: the steps that were."""

    services: Services
    user: UserPass
    entries: Sequence[JournalEntry]
    problem: str | None = None
    done: list[UndoStep] = field(default_factory=list)
    is_there: bool = True
    _steps: list[UndoStep] | None = None

    @classmethod
    def read(
        cls,
        services: Services,
        keys: Sequence[str],
        entries: Mapping[str, Sequence[JournalEntry]],
    ) -> Iterator["UserUndo"]:
        if not keys:
            return
        for user in read_users(services, keys, user_rules(services, {})):
            teams = {str(e.new) for e in entries[user.user_id] if e.action is Action.ATTACHED}
            links = services.store.links.teams(sorted(teams - user.companies.keys()))
            user.companies.update({t: li.company_id for t, li in links.items() if li.company_id})
            yield cls(services, user, entries[user.user_id])

    @property
    def key(self) -> str:
        return self.user.user_id

    @property
    def settled(self) -> bool:
        """Nothing else waits to be synced, as far as this look could tell."""
        user = self.user
        if self.problem or user.problem or user.contact is None:
            return False
        return user.plan().settled and user.memberships().settled

    # --- looking ------------------------------------------------------------------------------

    def look(self, client: IntercomClient) -> None:
        """Reads the contact by id; one that we archived is as it was when that was done."""
        user = self.user
        if user.contact is None:
            self.is_there = False
            return
        if user.archived:
            return
        try:
            self._apply_read(client)
        except (NotFound, Merged, PassFailed):
            self.is_there = False
        except IntercomError as error:
            self.problem = problem_of(error).message

    def _apply_read(self, client: IntercomClient) -> None:
        user = self.user
        assert user.contact is not None, "only a known contact is read"
        user.apply_read(client.get_contact(user.contact.id))
        if not user.contact.companies_complete:
            companies = client.contact_companies(user.contact.id)
            user.set_companies({company.id for company in companies}, complete=True)
        user.tried = True

    def steps(self) -> list[UndoStep]:
        """What became of each thing that the run did to this user, or would."""
        if self._steps is None:
            self._steps = steps_of(self.entries, self.services.user_fields, self._present())
        done = {(step.act, step.what, step.side): step for step in self.done}
        told = [done.get((step.act, step.what, step.side), step) for step in self._steps]
        if self.problem is None:
            return told
        return [
            replace(step, state=StepState.FAILED, why=self.problem)
            if step.state is StepState.DUE
            else step
            for step in told
        ]

    def _present(self) -> SidesNow:
        user = self.user
        there = self.is_there and user.contact is not None
        fields = self.services.user_fields.values()
        intercom = intercom_values(fields, user.contact) if there and user.contact else None
        return SidesNow(
            QueueKind.USER,
            user.user_id,
            user.values if isinstance(user.row, AppUser) else None,
            intercom,
            user.companies,
            frozenset(user.contact.company_ids if user.contact else ()),
            user.archived,
            user.accepted,
        )

    def in_flight(self, attempt: Attempt) -> Values:
        """What is about to be taken back, to be noted before the first write."""
        sent = self._due(Act.FIELD, Side.INTERCOM)
        stored = self._due(Act.FIELD, Side.APP)
        events: list[Event] = [(Action.UNARCHIVED, None) for _ in self._due(Act.ARCHIVED)]
        events += [(Action.DETACHED, self.user.companies[s.what]) for s in self._due(Act.ATTACHED)]
        events += [(Action.ATTACHED, self._team_of(s.what)) for s in self._due(Act.DETACHED)]
        if not (sent or stored or events):
            return {}
        noted = attempt.joined(
            fields=(step.what for step in sent),
            pulled={step.what: (step.wrote, step.was) for step in stored},
            events=events,
        )
        before = {BEFORE + step.what: step.now for step in sent}
        return {**{step.what: step.was for step in sent}, **before, **noted.note()}

    def found_done(self) -> list[JournalEntry]:
        """What a run that died had done, as this look found."""
        return [entry for entry in self.user.journal if entry.by is not None]

    # --- taking back --------------------------------------------------------------------------

    def take_back(self, client: IntercomClient) -> None:
        if self.problem:
            return
        try:
            self._take_back_archiving(client)
            self._take_back_fields(client)
            self._take_back_memberships(client)
        except PassFailed as stuck:
            self.problem = stuck.problem.message
        except IntercomError as error:
            self.problem = problem_of(error).message
        self._take_back_from_app()
        self._keep()

    def _due(self, act: Act, side: Side = Side.INTERCOM) -> list[UndoStep]:
        return [
            step
            for step in self.steps()
            if step.state is StepState.DUE and step.act is act and step.side is side
        ]

    def _take_back_archiving(self, client: IntercomClient) -> None:
        for step in self._due(Act.ARCHIVED):
            assert self.user.contact is not None, "an archived contact is known"
            client.unarchive_contact(self.user.contact.id)
            self.user.archived = False
            self.done.append(_done(step))
            self._apply_read(client)
            self._steps = None

    def _take_back_fields(self, client: IntercomClient) -> None:
        due = self._due(Act.FIELD)
        if not due:
            return
        user = self.user
        assert user.contact is not None, "a step that is due was read from a contact"
        patch = contact_patch(self.services.user_fields, {step.what: step.was for step in due})
        answer = client.update_contact(user.contact.id, patch)
        for step in due:
            user.accepted.pop(step.what, None)
        user.apply_read(answer)
        self.done += map(_done, due)

    def _take_back_memberships(self, client: IntercomClient) -> None:
        user = self.user
        assert user.contact is not None or not self._due(Act.ATTACHED), "read from a contact"
        for step in self._due(Act.ATTACHED):
            company = user.companies[step.what]
            self._detach(client, company)
            user.undone_teams.add(step.what)
            self.done.append(replace(_done(step), journaled_as=company))
        for step in self._due(Act.DETACHED):
            assert user.contact is not None, "read from a contact"
            client.attach_company(user.contact.id, step.what)
            user.set_companies({*user.contact.company_ids, step.what})
            user.undone_companies.add(step.what)
            self.done.append(replace(_done(step), journaled_as=self._team_of(step.what)))

    def _detach(self, client: IntercomClient, company: str) -> None:
        user = self.user
        assert user.contact is not None, "read from a contact"
        client.detach_company(user.contact.id, company)
        user.set_companies(set(user.contact.company_ids) - {company})
        user.drop_edges({company})

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
        self.user.see_row(written.row)
        self.done += map(_done, due)

    def _keep(self) -> None:
        """Both sides stay as they are now until one of them changes."""
        user = self.user
        fields = self.services.user_fields.values()
        there = intercom_values(fields, user.contact) if user.contact else {}
        for step in _fields(self.done):
            user.undone[step.what] = (user.values.get(step.what), there.get(step.what))
            if step.what == TIME_ZONE and step.side is Side.APP:
                user.refused[TIME_ZONE] = step.wrote
        user.forget_plan()

    def link(self) -> UserLink:
        """All that the next pass shall know; the row's hash stays, so nothing due is forgotten."""
        user, before = self.user, self.user.link
        unarchived = any(step.act is Act.ARCHIVED for step in self.done)
        return replace(
            before,
            shadow=user.contact,
            shadow_read_at=user.rules.now if user.has_looked else before.shadow_read_at,
            in_flight={} if user.has_looked and not self.problem else before.in_flight,
            accepted=user.accepted,
            refused=user.refused,
            archived=user.archived,
            needs_read=before.needs_read or self.problem is not None,
            edges=user.edges,
            undone=user.fields_kept,
            undone_teams=sorted(user.teams_kept_out),
            undone_companies=sorted(user.companies_kept),
            undone_archive=before.undone_archive or unarchived,
        )


def _fields(steps: Iterable[UndoStep]) -> list[UndoStep]:
    return [step for step in steps if step.act is Act.FIELD]


def _done(step: UndoStep) -> UndoStep:
    return replace(step, now=step.was, state=StepState.DONE)
