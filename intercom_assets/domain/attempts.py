"""What a pass notes before it writes, and what a later pass finds done of it. Pure.

A process that is killed between a call and its record leaves nothing but this note. The values sent
stand in it by field (`Reconciliation.in_flight`, which `landed` reads); an `Attempt` is what the
journal needs beside them: which run, when, and what is no field.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intercom_assets.domain.decisions import BEFORE
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import JournalEntry, Side, Value, Values
from intercom_assets.domain.vocabulary import Action, QueueKind

RUN = "run: "
FOUND_DONE = "found done: its run was killed before it could record it"
BY_BULK = "sent by bulk, and read afterwards"
MADE_WITHIN = 600
"""Seconds between an attempt and the making of what it made, however the clocks differ."""

Event = tuple[Action, Value]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one run was about to do for one user or team, from `at` (Unix s) on.

    `fields`: names of what it sent to Intercom. `pulled`: what it offered to the app, old and new.
    `events`: action, and the team, company or lead that it is about. `undoes`: it takes back.
    `bulk`: sent as an item of a job, which answers for none of them.
    """

    run_id: str
    at: int
    fields: frozenset[str] = frozenset()
    pulled: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    undoes: bool = False
    bulk: bool = False

    def joined(
        self,
        *,
        fields: Iterable[str] = (),
        pulled: Mapping[str, tuple[Value, Value]] | None = None,
        events: Iterable[Event] = (),
    ) -> "Attempt":
        """With what the same pass is about to do next."""
        return replace(
            self,
            fields=self.fields.union(fields),
            pulled={**self.pulled, **(pulled or {})},
            events=tuple(dict.fromkeys((*self.events, *events))),
        )

    def without(self, journal: Sequence[JournalEntry]) -> "Attempt":
        """What the journal does not have yet."""
        own = [entry for entry in journal if entry.by is None]
        sent = {e.field for e in own if e.side is Side.INTERCOM}
        stored = {e.field for e in own if e.side is Side.APP}
        journaled = {event_of(e) for e in own if e.field is None}
        return replace(
            self,
            fields=frozenset(name for name in self.fields if name not in sent),
            pulled={name: pair for name, pair in self.pulled.items() if name not in stored},
            events=tuple(event for event in self.events if event not in journaled),
        )

    def note(self) -> Values:
        """As it stands among the values in flight; a later note of the same run replaces it."""
        note = [
            self.at,
            sorted(self.fields),
            {name: list(pair) for name, pair in self.pulled.items()},
            self.events,
            self.undoes,
        ]
        return {RUN + self.run_id: json.dumps([*note, True] if self.bulk else note)}

    @property
    def why_found(self) -> str:
        """Why the run that reads it journals it, and not the one that sent it, at once."""
        return BY_BULK if self.bulk else FOUND_DONE

    def about(self, action: Action) -> list[Value]:
        """Whom or what it was about to do this to."""
        return [what for known_field, what in self.events if known_field == action]

    def made(self, created_at: int | None) -> bool:
        """Whether what was created then may be this attempt's doing, if it created anything."""
        near = created_at is not None and abs(created_at - self.at) <= MADE_WITHIN
        return near and bool(self.about(Action.CREATED))

    def entry(
        self,
        kind: QueueKind,
        key: str,
        action: Action,
        *,
        old: Value = None,
        new: Value = None,
        why: str,
    ) -> JournalEntry:
        """An event of it that was found done."""
        return JournalEntry(
            kind,
            key,
            action,
            None,
            Side.INTERCOM,
            old,
            new,
            f"{why}; {self.why_found}",
            by=self.run_id,
        )


def attempts_in(in_flight: Values) -> list[Attempt]:
    """Of all runs that left a note, the oldest first. What two of them sent is the later one's."""
    found = [
        _attempt(name.removeprefix(RUN), note)
        for name, note in in_flight.items()
        if name.startswith(RUN) and isinstance(note, str)
    ]
    found.sort(key=lambda attempt: attempt.at)
    later: set[str] = set()
    for at in range(len(found) - 1, -1, -1):
        sent = found[at].fields
        if later & sent:
            found[at] = replace(found[at], fields=sent - later)
        later |= sent
    return found


def _attempt(run_id: str, note: str) -> Attempt:
    at, names, pulled, events, undoes, *by_bulk = json.loads(note)
    return Attempt(
        run_id,
        at,
        frozenset(names),
        {name: (old, new) for name, (old, new) in pulled.items()},
        tuple((Action(action), what) for action, what in events),
        undoes,
        bool(by_bulk),
    )


def event_of(entry: JournalEntry) -> Event:
    return entry.action, entry.new if entry.new is not None else entry.old


@dataclass(frozen=True, slots=True)
class Looked:
    """One user or team as it was found after a death: both sides now, and what was agreed on."""

    kind: QueueKind
    key: str
    fields: Mapping[str, Field]
    base: Values
    app: Values
    intercom: Values


def fields_done(
    attempt: Attempt, in_flight: Values, looked: Looked, *, made: bool = False
) -> list[JournalEntry]:
    """Entries for the values of an attempt that are where it meant to put them.

    `made`: it created the contact or company, and what was sent with that got there. Elsewhere a
    value that was there before is nobody's doing, and one that is neither is somebody's edit.
    """
    sent = [
        _field_entry(attempt, looked, Side.INTERCOM, name, in_flight.get(BEFORE + name), new)
        for name, new in ((name, in_flight.get(name)) for name in sorted(attempt.fields))
        if name in looked.fields and (made or _is_there(looked, in_flight, name))
    ]
    stored = [
        _field_entry(attempt, looked, Side.APP, name, old, new)
        for name, (old, new) in sorted(attempt.pulled.items())
        if name in looked.fields and name in looked.app and _moved(looked, name, old, new)
    ]
    return [*sent, *stored]


def _is_there(looked: Looked, in_flight: Values, name: str) -> bool:
    known_field, new = looked.fields[name], in_flight.get(name)
    if BEFORE + name not in in_flight or known_field.same(in_flight[BEFORE + name], new):
        return False
    return name in looked.intercom and known_field.same(looked.intercom[name], new)


def _moved(looked: Looked, name: str, old: Value, new: Value) -> bool:
    known_field = looked.fields[name]
    return known_field.same(looked.app[name], new) and not known_field.same(old, new)


def _field_entry(
    attempt: Attempt, looked: Looked, side: Side, name: str, old: Value, new: Value
) -> JournalEntry:
    written = Action.PUSHED if side is Side.INTERCOM else Action.PULLED
    action = Action.UNDONE if attempt.undoes else written
    return JournalEntry(
        looked.kind,
        looked.key,
        action,
        name,
        side,
        old,
        new,
        attempt.why_found,
        policy=looked.fields[name].policy,
        base=looked.base.get(name),
        by=attempt.run_id,
    )
