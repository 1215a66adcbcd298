"""`status --json`: keys that a monitor may rely on. They are added to, never renamed."""

import math

from intercom_assets.database.app.lookups import SharedEmails
from intercom_assets.domain.vocabulary import InboundCount, QueueKind
from intercom_assets.sync.status.overview import (
    Alarm,
    Capture,
    Lag,
    LastScan,
    Overview,
    Use,
    WebhookFigures,
)


def document(
    seen: Overview, found: list[Alarm], shared: SharedEmails | None = None
) -> dict[str, object]:
    """`shared`: as the app has them now, where that was asked for."""
    now = {} if shared is None else {"shared_emails": _shared(shared)}
    return now | {
        "switched_off": seen.off,
        "stopped": [
            {"kind": stop.kind, "at": stop.at.isoformat(), "why": stop.why} for stop in seen.stopped
        ],
        "queue": {
            f"{kind}s": {
                "due": depth.due,
                "in_work": depth.leased,
                "later": depth.later,
                "parked": depth.parked,
                "oldest_seconds": round(depth.oldest_seconds, 1),
            }
            for kind, depth in seen.queue.items()
        },
        "oldest_seconds": round(seen.oldest_seconds, 1),
        "runs_at_work": seen.runs,
        "held_as_gone": _held(seen),
        "overruled_last_day": seen.overruled,
        "lag": _lag(seen.lag),
        "calls": _calls(seen.use),
        "webhooks": _webhooks(seen.webhooks),
        "last_sweep": _scan(seen.swept),
        "last_audit": _scan(seen.audited),
        "capture": _capture(seen.capture),
        "parked": [
            {
                "kind": row.kind,
                "id": row.key,
                "since": row.parked_at.isoformat(),
                "tried_again_at": row.parked_until.isoformat() if row.parked_until else None,
                "attempts": row.attempts,
                "why": row.error.message if row.error else None,
                "field": row.error.field if row.error else None,
                "request_id": row.error.request_id if row.error else None,
            }
            for row in seen.parked
        ],
        "failing": [
            {
                "kind": row.kind,
                "id": row.key,
                "since": row.since.isoformat(),
                "tries": row.tries,
                "why": row.error.message if row.error else None,
                "fails_for_everybody": row.error.everybodys if row.error else False,
            }
            for row in seen.failing
        ],
        "left_out": [
            {
                "kind": item.kind,
                "field": item.field,
                "reason": item.reason,
                "count": item.count,
                "id": item.key,
                "why": item.why,
            }
            for item in seen.left_out
        ],
        "unwritable_attributes": [
            {"model": model, "field": field, "why": why}
            for model, fields in seen.unwritable.items()
            for field, why in sorted(fields.items())
        ],
        "alarms": [
            {"name": a.name, "value": _number(a.value), "limit": a.limit, "what": a.sentence}
            for a in found
        ],
    }


def _shared(shared: SharedEmails) -> dict[str, object]:
    return {
        "users": shared.users,
        "addresses": shared.addresses,
        "groups": [list(group) for group in shared.groups],
    }


def _held(seen: Overview) -> dict[str, object]:
    since = [held.since for held in seen.held.values() if held.since]
    return {
        "users": len(seen.held[QueueKind.USER].keys),
        "teams": len(seen.held[QueueKind.TEAM].keys),
        "since": min(since).isoformat() if since else None,
    }


def _lag(lag: Lag) -> dict[str, object]:
    """Null without changes, and beyond the longest bound, an hour."""
    return {
        "changes_last_hour": lag.changes,
        "half_within_seconds": _number(lag.half),
        "most_within_seconds": _number(lag.most),
        "all_within_seconds": _number(lag.all_of_them),
    }


def _calls(use: Use) -> dict[str, object]:
    return {
        "last_hour": use.calls,
        "share_last_hour": _rounded(use.share),
        "busiest_minute": use.busiest_minute,
        "share_busiest_minute": _rounded(use.busiest_share),
        "limit_a_minute": use.limit_a_minute,
        "rate_limited_last_hour": use.rate_limited,
    }


def _webhooks(webhooks: WebhookFigures) -> dict[str, object]:
    """Counts of the last day."""
    return {
        "last_at": webhooks.last_at.isoformat() if webhooks.last_at else None,
        "taken": webhooks[InboundCount.RECEIVED],
        "told_nothing_new": webhooks[InboundCount.ECHO],
        "twice": webhooks[InboundCount.DUPLICATE],
        "late": webhooks[InboundCount.LATE],
        "of_other_topics": webhooks[InboundCount.UNKNOWN],
        "refused": webhooks[InboundCount.REFUSED],
        "of_another_workspace": webhooks[InboundCount.OTHER_WORKSPACE],
        "not_stored": webhooks[InboundCount.UNSTORED],
        "missed": webhooks[InboundCount.MISSED],
    }


def _scan(scan: LastScan | None) -> dict[str, object] | None:
    if scan is None:
        return None
    return {"at": scan.at.isoformat(), "age_seconds": round(scan.age), **scan.counts}


def _capture(capture: Capture) -> dict[str, object]:
    return {
        "mode": capture.mode,
        "healthy": capture.healthy,
        "found": capture.sentence,
        "waiting": capture.waiting,
        "oldest_seconds": round(capture.oldest_seconds, 1),
    }


def _number(value: float | None) -> float | None:
    """JSON has no infinity."""
    return None if value is None or math.isinf(value) else round(value, 1)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 5)
