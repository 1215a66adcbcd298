"""What is wrong with the companies of the app's teams, in sentences."""

from collections.abc import Iterator
from typing import Any

from intercom_assets_tests.tools.random_walks.script import TEAMS
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld

ADMIN = "https://app.example.com/admin/teams"


def findings_on_teams(ground: WalkWorld) -> Iterator[str]:
    """Of a company that was edited there nothing is said before the app changes its team."""
    for team in TEAMS:
        if team not in ground.by_hand:
            for what in _findings(ground, team):
                yield f"team {team}: {what}"


def _findings(ground: WalkWorld, team: int) -> Iterator[str]:
    rows = ground.played.rows("select to_jsonb(t) from teams t where id = %s", team)
    company = ground.played.intercom.company(company_id=str(team))
    if rows and company is None:
        yield "has no company"
    elif company is not None:
        gone = company["custom_attributes"].get("company_deleted")
        if gone is bool(rows):
            yield f"is {'there' if rows else 'gone'} and company_deleted is {gone}"
        if rows:
            yield from _differences(ground, team, rows[0][0], company)


def _differences(
    ground: WalkWorld, team: int, row: dict[str, Any], company: dict[str, Any]
) -> Iterator[str]:
    [[size]] = ground.played.rows("select count(*) from memberships where team_id = %s", team)
    pairs = {
        "id": (row["metadata"].get("intercom_company_id"), company["id"]),
        "name": (row["domain"], company["name"]),
        "size": (size, company.get("size")),
        "link": (f"{ADMIN}/{team}", company["custom_attributes"].get("team_admin_link")),
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield f"{name} is {ours!r} in the app and {theirs!r} in Intercom"
