"""How moments and durations are told, the same in every command."""

from datetime import UTC, datetime


def utc(at: datetime | float) -> str:
    """To the second: orders are told apart by it, and Intercom itself knows no less."""
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(seconds: float) -> str:
    """`-` for none, else in the largest unit that fits."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s" if seconds else "-"
