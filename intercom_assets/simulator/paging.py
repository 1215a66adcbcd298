"""Cursors and pages: how lists are cut, and what tells the way to the next piece.

Cursors are stateless (place of the last row), so rows that change between two pages can be
skipped or repeated, as with the real one. Page-numbered lists carry a URL instead.
"""

import base64
import json
from typing import Any

from intercom_assets.simulator.errors import bad_cursor, invalid
from intercom_assets.simulator.wire import Call

LARGEST_PAGE = 150
LARGEST_COMPANY_PAGE = 60


def page_size(call: Call, asked: Any, default: int, largest: int = LARGEST_PAGE) -> int:
    if asked is None or asked == "":
        return default
    size = _whole("per_page", asked)
    if size > largest and call.settings.choice("oversized_page") == "clamp":
        return largest
    if not 1 <= size <= largest:
        raise invalid(f"per_page must be between 1 and {largest}", "per_page")
    return size


def page_number(asked: str | None) -> int:
    number = 1 if not asked else _whole("page", asked)
    if not 1 <= number < 2**31:
        raise invalid("page must be greater than 0", "page")
    return number


def _whole(name: str, asked: Any) -> int:
    if isinstance(asked, str) and asked.isascii() and asked.isdigit() and len(asked) < 12:
        return int(asked)
    if isinstance(asked, int) and not isinstance(asked, bool):
        return asked
    raise invalid(f"{name} must be an integer", name)


def write_cursor(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_cursor(cursor: Any, kind: type) -> tuple[int, Any, Any] | None:
    """(page, value, tie) of the last row shown; `kind` is the type of the tie-breaker."""
    if cursor is None or cursor == "":
        return None
    try:
        place = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        page, value, tie = place
    except (ValueError, TypeError, RecursionError) as unreadable:
        raise bad_cursor() from unreadable
    if type(page) is not int or type(tie) is not kind:
        raise bad_cursor()
    return page, value, tie


def cursor_page(
    call: Call,
    rows: list[dict[str, Any]],
    total: int,
    size: int,
    number: int,
    after: list[Any] | None,
) -> dict[str, Any]:
    """`after`: the place of this page's last row if another page follows."""
    pages: dict[str, Any] = {
        "type": "pages",
        "page": number,
        "per_page": size,
        "total_pages": -(-total // size),
    }
    if after is not None:
        by_number = call.settings.choice("next_page_has") == "page"
        beside = {"page": number + 1} if by_number else {"per_page": size}
        pages["next"] = {**beside, "starting_after": write_cursor(after)}
    return {"type": "list", "data": rows, "total_count": total, "pages": pages}


def numbered_page(
    rows: list[dict[str, Any]], total: int, size: int, number: int, url: str
) -> dict[str, Any]:
    """`url`: the list's own address, with what else must be repeated in the query."""
    total_pages = -(-total // size)
    joint = "&" if "?" in url else "?"
    following = f"{url}{joint}page={number + 1}&per_page={size}" if number < total_pages else None
    return {
        "type": "list",
        "data": rows,
        "pages": {
            "type": "pages",
            "next": following,
            "page": number,
            "per_page": size,
            "total_pages": total_pages,
        },
        "total_count": total,
    }
