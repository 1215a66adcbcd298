"""What of a run's journal can be taken back, given both sides as they are now. Pure.

A value is put back only where it still is what the run wrote; what somebody changed since is left
and listed, and so is what has no way back. Nobody is deleted by an undo: a contact or company that
the run created stays, with the values that it was created with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from intercom_assets.domain.fields import Field, Policy
from intercom_assets.domain.models import JournalEntry, Side, Value, Values
from intercom_assets.domain.vocabulary import Action, QueueKind

WRITES = frozenset({Action.PUSHED, Action.OVERRULED, Action.PULLED, Action.UNDONE})
NO_WAY_BACK = {
    Action.CREATED: "an undo never deletes: it stays as created (erase deletes a person)",
    Action.ADOPTED: "the contact stays linked to this user",
    Action.RELINKED: "Intercom merged its contact into this one",
    Action.CONTACT_LET_GO: "its contact carries another user's external id",
    Action.EMAIL_GIVEN_UP: "the address is another user's now",
    Action.NOT_INHERITED: "what the contact held was another person's",
    Action.MERGED: "Intercom cannot take a merge apart",
    Action.UNARCHIVED: "the app has the user, so its contact is not archived again",
}


class StepState(StrEnum):
    """DUE: is as the run left it. MOVED: changed since. FINAL: no way back. BEFORE: back already.

    DONE: taken back by this undo. BUSY, FAILED: it could not be done now; undo may be repeated.
    """

    DUE = "due"
    MOVED = "changed since"
    FINAL = "stays"
    BEFORE = "back already"
    DONE = "taken back"
    BUSY = "busy"
    FAILED = "failed"


class Act(StrEnum):
    FIELD = "field"
    ATTACHED = "attached"
    DETACHED = "detached"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ARCHIVED = "archived"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One thing that the run did to one user or team: `was` before it, `wrote` by it, `now`.

    `what`: the field's name; of a membership the team's id, or Intercom's id of a company;
    of a tag its name.
    `journaled_as`: what stands in the journal for a membership that was taken back.
    """

    kind: QueueKind
    key: str
    act: Act
    what: str
    side: Side
    state: StepState
    was: Value = None
    wrote: Value = None
    now: Value = None
    why: str = ""
    journaled_as: Value = None


@dataclass(frozen=True, slots=True)
class SidesNow:
    """Both sides of one user or team now; a side that has none of it is None.

    `companies`: team -> Intercom's id of its company. `attached`: companies of the contact.
    `accepted`: field -> what was sent, and the form in which Intercom keeps it.
    """

    kind: QueueKind
    key: str
    app: Values | None
    intercom: Values | None
    companies: Mapping[str, str] = field(default_factory=dict)
    attached: frozenset[str] = frozenset()
    archived: bool = False
    accepted: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)


def steps_of(
    entries: Sequence[JournalEntry], fields: Mapping[str, Field], present: SidesNow
) -> list[UndoStep]:
    """`entries`: what one run journaled of one user or team, in order."""
    created = any(entry.action is Action.CREATED for entry in entries)
    written = [e for e in entries if e.action in WRITES and e.field]
    net = [e for e in _net(written) if not (created and e.side is Side.INTERCOM)]
    return [
        *(_event(entry, present) for entry in entries if entry.action in NO_WAY_BACK),
        *_archiving(entries, present),
        *(_field(entry, fields, present) for entry in net),
        *_memberships(entries, present),
    ]


def as_done(
    steps: Sequence[UndoStep], done: Iterable[UndoStep], problem: str | None
) -> list[UndoStep]:
    """`steps` with those that were taken back; after a problem the others have failed."""
    known = {(step.act, step.what, step.side): step for step in done}
    now = [known.get((step.act, step.what, step.side), step) for step in steps]
    if problem is None:
        return now
    return [
        replace(step, state=StepState.FAILED, why=problem) if step.state is StepState.DUE else step
        for step in now
    ]


def due_of(steps: Iterable[UndoStep], act: Act, side: Side) -> list[UndoStep]:
    return [s for s in steps if s.state is StepState.DUE and s.act is act and s.side is side]


def taken_back(step: UndoStep) -> UndoStep:
    return replace(step, now=step.was, state=StepState.DONE)


def _event(entry: JournalEntry, present: SidesNow) -> UndoStep:
    why = NO_WAY_BACK[entry.action]
    return UndoStep(
        present.kind,
        present.key,
        Act.EVENT,
        what=entry.action,
        side=Side.INTERCOM,
        state=StepState.FINAL,
        why=why,
    )


def _archiving(entries: Sequence[JournalEntry], present: SidesNow) -> list[UndoStep]:
    if not any(entry.action is Action.ARCHIVED for entry in entries):
        return []
    state = StepState.DUE if present.archived else StepState.BEFORE
    now = Action.ARCHIVED if present.archived else "live"
    return [
        UndoStep(
            present.kind,
            present.key,
            Act.ARCHIVED,
            what="the contact",
            side=Side.INTERCOM,
            state=state,
            was="live",
            wrote=Action.ARCHIVED,
            now=now,
        )
    ]


def _net(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """First old value and last new one, for each field and side."""
    net: dict[tuple[str | None, Side | None], JournalEntry] = {}
    for entry in entries:
        key = (entry.field, entry.side)
        old = net[key].old if key in net else entry.old
        net[key] = replace(entry, old=old)
    return list(net.values())


def _field(entry: JournalEntry, fields: Mapping[str, Field], present: SidesNow) -> UndoStep:
    name, side = entry.field or "", entry.side or Side.INTERCOM
    here = present.app if side is Side.APP else present.intercom
    now = None if here is None else here.get(name)
    state, why = _state(entry, fields.get(name), here, present.accepted.get(name))
    return UndoStep(
        present.kind,
        present.key,
        Act.FIELD,
        what=name,
        side=side,
        state=state,
        was=entry.old,
        wrote=entry.new,
        now=now,
        why=why,
    )


def _state(
    entry: JournalEntry,
    known: Field | None,
    here: Values | None,
    accepted: tuple[Value, Value] | None,
) -> tuple[StepState, str]:
    if known is None:
        return StepState.FINAL, "the mapping has no such field any more"
    if known.same(entry.old, entry.new):
        return StepState.FINAL, "the journal did not keep its values"
    if not known.told:
        return StepState.FINAL, "Intercom does not tell what it holds of it"
    if entry.side is Side.APP and not known.pulled:
        return StepState.FINAL, "write_back no longer names it"
    if known.policy is Policy.OPT_OUT and entry.new is True:
        return StepState.FINAL, "an opt-out is taken back only on the side that opted out"
    if here is None:
        return StepState.MOVED, "it is not there any more"
    now = here.get(known.name)
    if known.same(now, entry.old):
        return StepState.BEFORE, ""
    if known.same(now, entry.new) or _is_its_form(known, entry.new, now, accepted):
        return StepState.DUE, ""
    return StepState.MOVED, ""


def _is_its_form(
    known: Field, wrote: Value, now: Value, accepted: tuple[Value, Value] | None
) -> bool:
    """Whether Intercom keeps what was written in the form that it shows now."""
    return accepted is not None and known.same(wrote, accepted[0]) and known.same(now, accepted[1])


def _memberships(entries: Sequence[JournalEntry], present: SidesNow) -> list[UndoStep]:
    teams = [str(e.new) for e in entries if e.action is Action.ATTACHED]
    joined = {team: present.companies.get(team) for team in teams}
    left = {str(e.old) for e in entries if e.action is Action.DETACHED}
    attached = [
        _edge(present, Act.ATTACHED, team, company)
        for team, company in joined.items()
        if company not in left
    ]
    back = set(joined.values())
    return attached + [
        _edge(present, Act.DETACHED, company, company) for company in sorted(left - back)
    ]


def _edge(present: SidesNow, act: Act, what: str, company: str | None) -> UndoStep:
    was, wrote = (None, "member") if act is Act.ATTACHED else ("member", None)
    now = "member" if company in present.attached else None
    state = StepState.DUE if now == wrote else StepState.BEFORE
    if present.intercom is None:
        state = StepState.MOVED
    return UndoStep(
        present.kind,
        present.key,
        act,
        what=what,
        side=Side.INTERCOM,
        state=state,
        was=was,
        wrote=wrote,
        now=now,
    )
