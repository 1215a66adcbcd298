"""What a chunk of users is about to do, written down before it does it.

A run that dies between a call and its record leaves these notes: the next one tells by them what
landed from what somebody edited, and journals it as that run's (`found_done.py`).
"""

from collections.abc import Mapping, Sequence

from intercom_assets.database.app.write_back import WriteBack
from intercom_assets.database.records import InFlight
from intercom_assets.domain.attempts import Attempt
from intercom_assets.sync.context.failures import Problem, Verdict
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.users.user_pass import UserPass


def note_first_calls(work: Work, users: Sequence[UserPass]) -> None:
    """What a run that died had noted is not written over; what this one does beside it is noted."""
    notes = []
    for user in users:
        writes, events = user.is_to_write_first, user.first_events()
        if writes:
            user.noted = user.plan().in_flight(exists=user.contact is not None)
        if writes or events:
            user.attempt = _attempt(work, user).joined(
                fields=user.plan().to_intercom if writes else (), events=events
            )
            values = {**(user.noted if writes else {}), **user.attempt.note()}
            notes.append(InFlight(user.user_id, values))
    _note(work, {user.user_id: user for user in users}, notes)


def note_second_calls(work: Work, users: Sequence[UserPass]) -> None:
    notes = []
    for user in users:
        user.noted = user.plan().in_flight(exists=True)
        user.attempt = _attempt(work, user).joined(
            fields=user.plan().to_intercom, events=user.second_events()
        )
        values = {**user.noted, **user.attempt.note()}
        notes.append(InFlight(user.user_id, values, user.edges_in_flight()))
    _note(work, {user.user_id: user for user in users}, notes)


def note_offers(work: Work, users: dict[str, UserPass], offers: Sequence[WriteBack]) -> None:
    """What the app is about to be offered."""
    notes = []
    for offer in offers:
        if offer.new:
            user = users[offer.id]
            pulled = {name: (offer.expected.get(name), new) for name, new in offer.new.items()}
            user.attempt = _attempt(work, user).joined(pulled=pulled)
            notes.append(InFlight(user.user_id, user.attempt.note()))
    _note(work, users, notes)


def _attempt(work: Work, user: UserPass) -> Attempt:
    return user.attempt or Attempt(work.run.run_id, work.services.now())


def _note(work: Work, users: Mapping[str, UserPass], notes: Sequence[InFlight]) -> None:
    """Writes down what is about to be done, so that a crash is told from an operator's edit, and
    that what it had done is told as its doing."""
    if not notes:
        return
    for key in work.services.store.records.note_in_flight(work.lease.token, notes):
        users[key].problem = Problem(Verdict.BUSY, "another run took it over")
