"""One app in the stand-in's inbox: what Intercom asks of it for a contact, and what it answers.

An app is two addresses, `URL/initialize` and `URL/submit`, which are asked by signed POSTs as
Intercom does; the answer is a canvas, which the page draws. Only addresses of this machine are
taken. Calls wait for an answer, so they are made outside the lock (`server`). Must not: know whose
app it is.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from intercom_assets.simulator.documents import Document, contact_document
from intercom_assets.simulator.settings import BadSetting
from intercom_assets.simulator.state import World
from intercom_assets.simulator.subscription import checked_url
from intercom_assets.simulator.telling import VERSION
from intercom_assets.simulator.wire import Answer, json_body

WAITS_S = 5.0
LARGEST_CANVAS = 65_536
STEPS = ("initialize", "submit")


class InboxApp(NamedTuple):
    url: str
    secret: str


class Inbox:
    """`configure` and `is_there` under the lock, `ask` without it."""

    def __init__(self, world: World, lock: AbstractContextManager[object]) -> None:
        self._world = world
        self._lock = lock
        self._app: InboxApp | None = None

    @property
    def is_there(self) -> bool:
        return self._app is not None

    def configure(self, body: Any) -> Document:
        """`{"url": ..., "secret": ...}`; `{"url": null}` takes it away. Raises BadSetting."""
        if not isinstance(body, dict) or "url" not in body:
            raise BadSetting("an app of the inbox has a url and a secret")
        if body["url"] is None:
            self._app = None
            return {"url": None}
        secret = body.get("secret")
        if not isinstance(secret, str) or not secret:
            raise BadSetting("an app of the inbox needs the secret that requests are signed with")
        self._app = InboxApp(checked_url(body["url"], "an app of the inbox").rstrip("/"), secret)
        return {"url": self._app.url}

    def clear(self) -> None:
        self._app = None

    def ask(self, step: str, body: bytes) -> Answer:
        """`body`: `{"contact": ID}`, and for submit `component`. The app's canvas, or an error."""
        try:
            asked = json.loads(body)
            contact, component = str(asked["contact"]), str(asked.get("component", ""))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return _answer(400, {"error": "say of which contact: {'contact': ID}"})
        with self._lock:
            app, request = self._app, self._request(step, contact, component)
        if app is None or step not in STEPS:
            return _answer(404, {"error": "the inbox has no such app"})
        if request is None:
            return _answer(404, {"error": "there is no such contact"})
        return _called(app, step, json.dumps(request).encode())

    def _request(self, step: str, contact_id: str, component: str) -> Document | None:
        contact = self._world.contacts.get(contact_id)
        if contact is None:
            return None
        admin = next(iter(self._world.admins.values()))
        request: Document = {
            "workspace_id": self._world.workspace_id,
            "workspace_region": "US",
            "admin": {"type": "admin", "id": admin.id, "name": admin.name, "email": admin.email},
            "card_creation_options": {},
            "context": {"conversation_id": contact.seq, "location": "conversation"},
            "conversation": {"type": "conversation", "id": str(contact.seq)},
            "contact": contact_document(contact, self._world.workspace_id, VERSION),
        }
        if step == "submit":
            request |= {"component_id": component, "input_values": {}, "current_canvas": {}}
        return request


def _called(app: InboxApp, step: str, body: bytes) -> Answer:
    signature = hmac.new(app.secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Body-Signature": signature}
    address = urlsplit(f"{app.url}/{step}")
    try:
        with closing(HTTPConnection(address.netloc, timeout=WAITS_S)) as connection:
            connection.request("POST", address.path, body, headers)
            response = connection.getresponse()
            answered = response.read(LARGEST_CANVAS + 1)
    except (OSError, HTTPException):
        return _answer(502, {"error": "the app does not answer"})
    return _judged(response.status, answered)


def _judged(status: int, answered: bytes) -> Answer:
    """As Intercom does: a canvas, or something went wrong with the app."""
    if status != 200:
        return _answer(502, {"error": f"the app answers {status}"})
    try:
        canvas = json.loads(answered)["canvas"]
        canvas["content"]["components"][0]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return _answer(502, {"error": "the app's answer is no canvas"})
    if len(answered) > LARGEST_CANVAS:
        return _answer(502, {"error": "the app's canvas is larger than 64 KB"})
    return _answer(200, {"canvas": canvas})


def _answer(status: int, document: Mapping[str, Any]) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, headers, json_body(document))
