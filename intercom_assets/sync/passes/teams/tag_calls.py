"""The calls that put an app's tags on a company, and take off those of ours that it dropped.

Whose a tag is, and what it is called by now, only the company as it is in this pass tells: so it
was read, or written, before anything is noted. A tag is named in the call, which makes it where
there is none. An error becomes the team's problem; only a fatal one goes on up.
"""

from collections.abc import Callable, Sequence

from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Forbidden, IntercomError, Invalid
from intercom_assets.sync.context.failures import Problem, Verdict, problem_of
from intercom_assets.sync.context.work import Work
from intercom_assets.sync.passes.teams.calls import read_company
from intercom_assets.sync.passes.teams.team_pass import TeamPass

UNTOLD = "Intercom does not tell which tags its company has"
LOST = "its company is gone, and is made again"


def move_all_tags(
    work: Work, teams: Sequence[TeamPass], note: Callable[[Sequence[TeamPass]], None]
) -> None:
    """Of teams whose company is as Intercom has it now. `note`: writes down what they are about to
    do."""
    teams = [team for team in teams if team.problem is None and team.state.company is not None]
    untold = [team for team in teams if team.moves_tags and not _is_told(team)]
    work.call_for(untold, lambda team: read_company(team, work.client()))
    for team in untold:
        if team.state.company is None:
            team.put_off(Problem(Verdict.BUSY, LOST))
        elif not _is_told(team):
            team.put_off(Problem(Verdict.REJECTED, UNTOLD))
    for team in teams:
        if team.problem is None and team.state.tag_plan.dropped:
            team.disown_tags(team.state.tag_plan.dropped)
    movers = [team for team in teams if team.moves_tags]
    note(movers)
    work.call_for(movers, lambda team: _move(team, work.client()))


def _is_told(team: TeamPass) -> bool:
    return team.state.company is not None and team.state.company.tags is not None


def _move(team: TeamPass, client: IntercomClient) -> None:
    plan = team.state.tag_plan
    try:
        for key in plan.take_off:
            _take_off(team, client, key)
        for key in plan.put_on:
            _put_on(team, client, key)
    except IntercomError as error:
        team.fail(problem_of(error))
    finally:
        team.count(client)


def _take_off(team: TeamPass, client: IntercomClient, key: str) -> None:
    name = team.state.name_of_tag(team.state.tags[key])
    team.expect_answer()
    client.untag_company(name, team.company_id)
    team.apply_untag(key, client)


def _put_on(team: TeamPass, client: IntercomClient, key: str) -> None:
    name = (team.state.app.tags or {})[key]
    team.expect_answer()
    try:
        tag_id = client.tag_company(name, team.company_id)
    except (Forbidden, Invalid) as refusal:
        team.refuse_tag(problem_of(refusal))
        return
    team.apply_tag(name, tag_id, client)
