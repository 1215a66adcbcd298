"""What is known of one team on both sides, and what the domain decides on that. Frozen.

The app owns every field of a company. Whoever asks "what would be decided?" asks a state; the call,
and what became of it, is `team_pass.py`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Looked, attempts_in, fields_done
from intercom_assets.domain.decisions import Decision, FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import COMPANY_DELETED, Field, intercom_values
from intercom_assets.domain.lazily import lazily
from intercom_assets.domain.leads import CREATED
from intercom_assets.domain.models import Company, JournalEntry, LeftOut, TeamLink, Value, Values
from intercom_assets.domain.reconcile import reconcile
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.sync.context.failures import Problem
from intercom_assets.sync.passes.app_rows import AppRow
from intercom_assets.sync.passes.kept_apart import (
    Pairs,
    accepted_after,
    fields_kept,
    fields_left_out,
    unwritable_fields,
)
from intercom_assets.sync.passes.rules import Rules

KIND = QueueKind.TEAM


@dataclass(frozen=True)
class TeamState:
    """`company`: None of one that there is none of, or that shall be sent whole. `agreed`: what a
    run that died had brought there. `left_out`: for answers of Intercom's."""

    rules: Rules
    app: AppRow
    link: TeamLink
    company: Company | None = None
    accepted: Pairs = field(default_factory=dict)
    agreed: Values = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)

    # --- the app's side -----------------------------------------------------------------------

    @property
    def team_id(self) -> str:
        return self.link.team_id

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
    def was_never_there(self) -> bool:
        return self.app.is_leaving and self.link.company_id is None

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

    # --- what is decided ----------------------------------------------------------------------

    @lazily
    def plan(self) -> Reconciliation:
        fields = self.rules.decidable(self.values)
        return reconcile(
            fields.values(),
            FieldInputs(
                base=self.base,
                app=self.values,
                intercom=self.intercom_values(fields),
                look=Freshness.FRESH,
                accepted=self.accepted,
                undone=self.link.undone,
                left_out=self.all_left_out,
            ),
        )

    @property
    def base(self) -> Values:
        """Nothing was ever agreed on about a company that was made again."""
        made_again = self.company is not None and self.company.id != self.link.company_id
        return self.agreed if made_again else {**self.link.base, **self.agreed}

    @property
    def needs_call(self) -> bool:
        if self.problem or self.was_never_there:
            return False
        return self.company is None or bool(self.plan.to_intercom)

    def intercom_values(self, fields: Mapping[str, Field]) -> Values:
        return intercom_values(fields.values(), self.company) if self.company else {}

    # --- what stays apart ---------------------------------------------------------------------

    @property
    def all_left_out(self) -> Mapping[str, LeftOut]:
        return {**self.left_out, **self.app.left_out}

    @property
    def fields_left_out(self) -> dict[str, LeftOut]:
        unwritable = unwritable_fields(self.rules, self.app, self.company)
        return fields_left_out(self.all_left_out, self.plan, unwritable)

    @property
    def fields_kept(self) -> dict[str, tuple[Value, Value]]:
        fields = self.rules.fields
        return fields_kept(fields, self.link.undone, self.values, self.intercom_values(fields))


def found_done(state: TeamState, answer: Company) -> list[JournalEntry]:
    """What a run that died had done to the company, as this answer shows it: that run's entries."""
    found: list[JournalEntry] = []
    fields, link = state.rules.fields, state.link
    there = intercom_values(fields.values(), answer)
    looked = Looked(
        KIND, state.team_id, fields=fields, base=link.base, app=state.values, intercom=there
    )
    for attempt in attempts_in(link.in_flight):
        made = link.company_id is None and attempt.made(answer.created_at)
        found += fields_done(attempt, link.in_flight, looked, made=made)
        if made:
            found.append(attempt.entry(KIND, state.team_id, Action.CREATED, why="new company"))
    return found


def after_read(state: TeamState, answer: Company, found: Iterable[JournalEntry]) -> TeamState:
    """With a company as it was read. `found`: what a run that died had done to it."""
    done = {entry.field: entry.new for entry in found if entry.field}
    return replace(state, company=answer, agreed={**state.agreed, **done})


def after_write(state: TeamState, answer: Company, sent: Iterable[Decision]) -> TeamState:
    """With the answer to a write of these decisions."""
    return replace(state, company=answer, accepted=accepted_after(state.accepted, sent, answer))
