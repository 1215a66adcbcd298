"""`POST /inbox/initialize` and `/inbox/submit`: the panel beside a conversation, and its button.

Answers within half a second, from our own tables alone, always with a canvas: an agent cannot do
anything about a status. Must not: say what the panel says (`panel`), or how it looks (`canvas`).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

from intercom_assets.database.records import Lane
from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.inbound.agents_words import NO_ANSWER, OTHER_WORKSPACE
from intercom_assets.inbound.canvas import SYNC_NOW, response
from intercom_assets.inbound.links import PanelLinks
from intercom_assets.inbound.panel import Panel, PanelNames, Tone, panel_of_nobody, panel_of_user
from intercom_assets.inbound.signatures import INBOX
from intercom_assets.inbound.signed import Inbound, SignedRoute
from intercom_assets.sync.context.compared_fields import read_compared_fields
from intercom_assets.sync.context.workspace import known_workspace

ANSWER_WITHIN_S = 0.45


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a request is about, and in which workspace. `component`: what was pressed, if anything
    was."""

    contact_id: str
    external_id: str | None = None
    role: str | None = None
    component: str | None = None
    workspace_id: str | None = None


def read_request(body: bytes) -> Asked:
    """Intercom calls the person beside the conversation `contact`; older versions `customer`.

    Of a body that names none, or is none of theirs, the contact is nobody.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    document = document if isinstance(document, dict) else {}
    person = _object(document, "contact") or _object(document, "customer")
    return Asked(
        _text(person.get("id")) or "",
        _text(person.get("external_id")),
        _text(person.get("role")),
        _text(document.get("component_id")),
        _text(document.get("workspace_id")) or _text(document.get("app_id")),
    )


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _text(raw: object) -> str | None:
    return raw if isinstance(raw, str) and raw and "\x00" not in raw else None


async def initialize(inbound: Inbound, body: bytes) -> Response:
    asked = read_request(body)
    return await _answered(inbound, lambda: _panel(inbound, asked))


async def submit(inbound: Inbound, body: bytes) -> Response:
    """Any press refreshes the panel; one of *Sync now* queues the user before."""
    asked = read_request(body)
    pressed = asked.component == SYNC_NOW
    return await _answered(inbound, lambda: _panel(inbound, asked, sync_now=pressed))


async def _answered(inbound: Inbound, work: Callable[[], Panel]) -> Response:
    """The work goes on in its thread if it takes longer than an agent is kept waiting."""
    working = asyncio.get_running_loop().run_in_executor(inbound.workers, work)
    try:
        panel = await asyncio.wait_for(asyncio.shield(working), ANSWER_WITHIN_S)
    except TimeoutError:
        working.add_done_callback(partial(_report, inbound))
        inbound.log.warn("Our own tables took too long for the panel in the inbox.")
        panel = Panel(NO_ANSWER, Tone.FINE)
    except (StoreUnavailable, StoreNotReady) as error:
        inbound.log.warn(error.sentence)
        panel = Panel(NO_ANSWER, Tone.FINE)
    return JSONResponse(response(panel))


def _report(inbound: Inbound, working: "asyncio.Future[Panel]") -> None:
    """What became of work that was not waited for."""
    error = None if working.cancelled() else working.exception()
    if isinstance(error, StoreUnavailable | StoreNotReady):
        inbound.log.warn(error.sentence)
    elif error is not None:
        raise error


def _panel(inbound: Inbound, asked: Asked, *, sync_now: bool = False) -> Panel:
    store, settings = inbound.store, inbound.settings
    if asked.workspace_id not in (None, known_workspace(store) or asked.workspace_id):
        return Panel(OTHER_WORKSPACE, Tone.FINE)
    external_id = asked.external_id if asked.role == "user" else None
    standing = store.standings.of_contact(asked.contact_id, external_id)
    if standing is None:
        return panel_of_nobody(asked.role)
    if sync_now:
        queue_user(store, standing.user_id)
        standing = store.standings.of_contact(asked.contact_id, external_id) or standing
    mapping = read_compared_fields(store)
    links = PanelLinks(mapping.admin_url or "", settings.dagster_url, settings.workspace)
    names = {name: field.intercom for name, field in (mapping.users or {}).items()}
    return panel_of_user(standing, links, PanelNames(names), asked=sync_now)


def queue_user(store: Store, user_id: str) -> None:
    """In the live lane, given up on or not; both sides are read."""
    store.queue.retry(QueueKind.USER, [user_id])
    store.queue.enqueue(
        QueueKind.USER, [user_id], lane=Lane.LIVE, cause=Cause.BY_HAND, needs_read=True
    )


ROUTES = (
    SignedRoute("/inbox/initialize", INBOX, initialize),
    SignedRoute("/inbox/submit", INBOX, submit),
)
