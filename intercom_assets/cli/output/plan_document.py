"""What `plan --json` prints: the same totals, users and teams as a document for programs."""

from typing import Any

from intercom_assets.cli.output.plan import PlanSummary
from intercom_assets.sync.engine.planned import PlannedChange, PlannedTeam, PlannedUser


def document(summary: PlanSummary) -> dict[str, object]:
    counts = summary.counts
    return {
        "plan": summary.plan_id,
        "past_guards": list(summary.past_guards),
        "switched_ids": [
            {
                "kind": switch.kind,
                "count": switch.count,
                "old": switch.example.old,
                "new": switch.example.new,
            }
            for switch in summary.switches
        ],
        "users": {
            "asked": counts.users,
            "actions": dict(summary.user_actions),
            "fields": dict(summary.user_fields),
            "creates": counts.creates,
            "changes": counts.changes,
            "archives": counts.archives,
            "attaches": summary.attaches,
            "detaches": counts.detaches,
            "tags": summary.tags,
            "untags": summary.untags,
            "lead_searches": summary.searches,
            "merges": summary.merges,
        },
        "teams": {
            "asked": summary.team_actions.total(),
            "actions": dict(summary.team_actions),
            "fields": dict(summary.team_fields),
            "tags": summary.team_tags,
            "untags": summary.team_untags,
        },
        "attributes_to_make": [
            {"model": model, "name": field.intercom, "type": field.kind}
            for model, field in summary.attributes_to_make
        ],
        "tags_to_make": len(summary.tags_to_make),
        "left_the_mapping": dict(summary.left),
        "left_out": dict(summary.left_out),
        "shared_emails": {
            "users": summary.shared.users,
            "addresses": summary.shared.addresses,
            "refused_if_strict": summary.shared.refused_if_strict,
            "groups": [list(group) for group in summary.shared.groups],
        },
        "intercom_not_asked": summary.unasked,
        "intercom_looked_at": summary.looked and not summary.unasked,
        "edited_in_intercom": dict(summary.edited),
        "calls": summary.calls,
        "minutes": round(summary.minutes, 3),
        "by_bulk": _bulk_document(summary),
        "details": [
            *map(_user_document, summary.users),
            *map(_team_document, summary.teams),
        ],
    }


def _bulk_document(summary: PlanSummary) -> dict[str, Any] | None:
    """None where too few users may go so."""
    bulk = summary.bulk
    if bulk is None:
        return None
    return {
        "on": bulk.is_on,
        "left_out_because": bulk.hindrance,
        "users": bulk.users,
        "calls": bulk.calls,
        "minutes": round(summary.bulk_minutes, 3),
    }


def _user_document(user: PlannedUser) -> dict[str, Any]:
    return {
        "user": user.user_id,
        "action": user.action,
        "problem": user.problem,
        "changes": [_change_document(change) for change in user.changes],
        "attach": list(user.attach),
        "detach": list(user.detach),
        "tag": list(user.tag),
        "untag": list(user.untag),
        "merge": list(user.merge),
        "edited_in_intercom": [
            {"field": edit.field, "then": edit.then, "now": edit.now} for edit in user.edits
        ],
        "contact_lost": user.lost,
        "left_the_mapping": list(user.left),
        "left_out": dict(user.left_out),
    }


def _team_document(team: PlannedTeam) -> dict[str, Any]:
    return {
        "team": team.team_id,
        "action": team.action,
        "problem": team.problem,
        "changes": [_change_document(change) for change in team.changes],
        "tag": list(team.tag),
        "untag": list(team.untag),
        "left_the_mapping": list(team.left),
        "left_out": dict(team.left_out),
    }


def _change_document(change: PlannedChange) -> dict[str, Any]:
    return {
        "field": change.field,
        "side": change.side,
        "old": change.old,
        "new": change.new,
        "why": change.why,
        "looks_first": change.looks,
    }
