"""What is known of one team on both sides, and what the domain decides on that. Frozen.

The app owns every field of a company. Whoever asks "what would be decided?" asks a state; the call,
and what became of it, is `team_pass.py`'s.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attempts import Attempt, Looked, attempts_in, fields_done
from intercom_assets.domain.decisions import Decision, FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import COMPANY_DELETED, Field, intercom_values
from intercom_assets.domain.lazily import lazily
from intercom_assets.domain.leads import CREATED
from intercom_assets.domain.models import Company, JournalEntry, LeftOut, TeamLink, Value, Values
from intercom_assets.domain.reconcile import reconcile
from intercom_assets.domain.tags import NOTHING, Carried, Tagging, TagPlan, key_of
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
from intercom_assets.sync.passes.known_tags import tags_done
from intercom_assets.sync.passes.rules import Rules

KIND = QueueKind.TEAM


@dataclass(frozen=True)
class TeamState:
    """`company`: None of one that there is none of, or that shall be sent whole. `agreed`: what a
    run that died had brought there. `left_out`: for answers of Intercom's. `tags`: those that we
    put on, key -> id."""

    rules: Rules
    app: AppRow
    link: TeamLink
    company: Company | None = None
    accepted: Pairs = field(default_factory=dict)
    agreed: Values = field(default_factory=dict)
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    undone_tags: frozenset[str] = frozenset()

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
        """A company that a run was about to make may be there."""
        link = self.link
        nothing = self.company is None and link.company_id is None and not link.in_flight
        return self.app.is_leaving and nothing

    def carries(self, attempt: Attempt) -> bool:
        """Whether all that the attempt sent is as the app has it now."""
        return self._has(attempt, self.values)

    def shows(self, attempt: Attempt) -> bool:
        """Whether the company, as it was read, has all of that."""
        return self._has(attempt, self.intercom_values(self.rules.fields))

    def _has(self, attempt: Attempt, values: Values) -> bool:
        fields, sent = self.rules.fields, self.link.in_flight
        return all(
            name in fields and fields[name].same(values.get(name), sent.get(name))
            for name in attempt.fields
        )

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
        return self.needs_upsert or (self.can_be_synced and not self.tag_plan.settled)

    @property
    def needs_upsert(self) -> bool:
        return self.can_be_synced and (self.company is None or bool(self.plan.to_intercom))

    @property
    def can_be_synced(self) -> bool:
        return not (self.problem or self.was_never_there)

    @lazily
    def tag_plan(self) -> TagPlan:
        """Of a team that leaves nothing is put on and nothing taken off."""
        return NOTHING if self.app.is_leaving else self.tagging.plan

    @property
    def tagging(self) -> Tagging:
        """A company names its tags itself, so the workspace's list is not asked for."""
        on, told = _by_key(self.company), self.company is None or self.company.tags is not None
        carried = Carried(frozenset(on.values()), told)
        known = None if self.rules.tags is None else on
        return Tagging(self.app.tags, self.tags, known, carried, undone=self.undone_tags)

    @property
    def moves_tags(self) -> bool:
        """Whether a call is due for a tag; whose it is tells only the company as it is now."""
        return self.can_be_synced and bool(self.tag_plan.put_on or self.tag_plan.take_off)

    def name_of_tag(self, tag_id: str) -> str:
        """As Intercom calls it now; it is on the company."""
        return next(name for name, tag in _told(self).items() if tag == tag_id)

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
    attempts = attempts_in(link.in_flight)
    for attempt in attempts:
        made = link.company_id is None and attempt.made(answer.created_at)
        found += fields_done(attempt, link.in_flight, looked, made=made)
        if made:
            found.append(attempt.entry(KIND, state.team_id, Action.CREATED, why="new company"))
    on = _by_key(answer)
    carried = Carried(frozenset(on.values()), answer.tags is not None)
    return [*found, *tags_done(KIND, state.team_id, attempts, {**link.tags, **on}, carried)]


def after_read(state: TeamState, answer: Company, found: Iterable[JournalEntry]) -> TeamState:
    """With a company as it was read. `found`: what a run that died had done to it."""
    done = {entry.field: entry.new for entry in found if entry.field}
    tags = {**_ours_on(state, answer), **_put_on_before(state, answer)}
    return replace(state, company=answer, agreed={**state.agreed, **done}, tags=tags)


def after_write(state: TeamState, answer: Company, sent: Iterable[Decision]) -> TeamState:
    """With the answer to a write of these decisions."""
    return replace(
        state,
        company=answer,
        accepted=accepted_after(state.accepted, sent, answer),
        tags=_ours_on(state, answer),
    )


def tagged(state: TeamState, name: str, tag_id: str) -> TeamState:
    """By us."""
    tags = {**state.tags, key_of(name): tag_id}
    return replace(with_tags(state, {**_told(state), name: tag_id}), tags=tags)


def untagged(state: TeamState, tag_id: str) -> TeamState:
    """Taken off; no longer ours, under whatever name."""
    left = {name: tag for name, tag in _told(state).items() if tag != tag_id}
    ours = (key for key, tag in state.tags.items() if tag == tag_id)
    return disowned(with_tags(state, left), frozenset(ours))


def disowned(state: TeamState, keys: Collection[str]) -> TeamState:
    """No longer ours, on the company or not."""
    return replace(state, tags={key: tag for key, tag in state.tags.items() if key not in keys})


def with_tags(state: TeamState, tags: Mapping[str, str]) -> TeamState:
    """The company carries these, name -> id."""
    assert state.company is not None, "a company that is known carries tags"
    return replace(state, company=replace(state.company, tags=tags))


def _told(state: TeamState) -> Mapping[str, str]:
    return (state.company.tags if state.company else None) or {}


def _by_key(company: Company | None) -> dict[str, str]:
    tags = (company.tags if company else None) or {}
    return {key_of(name): tag for name, tag in tags.items()}


def _ours_on(state: TeamState, company: Company) -> Mapping[str, str]:
    """On a company that was made again nothing is ours."""
    return state.tags if company.id == state.link.company_id else {}


def _put_on_before(state: TeamState, company: Company) -> dict[str, str]:
    """By a run that died: it read the company before it noted that, so it was not there. What an
    undo put on is nobody's."""
    on = _by_key(company)
    noted = {
        key_of(str(name))
        for attempt in attempts_in(state.link.in_flight)
        for name in attempt.about(Action.TAGGED)
        if not attempt.undoes
    }
    return {key: tag for key, tag in on.items() if key in noted}
