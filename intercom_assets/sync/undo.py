"""What a run wrote, taken back: from the journal, by compare-and-set, with a plan first.

A value is put back only where it still is what the run wrote; what somebody changed since is left
and listed. What cannot be taken back (merges, created contacts) is listed too. The next change of
such a user syncs it again: an undo repairs the past, the mapping decides the future.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from intercom_assets.database.app import WriteBack
from intercom_assets.database.records import QueueKind
from intercom_assets.domain.fields import Field, contact_patch, intercom_values
from intercom_assets.domain.models import AppUser, JournalEntry, Side, Value
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Merged, NotFound
from intercom_assets.sync.services import Services

WRITES = frozenset({"pushed", "overruled", "pulled"})


class State(StrEnum):
    """DUE: is as the run left it. MOVED: changed since. FINAL: cannot be taken back."""

    DUE = "due"
    MOVED = "changed since"
    FINAL = "cannot be taken back"
    DONE = "taken back"


@dataclass(frozen=True, slots=True)
class Step:
    """One field of one user on one side: `was` before the run, `wrote` by it, `now`."""

    user_id: str
    field: str
    side: Side
    was: Value
    wrote: Value
    now: Value
    state: State


def plan_undo(services: Services, run_id: str) -> list[Step]:
    """What could be taken back of this run. Reads both sides (one call a user), writes nothing."""
    rows = [r for r in services.store.journal_of_run(run_id) if r.entry.kind == QueueKind.USER]
    steps: list[Step] = []
    for user_id in dict.fromkeys(row.entry.key for row in rows):
        steps += _plan_user(services, user_id, [r.entry for r in rows if r.entry.key == user_id])
    return steps


def undo(services: Services, run_id: str, steps: Iterable[Step]) -> list[Step]:
    """Takes back the steps that are due, and journals it as a run of its own."""
    due: dict[str, list[Step]] = {}
    for step in steps:
        if step.state is State.DUE:
            due.setdefault(step.user_id, []).append(step)
    done = [one for user_id, some in due.items() for one in _undo_user(services, user_id, some)]
    services.store.add_journal(run_id, [_entry(step) for step in done if step.state is State.DONE])
    return done


def _plan_user(services: Services, user_id: str, entries: Sequence[JournalEntry]) -> list[Step]:
    net = _net(entry for entry in entries if entry.action in WRITES and entry.field)
    final = [
        Step(user_id, entry.action, Side.INTERCOM, entry.old, entry.new, None, State.FINAL)
        for entry in entries
        if entry.action not in WRITES and entry.action != "refused"
    ]
    now = _present(services, user_id)
    fields = services.user_fields
    return [_step(user_id, fields, written, now) for written in net if written.field] + final


def _net(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """First old value and last new one, for each field and side."""
    net: dict[tuple[str | None, Side | None], JournalEntry] = {}
    for entry in entries:
        key = (entry.field, entry.side)
        old = net[key].old if key in net else entry.old
        net[key] = JournalEntry(
            entry.kind, entry.key, entry.action, entry.field, entry.side, old, entry.new
        )
    return list(net.values())


def _step(
    user_id: str,
    fields: dict[str, Field],
    written: JournalEntry,
    now: dict[Side, dict[str, Value]],
) -> Step:
    name, side = written.field or "", written.side or Side.INTERCOM
    present, field = now[side].get(name), fields.get(name)
    is_ours = field is not None and name in now[side] and field.same(present, written.new)
    state = State.DUE if is_ours else State.MOVED
    return Step(user_id, name, side, written.old, written.new, present, state)


def _present(services: Services, user_id: str) -> dict[Side, dict[str, Value]]:
    """Both sides now; a side without the user is empty, so nothing of it can be due."""
    fields = services.user_fields
    row = services.app.read_users([user_id])[user_id]
    link = services.store.user_links([user_id]).get(user_id)
    intercom: dict[str, Value] = {}
    if link and link.contact_id:
        try:
            contact = services.intercom.within(None).get_contact(link.contact_id)
            intercom = dict(intercom_values(fields.values(), contact))
        except (NotFound, Merged):
            intercom = {}
    return {
        Side.APP: dict(row.values) if isinstance(row, AppUser) else {},
        Side.INTERCOM: intercom,
    }


def _undo_user(services: Services, user_id: str, steps: Sequence[Step]) -> list[Step]:
    client = services.intercom.within(None)
    back = {step.field: step for step in steps if step.side is Side.INTERCOM}
    done = _put_back(services, client, user_id, back) if back else []
    return done + _write_back(services, user_id, [s for s in steps if s.side is Side.APP])


def _put_back(
    services: Services, client: IntercomClient, user_id: str, steps: dict[str, Step]
) -> list[Step]:
    link = services.store.user_links([user_id])[user_id]
    assert link.contact_id is not None, "a step that is due was read from a contact"
    patch = contact_patch(services.user_fields, {name: step.was for name, step in steps.items()})
    client.update_contact(link.contact_id, patch)
    return [_done(step) for step in steps.values()]


def _write_back(services: Services, user_id: str, steps: Sequence[Step]) -> list[Step]:
    if not steps:
        return []
    request = WriteBack(
        user_id,
        expected={step.field: step.wrote for step in steps},
        new={step.field: step.was for step in steps},
    )
    written = services.app.write_back_users([request])[user_id]
    return [_done(s) if written.status == "written" else _moved(s) for s in steps]


def _done(step: Step) -> Step:
    return replace(step, now=step.was, state=State.DONE)


def _moved(step: Step) -> Step:
    return replace(step, state=State.MOVED)


def _entry(step: Step) -> JournalEntry:
    return JournalEntry(
        QueueKind.USER,
        step.user_id,
        "undone",
        step.field,
        step.side,
        step.wrote,
        step.was,
        "an operator took the run back",
    )
