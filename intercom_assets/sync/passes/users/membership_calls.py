"""The calls that bring a contact into its user's companies, and out of those it left."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TypeAlias

from intercom_assets.domain.memberships import MembershipPlan
from intercom_assets.domain.vocabulary import Action
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Forbidden, Invalid, NotFound, Rejected
from intercom_assets.sync.context.failures import (
    COMPANY_NOT_FOUND,
    Problem,
    Verdict,
    problem_of,
)
from intercom_assets.sync.passes.users import transitions
from intercom_assets.sync.passes.users.found_done import moves_done
from intercom_assets.sync.passes.users.user_pass import UserPass

TeamsOf: TypeAlias = Callable[[Collection[str]], Mapping[str, str]]
"""Companies -> which of them are teams of the app: team id -> company id."""
NOT_FOUND = "not_found"


def move_edges(user: UserPass, client: IntercomClient, teams_of: TeamsOf) -> None:
    plan = user.state.memberships
    if plan.must_list:
        plan = _list_companies(user, client, teams_of)
    for company_id in plan.detach:  # first: a contact may be at its limit of companies
        _detach(user, client, company_id)
    user.become(transitions.without_edges(user.state, {*plan.detach, *plan.dropped}))
    for team in plan.attach:
        if team not in user.state.companies:
            continue
        try:
            _attach(user, client, team, user.state.companies[team])
        except (Forbidden, Invalid, NotFound) as refusal:
            if refusal.code == NOT_FOUND:  # the contact itself
                raise
            _wait_for(user, team, refusal)


def _wait_for(user: UserPass, team: str, refusal: Rejected) -> None:
    """One membership has to wait; all else of the user goes on."""
    if refusal.code == COMPANY_NOT_FOUND:
        user.lose_company(team)
        message = f"the company of team {team} was deleted in Intercom; it is made again first"
        user.put_off(Problem(Verdict.BUSY, message))
    else:
        user.put_off(problem_of(refusal))


def _list_companies(user: UserPass, client: IntercomClient, teams_of: TeamsOf) -> MembershipPlan:
    listed = frozenset(company.id for company in client.contact_companies(user.contact_id))
    teams = teams_of(listed - user.state.company_ids)
    user.become(transitions.with_listed_companies(user.state, listed, teams))
    user.add_entries(moves_done(user.state, listed, user.journal, complete=True))
    return user.state.memberships


def _attach(user: UserPass, client: IntercomClient, team: str, company_id: str) -> None:
    client.attach_company(user.contact_id, company_id)
    user.become(transitions.attached(user.state, team, company_id))
    user.journal_event(Action.ATTACHED, client, new=team, why="the user is in the team")


def _detach(user: UserPass, client: IntercomClient, company_id: str) -> None:
    with suppress(NotFound):  # the edge, or its company, is gone already: as wanted
        client.detach_company(user.contact_id, company_id)
    user.become(transitions.detached(user.state, company_id))
    user.journal_event(Action.DETACHED, client, old=company_id, why="the user is not in the team")
