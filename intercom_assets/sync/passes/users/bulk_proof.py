"""What came of the items of a job: searched, a page of users a call, and believed as found.

A contact that shows all that was sent, and of which nothing else is to be changed, stands for the
answer that a job does not give. Whoever is not found so takes the single way, which reads by id
first, sends what is missing, and has an error of its own. Must not: send anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from intercom_assets.domain.attempts import Attempt
from intercom_assets.domain.models import Contact
from intercom_assets.domain.vocabulary import Action, QueueKind
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.intercom.query import MAX_IDS, with_external_ids
from intercom_assets.sync.context.failures import stops_everything
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.ensure_companies import ensure_companies
from intercom_assets.sync.passes.late_jobs import BUSY, may_be_at_work, sent_by_bulk
from intercom_assets.sync.passes.users.bulk_items import settled_by, shows_attempt
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.user_pass import UserPass


def prove_items(work: Work, users: Sequence[UserPass]) -> None:
    """Takes the contacts of those whose items got there; they need no first call."""
    sent = [user for user in users if user.problem is None and sent_by_bulk(user.state.attempts)]
    sent = [user for user in sent if user.user_id not in work.run.not_indexed]
    if not sent:
        return
    know_companies(work, sent)
    groups = [sent[start : start + MAX_IDS] for start in range(0, len(sent), MAX_IDS)]
    for answer in work.run.pool.run(lambda group: _prove(work, group), groups):
        work.run.raise_failure(answer)


def keep_from_late_jobs(work: Work, users: Sequence[UserPass]) -> None:
    """Leaves those alone who may yet be written by a job: an older value, over what is sent now."""
    for user in users:
        if user.problem is None and not user.proven and _may_be_at_work(work, user):
            user.fail(BUSY)


def know_companies(work: Work, users: Sequence[UserPass]) -> None:
    """Companies of all their teams, one call each for those that have none that we know of."""
    missing = {team for user in users for team in user.state.teams_without_company}
    if missing:
        ensured = ensure_companies(work, sorted(missing))
        for user in users:
            companies = {**user.state.companies, **ensured.made}
            user.become(replace(user.state, companies=companies, void_teams=ensured.void))


def _prove(work: Work, users: Sequence[UserPass]) -> None:
    client = work.client()
    try:
        found = indexed(client, [user.user_id for user in users])
    except IntercomError as error:
        if stops_everything(error):
            raise
        found = {}  # each is read by id
    users[0].count_calls(client.calls)
    for user in users:
        contact, attempt = found.get(user.user_id), sent_by_bulk(user.state.attempts)
        if contact is None or attempt is None or not shows_attempt(user.state, attempt, contact):
            continue
        if _is_from_before(work, user.state, attempt, contact):
            continue
        after = settled_by(user.state, attempt, contact)
        if after is not None:
            user.apply_proof(contact, after)


def indexed(client: IntercomClient, user_ids: Sequence[str]) -> Mapping[str, Contact]:
    """The contacts with these external ids, as the index has them. At most a page of them."""
    pages = client.search_contacts(with_external_ids(user_ids))
    return {c.external_id: c for page in pages for c in page.items if c.external_id}


def _is_from_before(work: Work, state: UserState, attempt: Attempt, contact: Contact) -> bool:
    """Whether the index may show what was there before the job, which happened to be the same.

    Attaching and detaching need not move the time of a contact; only the run that sent it waited
    for the index.
    """
    known = state.contact
    if known is None:
        return False
    if (contact.updated_at or 0) < (known.updated_at or 0):
        return True
    moved = attempt.about(Action.ATTACHED) or attempt.about(Action.DETACHED)
    return bool(moved) and attempt.run_id != work.run.run_id


def _may_be_at_work(work: Work, user: UserPass) -> bool:
    """A job that is late would write an older value over what is sent now, or make a contact for
    somebody who left.

    A contact that is yet to be made cannot be made twice, nor changed by the job that makes it.
    """
    attempt = sent_by_bulk(user.state.attempts)
    if attempt is None or (user.state.link.contact_id is None and not user.state.is_leaving):
        return False
    return may_be_at_work(work, QueueKind.USER, user.user_id, attempt)
