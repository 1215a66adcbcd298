"""Segments and teams, which only Intercom's own screens make: listed and read here."""

from intercom_assets.simulator import errors
from intercom_assets.simulator.companies import live_company
from intercom_assets.simulator.company_documents import segment_document
from intercom_assets.simulator.contacts import find_live
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.extras import Team
from intercom_assets.simulator.wire import Call, Reply


def list_segments(call: Call) -> Reply:
    counted = call.flag("include_count")
    rows = [segment_document(found, counted) for found in call.world.extras.segments.values()]
    return Reply({"type": "segment.list", "segments": rows})


def get_segment(call: Call) -> Reply:
    segment = call.world.extras.segments.get(call.ids[0])
    if segment is None:
        raise errors.no_such_resource()
    return Reply(segment_document(segment))


def list_contact_segments(call: Call) -> Reply:
    return _listed(call, find_live(call, call.ids[0]).id)


def list_company_segments(call: Call) -> Reply:
    return _listed(call, live_company(call, call.ids[0]).id)


def _listed(call: Call, record_id: str) -> Reply:
    rows = [segment_document(found) for found in call.world.extras.segments_of(record_id)]
    return Reply({"type": "list", "data": rows})


# --- teams ---


def list_teams(call: Call) -> Reply:
    rows = [_team_document(team) for team in call.world.extras.teams.values()]
    return Reply({"type": "team.list", "teams": rows})


def get_team(call: Call) -> Reply:
    team = call.world.extras.teams.get(call.ids[0])
    if team is None:
        raise errors.Refused(404, "team_not_found", "Team not found")
    return Reply(_team_document(team))


def _team_document(team: Team) -> Document:
    return {
        "type": "team",
        "id": team.id,
        "name": team.name,
        "admin_ids": [int(admin_id) for admin_id in team.admin_ids],
    }
