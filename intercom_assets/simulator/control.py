"""The control endpoints, `/_simulator/...`: outside Intercom's paths, without a token, uncounted.

    GET  stats, settings, choices, calls, overview?search=, contacts?..., companies, attributes,
         webhooks
    POST reset, settings, faults, contacts (seed), operator (an edit by hand), webhooks (subscribe),
         webhooks/ping, webhooks/live, inbox (an app beside conversations)

What they do is done elsewhere; here it is only reached over HTTP. Errors are one sentence, 400.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from intercom_assets.simulator.by_hand import NotThere
from intercom_assets.simulator.documents import Document
from intercom_assets.simulator.faults import KINDS, BadFault, read_faults
from intercom_assets.simulator.seeding import BadSeed
from intercom_assets.simulator.settings import CHOICES, BadSetting, Settings
from intercom_assets.simulator.stand import Stand
from intercom_assets.simulator.wire import Answer, json_body, parse_query

FAULT_KEYS = ("fail_next", "faults")
RESETS = ("all", "data", "stats", "faults", "settings", "webhooks", "inbox")
SHOWN = 60


class Control:
    def __init__(self, simulator: Stand) -> None:
        self._simulator = simulator
        self._reads: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
            "stats": lambda query: self.stats(),
            "settings": lambda query: simulator.settings.document(),
            "choices": lambda query: [asdict(choice) for choice in CHOICES.values()],
            "faults": lambda query: self._faults(),
            "calls": lambda query: simulator.journal.recent(),
            "overview": self._overview,
            "contacts": self._contacts,
            "companies": lambda query: simulator.companies(),
            "attributes": lambda query: simulator.attributes(query.get("model")),
            "webhooks": lambda query: simulator.webhooks.document(),
        }
        self._writes: Mapping[str, Callable[[Any], Any]] = {
            "reset": self._reset,
            "settings": self._settings,
            "faults": self._add_faults,
            "contacts": self._seed,
            "operator": self._operate,
            "webhooks": self._subscribe,
            "inbox": simulator.inbox.configure,
            "webhooks/ping": lambda body: simulator.webhooks.ping(),
            "webhooks/live": lambda body: simulator.webhooks.set_live(),
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        bare, _, query = path.partition("?")
        name = bare.removeprefix("/_simulator/").strip("/")
        self._simulator.world.catch_up()
        try:
            if method == "GET" and name in self._reads:
                return _answer(200, self._reads[name](parse_query(query)))
            if method == "POST" and name in self._writes:
                return _answer(200, self._writes[name](_read(body)))
        except (BadSetting, BadFault, BadSeed, NotThere, TypeError, ValueError) as refused:
            return _answer(400, {"error": str(refused)})
        except RecursionError:
            return _answer(400, {"error": "the body is nested too deeply"})
        return _answer(404, {"error": f"there is no control endpoint {method} {bare}"})

    # --- python side ---

    def stats(self) -> Document:
        simulator = self._simulator
        window = simulator.rate.roll(simulator.world.clock())
        limit = simulator.settings.rate_limit_per_window
        return {
            **simulator.journal.document(),
            "peak_per_window": simulator.rate.peak,
            "window": {**asdict(window), "limit": limit},
            "contacts": simulator.world.live_contacts,
            "companies": len(simulator.world.company_by_key),
            "bulk": simulator.world.bulk.document(),
            "attributes": sum(map(len, simulator.world.attribute_types.values())),
        }

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        knobs = {key: value for key, value in changes.items() if key not in FAULT_KEYS}
        faults = [fault for key in FAULT_KEYS for fault in read_faults(changes.get(key))]
        self._simulator.settings.change(knobs)
        for fault in faults:
            self._simulator.faults.add(fault)

    def reset(self, what: str) -> None:
        if what not in RESETS:
            raise BadSetting(f"reset takes {', '.join(RESETS)}, not {what!r}")
        simulator = self._simulator
        if what in ("all", "data"):
            simulator.world.clear()
        if what in ("all", "stats"):
            simulator.journal.clear()
            simulator.rate.clear()
        if what in ("all", "faults"):
            simulator.faults.clear()
        if what in ("all", "webhooks"):
            simulator.webhooks.clear()
        if what in ("all", "inbox"):
            simulator.inbox.clear()
        if what in ("all", "settings"):
            simulator.settings.change(asdict(Settings()))
            simulator.settings.change(simulator.initial)

    # --- over HTTP ---

    def _faults(self) -> Document:
        scripted = [fault.document() for fault in self._simulator.faults.scripted]
        return {"scripted": scripted, "kinds": dict(KINDS)}

    def _overview(self, query: Mapping[str, str]) -> Document:
        """All that the page shows, in one answer."""
        simulator = self._simulator
        rate = simulator.rate
        rate.roll(simulator.world.clock())
        return {
            "now": simulator.world.clock(),
            "stats": self.stats(),
            "windows": [asdict(window) for window in (*rate.history, rate.window)],
            "faults": self._faults()["scripted"],
            "settings": simulator.settings.document(),
            "calls": simulator.journal.recent(),
            "people": simulator.look_up(query.get("search", ""), SHOWN),
            "most": SHOWN,
            "inbox": simulator.inbox.is_there,
            "webhooks": simulator.webhooks.counts(),
        }

    def _contacts(self, query: Mapping[str, str]) -> Any:
        """One by `id`, `external_id` or `email` (null if there is none), else all of a `state`."""
        names = {key: query[key] for key in ("id", "external_id", "email") if key in query}
        if names:
            return self._simulator.contact(**names)
        state = query.get("state", "live")
        return self._simulator.contacts(None if state == "any" else state)

    def _reset(self, body: Any) -> Document:
        self.reset(body.get("what", "all") if isinstance(body, dict) else "all")
        return {"reset": True}

    def _settings(self, body: Any) -> Document:
        if not isinstance(body, dict):
            raise BadSetting("settings are an object")
        self.change_settings(body)
        return self._simulator.settings.document()

    def _add_faults(self, body: Any) -> Document:
        """One fault or several; `[]` or `{}` takes all of them away."""
        if not body:
            self._simulator.faults.clear()
        for fault in read_faults(body or None):
            self._simulator.faults.add(fault)
        return self._faults()

    def _seed(self, body: Any) -> Document:
        ids = self._simulator.seed(body)
        return {"created": len(ids), "ids": ids[:1000]}

    def _subscribe(self, body: Any) -> Document:
        if not isinstance(body, dict):
            raise BadSetting("webhooks are an object: {'url': ..., 'secret': ...}")
        return self._simulator.webhooks.subscribe(body)

    def _operate(self, body: Any) -> Document:
        """`{"do": "edit_contact", "contact": "7", "name": "Ada"}`: a method of `ByHand`."""
        if not isinstance(body, dict) or not isinstance(body.get("do"), str):
            raise NotThere("say what to do: {'do': 'edit_contact', ...}")
        arguments = {key: value for key, value in body.items() if key != "do"}
        hand = self._simulator.by_hand
        if body["do"].startswith("_") or not hasattr(hand, body["do"]):
            known = ", ".join(name for name in dir(hand) if not name.startswith("_"))
            raise NotThere(f"an operator cannot {body['do']!r}; there are {known}")
        return {"done": body["do"], "result": getattr(hand, body["do"])(**arguments)}


def _read(body: bytes) -> Any:
    return json.loads(body) if body.strip() else {}


def _answer(status: int, document: Any) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, headers, json_body(document))
