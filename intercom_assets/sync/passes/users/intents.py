"""What a chunk of users is about to do, written down before it does it.

A run that dies between a call and its record leaves these notes: the next one tells by them what
landed from what somebody edited, and journals it as that run's (`found_done.py`).
"""

from collections.abc import Mapping, Sequence

from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.database.records import InFlight
from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.tags import noted
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.users.calls_due import (
    edges_in_flight,
    first_events,
    may_write_first,
    second_events,
)
from intercom_assets.sync.passes.users.user_pass import UserPass


def note_first_calls(work: Work, users: Sequence[UserPass]) -> None:
    """What a run that died had noted is not written over; what this one does beside it is noted."""
    notes = []
    for user in users:
        state = user.state
        writes, events = may_write_first(state), first_events(state)
        if not (writes or events):
            continue
        fields = state.plan.to_intercom if writes else ()
        attempt = _attempt(work, user).joined(fields=fields, events=events)
        sent = state.plan.in_flight(exists=state.contact is not None) if writes else {}
        user.note_intent(attempt, sent)
        notes.append(InFlight(user.user_id, {**sent, **attempt.note()}))
    _write_down(work, {user.user_id: user for user in users}, notes)


def note_second_calls(work: Work, users: Sequence[UserPass]) -> None:
    notes = []
    for user in users:
        state = user.state
        tags = noted(state.tag_plan.put_on, state.rules.tags or {})
        sent = {**state.plan.in_flight(exists=True), **tags}
        attempt = _attempt(work, user).joined(
            fields=state.plan.to_intercom, events=second_events(state)
        )
        user.note_intent(attempt, sent)
        values = {**sent, **attempt.note()}
        notes.append(InFlight(user.user_id, values, edges_in_flight(state)))
    _write_down(work, {user.user_id: user for user in users}, notes)


def note_offers(work: Work, users: dict[str, UserPass], offers: Sequence[WriteBack]) -> None:
    """What the app is about to be offered."""
    notes = []
    for offer in offers:
        if offer.new:
            user = users[offer.id]
            pulled = {name: (offer.expected.get(name), new) for name, new in offer.new.items()}
            attempt = _attempt(work, user).joined(pulled=pulled)
            user.note_intent(attempt, user.noted)
            notes.append(InFlight(user.user_id, attempt.note()))
    _write_down(work, users, notes)


def _attempt(work: Work, user: UserPass) -> Attempt:
    return user.attempt or Attempt(work.run.run_id, work.services.now())


def _write_down(work: Work, users: Mapping[str, UserPass], notes: Sequence[InFlight]) -> None:
    """Writes down what is about to be done, so that a crash is told from an operator's edit, and
    that what it had done is told as its doing."""
    if not notes:
        return
    for key in work.services.store.records.note_in_flight(work.lease.token, notes):
        users[key].fail(Problem(Verdict.BUSY, "another run took it over"))
