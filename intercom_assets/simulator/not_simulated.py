"""What the real Intercom has and the stand-in does not: answered 501, and never as a 404.

A 404 says to a client that a contact or company is gone, and it may act on that.
"""

from intercom_assets.simulator.errors import Refused

RESOURCES = frozenset(
    (
        "ai",
        "articles",
        "audiences",
        "away_status_reasons",
        "brands",
        "calls",
        "content",
        "content_snippets",
        "conversations",
        "custom_object_instances",
        "data_connectors",
        "download",
        "emails",
        "export",
        "fin",
        "fin_voice",
        "help_center",
        "internal_articles",
        "ip_allowlist",
        "macros",
        "news",
        "office_hours_schedules",
        "phone_call_redirects",
        "ticket_states",
        "ticket_types",
        "tickets",
    )
)
"""First segments of paths of version 2.16, and of Preview."""
PARTS = frozenset(
    (
        ("admins", "activity_logs"),
        ("admins", "activity_log_event_types"),
        ("admins", "away"),
        ("companies", "search"),
        ("contacts", "activities"),
        ("contacts", "banners"),
        ("contacts", "conversations"),
        ("events", "summaries"),
        ("messages", "status"),
        ("messages", "whatsapp"),
        ("teams", "metrics"),
    )
)
"""First segment, and one of the others, of what is missing of resources that are there."""


def refusal(method: str, segments: tuple[str, ...]) -> Refused | None:
    """None where the real one knows of nothing there either."""
    first = segments[0]
    missing = first in RESOURCES or any((first, other) in PARTS for other in segments[1:])
    if not missing:
        return None
    return Refused(
        501,
        "not_simulated",
        f"{method} /{'/'.join(segments)} exists in Intercom and not in this simulator",
    )
