"""What `explain --json` prints of a user or team.

Keys are added to and never renamed: programs read them.
"""

from intercom_assets.cli.output.explain import Story, both_sides
from intercom_assets.database.reports import JournalRow, Waiting
from intercom_assets.domain.vocabulary import Action, QueueKind


def document(story: Story) -> dict[str, object]:
    return {
        story.kind.value: story.key,
        "in_app": story.in_app,
        "problem": story.problem,
        "contact" if story.kind is QueueKind.USER else "company": story.intercom_id,
        "read_at": story.read_at,
        "held_as_gone": story.held,
        "erased": None if story.erased is None else dict(story.erased.receipt),
        "queue": _queue_document(story.waiting),
        "left_out": {
            name: {"reason": item.reason, "why": item.why}
            for name, item in sorted(story.left_out.items())
        },
        "tags": {
            "ours": sorted(story.tags),
            "would_put_on": list(story.tag_plan.put_on),
            "would_take_off": list(story.tag_plan.take_off),
        },
        "fields": [
            {
                "field": decision.field.name,
                "policy": decision.field.policy,
                "app": decision.app,
                "intercom": decision.intercom,
                "base": story.base.get(decision.field.name),
                "would_write_to": decision.write_to,
                "looks_first": decision.deferred,
                "why": decision.why,
            }
            for decision in story.decisions
        ],
        "timeline": [_row_document(row) for row in story.rows],
    }


def _queue_document(row: Waiting | None) -> dict[str, object] | None:
    if row is None:
        return None
    return {
        "since": row.first_at.isoformat(),
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "parked_at": row.parked_at.isoformat() if row.parked_at else None,
        "tried_again_at": row.parked_until.isoformat() if row.parked_until else None,
        "attempts": row.attempts,
        "why": row.error.message if row.error else None,
        "in_work_by": row.in_work_by,
    }


def _row_document(row: JournalRow) -> dict[str, object]:
    entry = row.entry
    has_values = entry.field is not None and entry.action is not Action.UNDONE
    app, intercom = both_sides(entry) if has_values else (None, None)
    return {
        "at": row.at.isoformat(),
        "action": entry.action,
        "field": entry.field,
        "side": entry.side,
        "policy": entry.policy,
        "app": app,
        "intercom": intercom,
        "base": entry.base,
        "old": entry.old,
        "new": entry.new,
        "why": entry.why,
        "request_id": entry.request_id,
        "run_id": row.run_id,
    }
