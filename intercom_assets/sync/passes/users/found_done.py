"""What a run that was killed had done for a user, as the next one finds it: that run's entries.

Nothing is sent here but a look at a lead that may have been merged. What an attempt is, and which
of its values got there, is `domain/attempts.py`'s.
"""

from collections.abc import Collection

from intercom_assets.domain.attempts import (
    Attempt,
    Looked,
    fields_done,
)
from intercom_assets.domain.fields import DELETED, intercom_values
from intercom_assets.domain.models import Contact, JournalEntry
from intercom_assets.domain.tags import Carried, noted_tags
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Merged, NotFound
from intercom_assets.sync.passes.journal import KIND
from intercom_assets.sync.passes.known_tags import tags_done
from intercom_assets.sync.passes.users.state import UserState


def found_done(
    state: UserState, answer: Contact, journal: Collection[JournalEntry] = ()
) -> list[JournalEntry]:
    """By the first answer about the contact since that death; none of this pass's own doing."""
    found: list[JournalEntry] = []
    fields = {**state.rules.fields, DELETED.name: DELETED}
    now = intercom_values(fields.values(), answer)
    looked = Looked(
        KIND, state.user_id, fields=fields, base=state.link.base, app=state.values, intercom=now
    )
    for attempt in state.attempts:
        made = state.link.contact_id is None and attempt.made(answer.created_at)
        found += fields_done(attempt, state.link.in_flight, looked, made=made)
        if made:
            found.append(attempt.entry(KIND, state.user_id, Action.CREATED, why="new user"))
        if state.link.archived and attempt.about(Action.UNARCHIVED):
            found.append(
                attempt.entry(KIND, state.user_id, Action.UNARCHIVED, why="the user is back")
            )
    companies, complete = frozenset(answer.company_ids), answer.companies_complete
    found += moves_done(state, companies, journal, complete=complete)
    carried = Carried(frozenset(answer.tag_ids), answer.tags_complete)
    return [*found, *contact_tags_done(state, carried)]


def moves_done(
    state: UserState,
    company_ids: frozenset[str],
    journal: Collection[JournalEntry],
    *,
    complete: bool,
) -> list[JournalEntry]:
    """Memberships that are not in the journal yet.

    `complete`: `company_ids` are all, so that what is not among them is gone.
    """
    found = [
        entry
        for attempt in state.attempts
        for entry in _moves_of(state, attempt, company_ids, complete=complete)
    ]
    return [entry for entry in found if entry not in journal]


def _moves_of(
    state: UserState, attempt: Attempt, company_ids: frozenset[str], *, complete: bool
) -> list[JournalEntry]:
    attached = [
        attempt.entry(KIND, state.user_id, Action.ATTACHED, new=team, why="the user is in the team")
        for team in attempt.about(Action.ATTACHED)
        if state.companies.get(str(team)) in company_ids
    ]
    detached = [
        attempt.entry(
            KIND, state.user_id, Action.DETACHED, old=company, why="the user is not in the team"
        )
        for company in attempt.about(Action.DETACHED)
        if complete and company not in company_ids
    ]
    return [*attached, *detached]


def contact_tags_done(state: UserState, carried: Carried) -> list[JournalEntry]:
    noted = noted_tags(state.link.in_flight)
    ids = {**(state.rules.tags or {}), **state.link.tags, **noted}
    return tags_done(KIND, state.user_id, state.attempts, ids, carried)


def archived_done(state: UserState) -> list[JournalEntry]:
    """Of a contact that answers no more, whose user left: what was sent before it was archived
    got there too, since archiving comes last."""
    for attempt in state.attempts:
        if attempt.about(Action.ARCHIVED) and state.is_leaving and state.link.shadow is not None:
            fields = {**state.rules.fields, DELETED.name: DELETED}
            looked = Looked(
                KIND,
                state.user_id,
                fields=fields,
                base=state.link.base,
                app=state.values,
                intercom={},
            )
            why = "the user is gone and on_delete is archive"
            return [
                *fields_done(attempt, state.link.in_flight, looked, made=True),
                attempt.entry(KIND, state.user_id, Action.ARCHIVED, why=why),
            ]
    return []


def merges_done(state: UserState, client: IntercomClient) -> list[JournalEntry]:
    """One look for each lead that a run which died was about to merge."""
    if state.contact is None:
        return []
    return [
        attempt.entry(KIND, state.user_id, Action.MERGED, why=f"lead {lead} has the user's e-mail")
        for attempt in state.attempts
        for lead in attempt.about(Action.MERGED)
        if _is_merged_into(client, str(lead), state.contact.id)
    ]


def _is_merged_into(client: IntercomClient, lead: str, contact_id: str) -> bool:
    try:
        client.get_contact(lead)
    except Merged as merged:
        return merged.into == contact_id
    except NotFound:
        pass
    return False
