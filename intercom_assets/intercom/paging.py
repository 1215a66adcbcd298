"""Walking what comes in parts: cursors, numbered pages, the one scroll that a workspace may hold.

Given a way to fetch one part, these yield all of them, and end: parts that lead in a circle are an
error. A part that cannot be read is an error too, never an end; but a scroll may end by a 404.
Which endpoint is fetched, and how, is the client's.
"""

from collections.abc import Callable, Iterator

from intercom_assets.domain.models import Company, Contact
from intercom_assets.intercom.endpoints import Endpoint
from intercom_assets.intercom.errors import NotFound, Refusal, ScrollOpen, Unavailable, WrongShape
from intercom_assets.intercom.wire import Page
from intercom_assets.intercom.wire_companies import CompanyPage, ScrollStep

SCROLL_FREES_AFTER = 75.0
"""Seconds: an abandoned scroll blocks the next one for a minute."""
SCROLL_LOOKS_EVERY = 5.0
SCROLL_LIVES = 45.0
"""Seconds between two steps within which a scroll cannot have died of idleness, which takes 60."""
SCROLL_RESTARTS = 5


def pages(
    endpoint: Endpoint, fetch: Callable[[str | None], Page[Contact]], cursor: str | None
) -> Iterator[Page[Contact]]:
    """Page after page until no cursor is told."""
    used = {cursor}
    while True:
        page = fetch(cursor)
        yield page
        cursor = page.next
        if cursor is None:
            return
        if cursor in used:
            raise _circle(endpoint)
        used.add(cursor)


def all_companies(
    endpoint: Endpoint, fetch: Callable[[dict[str, str] | None], CompanyPage]
) -> list[Company]:
    """The companies of all numbered pages."""
    page = fetch(None)
    found, asked = list(page.companies), []
    while page.next is not None:
        if page.next in asked:
            raise _circle(endpoint)
        asked.append(page.next)
        page = fetch(page.next)
        found += page.companies
    return found


def scroll(
    fetch: Callable[[str | None], ScrollStep],
    sleep: Callable[[float], bool],
    clock: Callable[[], float],
) -> Iterator[list[Company]]:
    """Every company once. A scroll that breaks can only be begun anew.

    docs/dev/intercom-facts.md#pages
    """
    seen: set[str] = set()
    for restarts_left in reversed(range(SCROLL_RESTARTS + 1)):
        try:
            for companies in _steps(fetch, sleep, clock):
                new = [company for company in companies if company.id not in seen]
                seen.update(company.id for company in new)
                if new:
                    yield new
            return
        except (Unavailable, NotFound) as error:
            hopeless = isinstance(error, ScrollOpen) or not restarts_left
            if hopeless or not sleep(SCROLL_LOOKS_EVERY):
                raise


def _steps(
    fetch: Callable[[str | None], ScrollStep],
    sleep: Callable[[float], bool],
    clock: Callable[[], float],
) -> Iterator[list[Company]]:
    """Ends with an empty page, without a cursor, or, as connectors have met it, with a 404.

    A reader that was slow gets that answer too, for a scroll that died: then it is an error.
    """
    answered = clock()
    try:
        step = _begin(fetch, sleep)
        answered = clock()
        while step.companies:
            yield step.companies
            if step.cursor is None:
                return
            step = fetch(step.cursor)
            answered = clock()
    except NotFound:
        if clock() - answered > SCROLL_LIVES:
            raise


def _begin(fetch: Callable[[str | None], ScrollStep], sleep: Callable[[float], bool]) -> ScrollStep:
    """Where another scroll is open, wait until it ends or, abandoned, runs out."""
    waited = 0.0
    while True:
        try:
            return fetch(None)
        except ScrollOpen:
            if waited >= SCROLL_FREES_AFTER or not sleep(SCROLL_LOOKS_EVERY):
                raise
            waited += SCROLL_LOOKS_EVERY


def _circle(endpoint: Endpoint) -> WrongShape:
    return WrongShape(Refusal("its pages lead in a circle", endpoint=endpoint.name))
