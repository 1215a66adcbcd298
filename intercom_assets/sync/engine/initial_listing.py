"""The first sync onto a workspace that is not empty: list once, then send only differences.

Contacts come 150 a call and companies by one scroll, so a workspace that agrees already costs
0.02 calls a user instead of three. A listing may be minutes old: it says whose contact is whose,
and what probably is in it; a pass reads by id whatever a listing cannot justify (`UserPass`). Since
it only saves calls, a listing that fails stops nothing: it is not taken for complete, and is tried
again with a later batch.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from intercom_assets.domain.models import Company, Contact, Gone, TeamLink, UserLink
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.sync.context.failures import stops_everything
from intercom_assets.sync.context.services import Services

AGAIN_AFTER = timedelta(minutes=10)
"""Large batches that come sooner after a listing that failed do without one."""

log = logging.getLogger(__name__)


def is_due(services: Services) -> bool:
    """Whether the workspace was never listed to its end, and the last try is a while ago."""
    return services.store.state.get(StateKey.INITIAL_LISTING) is None and not _failed_lately(
        services
    )


def _failed_lately(services: Services) -> bool:
    failed = services.store.state.get(StateKey.INITIAL_LISTING_FAILED)
    at = failed.get("at") if isinstance(failed, dict) else None
    return isinstance(at, int) and services.now() - at < AGAIN_AFTER.total_seconds()


def list_workspace(
    services: Services,
    progress: Callable[[str, int], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> tuple[int, int]:
    """Links the app's users and teams to what Intercom has of them: how many of each.

    Repeats itself safely after a crash, and where it was `stopped`. One that fails keeps what was
    listed until then. Raises a fatal `IntercomError`, `AppUnavailable`.
    """
    teams = users = 0
    try:
        for team_links, user_links in listed(services, progress):
            teams += services.store.claims.adopt_teams(team_links)
            users += services.store.claims.adopt_users(user_links)
            if stopped and stopped():
                return users, teams
    except IntercomError as error:
        if stops_everything(error):
            raise
        services.store.state.put(
            StateKey.INITIAL_LISTING_FAILED, {"at": services.now(), "why": str(error)}
        )
        log.warning("the workspace could not be listed, which only costs more calls: %s", error)
        return users, teams
    services.store.state.put(
        StateKey.INITIAL_LISTING, {"at": services.now(), "users": users, "teams": teams}
    )
    services.store.state.delete(StateKey.INITIAL_LISTING_FAILED)
    return users, teams


def leave_out(services: Services) -> None:
    """Everybody is paired already: there is nothing that a listing could say, now or later."""
    services.store.state.put(
        StateKey.INITIAL_LISTING, {"at": services.now(), "users": 0, "teams": 0}
    )


def listed(
    services: Services, progress: Callable[[str, int], None] | None = None
) -> Iterator[tuple[list[TeamLink], list[UserLink]]]:
    """The links that the workspace suggests, page by page: companies first. Stores nothing.

    Companies that cannot be listed are raised after the contacts, which save more calls.
    """
    client = services.intercom.with_deadline(None)
    failure: IntercomError | None = None
    try:
        for companies in client.scroll_companies():
            yield _team_links(services, companies), []
            if progress:
                progress("companies", len(companies))
    except IntercomError as error:
        if stops_everything(error):
            raise
        failure = error
    for page in client.list_contacts():
        yield [], _user_links(services, page.items)
        if progress:
            progress("contacts", len(page.items))
    if failure is not None:
        raise failure


def _team_links(services: Services, companies: Sequence[Company]) -> list[TeamLink]:
    by_id = {company.company_id: company for company in companies if company.company_id}
    known = services.app.read_teams(list(by_id))
    return [
        TeamLink(team, company_id=by_id[team].id, shadow=by_id[team])
        for team, row in known.items()
        if not isinstance(row, Gone)
    ]


def _user_links(services: Services, contacts: Sequence[Contact]) -> list[UserLink]:
    """By external id; a contact without one by its e-mail, if just one user of the app has that."""
    users = [contact for contact in contacts if contact.role == "user"]
    by_id = {c.external_id: c for c in users if c.external_id}
    by_id |= _by_email(services, (c for c in users if not c.external_id), by_id.keys())
    known = services.app.read_users(list(by_id))
    erased = services.store.tombstones.among(list(by_id))
    return [
        UserLink(user, contact_id=by_id[user].id, shadow=by_id[user], listed=True)
        for user, row in known.items()
        if not isinstance(row, Gone) and user not in erased
    ]


def _by_email(
    services: Services, contacts: Iterable[Contact], taken: Iterable[str]
) -> dict[str, Contact]:
    by_email = {c.email.lower(): c for c in contacts if c.email}
    if not by_email:
        return {}
    owners = services.app.ids_with_email(list(by_email))
    mine = set(taken)
    return {
        ids[0]: by_email[email]
        for email, ids in owners.items()
        if len(ids) == 1 and ids[0] not in mine
    }
