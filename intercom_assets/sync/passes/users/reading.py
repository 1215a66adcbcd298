"""Both sides of users as they are known without a call: the app's rows and what we remember.

Must not: call Intercom, or write.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from intercom_assets.domain.decisions import Freshness
from intercom_assets.domain.leads import EMAIL
from intercom_assets.domain.models import UserLink
from intercom_assets.domain.tags import noted_tags
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.passes.app_rows import AppRow, app_row
from intercom_assets.sync.passes.kept_apart import of_answers
from intercom_assets.sync.passes.rules import Rules
from intercom_assets.sync.passes.users.state import UserState
from intercom_assets.sync.passes.users.transitions import agreed_with_contact

NOBODY_YET = UserLink("")
"""What nobody remembers of a new user is the same few empty values for all of them, and not some
for each: a run by bulk holds thousands."""
NONE: frozenset[str] = frozenset()


def read_users(services: Services, keys: Sequence[str], rules: Rules) -> list[UserState]:
    rows = services.app.read_users(keys)
    links = services.store.links.users(keys)
    states = [
        known_state(
            rules,
            app_row(QueueKind.USER, rules, rows[key]),
            links.get(key) or replace(NOBODY_YET, user_id=key),
        )
        for key in keys
    ]
    companies = known_companies(services, states, {})
    states = [replace(state, companies=companies) for state in states]
    return _with_free_emails(services, states)


def _with_free_emails(services: Services, states: list[UserState]) -> list[UserState]:
    """An address is sent again once the contact that held it has it no more."""
    waiting = [state.user_id for state in states if state.email_held_by]
    free = set(services.store.linked.with_a_free_email(waiting)) if waiting else set()
    return [_sending_email(state) if state.user_id in free else state for state in states]


def _sending_email(state: UserState) -> UserState:
    kept = {name: why for name, why in state.left_out.items() if name != EMAIL}
    return replace(state, left_out=kept, email_held_by=None)


def known_state(rules: Rules, app: AppRow, link: UserLink) -> UserState:
    """As the earlier passes left it, with the app's row as read now."""
    noted = noted_tags(link.in_flight)
    state = UserState(
        rules=rules,
        app=app,
        link=link,
        contact=link.shadow,
        freshness=Freshness.FRESH if link.shadow is None else Freshness.STALE,
        base=agreed_with_contact(link),
        accepted=link.accepted,
        refused=link.refused,
        undone=link.undone,
        undone_teams=_set_of(link.undone_teams),
        undone_companies=_set_of(link.undone_companies),
        edges=link.edges,
        overwritten={name: tuple(times) for name, times in link.overwritten.items()},
        left_out=of_answers(link.left_out),
        lead_email=link.lead_email,
        refused_leads=link.refused_leads,
        archived=link.archived,
        tags={**link.tags, **noted} if noted else link.tags,
        doubted_tags=_set_of(noted),
        undone_tags=_set_of(link.undone_tags),
        email_held_by=link.email_held_by,
    )
    if state.is_another_person:
        state = replace(state, read_requested=True)
    if state.is_back and not state.is_leaving:  # given up when the user left: it may be free again
        accepted = {name: pair for name, pair in link.accepted.items() if name != EMAIL}
        state = replace(state, accepted=accepted)
    return state


def _set_of(names: Collection[str]) -> frozenset[str]:
    """An empty `frozenset()` of Python's is an object of 216 bytes each time."""
    return frozenset(names) if names else NONE


def known_companies(
    services: Services, states: Iterable[UserState], known: Mapping[str, str]
) -> Mapping[str, str]:
    """Which company is which team's: for the teams wanted, and for the companies attached."""
    states = list(states)
    teams = {team for state in states for team in state.app.teams} - known.keys()
    links = services.store.links.teams(sorted(teams))
    companies = dict(known)
    companies |= {team: link.company_id for team, link in links.items() if link.company_id}
    attached = {company for state in states for company in state.company_ids}
    return {**companies, **teams_of(services, attached - set(companies.values()))}


def teams_of(services: Services, companies: Collection[str]) -> dict[str, str]:
    """Of these companies, those that are teams of the app: team id -> company id."""
    by_company = services.store.links.by_company(sorted(companies))
    return {team: company for company, team in by_company.items()}
