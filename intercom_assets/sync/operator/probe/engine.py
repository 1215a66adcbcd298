"""`check --probe`: two contacts and a company are made, asked about, and deleted again.

Asked for by name only, and not where a workspace looks like production. One question after the
other; one that gets no answer leaves its field open and says why. Must not: print.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError, as_sentence
from intercom_assets.domain.models import Workspace
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import InboundCount, StateKey
from intercom_assets.intercom import endpoints
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    ScopeMissing,
    UnknownConflict,
    VersionUnknown,
)
from intercom_assets.sync.context.probed import Probed
from intercom_assets.sync.context.workspace import WAYS_OUT, WrongWorkspace, mismatch
from intercom_assets.sync.operator.probe.bulk_questions import BulkQuestions, NoAnswer
from intercom_assets.sync.operator.probe.throwaway import (
    NAME,
    Names,
    Throwaway,
    email_of,
    left_by_a_killed_probe,
    new_names,
)
from intercom_assets.sync.operator.probe.waiting import ProbePatience

MOST_CONTACTS = 1000
"""Of a workspace that may be taken for one to develop in."""
INDEX_TIMEOUT_S = 300.0
WEBHOOK_TIMEOUT_S = 30.0
QUIET_BEFORE = timedelta(minutes=10)
IN_SIZES = (150, 100, 50, 15)
NO_BULK = (VersionUnknown, NotFound, Forbidden, ScopeMissing)


class LooksLikeProduction(OperatorError):
    """Nothing was made. One sentence."""


@dataclass(frozen=True, slots=True)
class Report:
    """`open`: field of `Probed` -> why it was not measured."""

    probed: Probed
    open: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What will be made, and where."""

    workspace: Workspace
    names: Names


Tell = Callable[[str], None]


def prepare_probe(store: Store, client: IntercomClient, *, in_production: bool) -> Preparation:
    """Raises `LooksLikeProduction`, `WrongWorkspace`, and errors of calls. Makes nothing."""
    workspace = client.me()
    if why := mismatch(store, workspace):
        raise WrongWorkspace(f"{why} {WAYS_OUT}")
    if not in_production and (why := _signs_of_production(store, client)):
        name = workspace.name or workspace.id
        raise LooksLikeProduction(
            f"The workspace {name} looks like production ({why}) and nothing was made in it: probe "
            "a development workspace, or add --in-production"
        )
    return Preparation(workspace, new_names())


def _signs_of_production(store: Store, client: IntercomClient) -> str:
    linked = store.links.count()
    if linked:
        return f"the sync's own tables know {count_of(linked, 'contact')} of it"
    page = next(client.list_contacts(per_page=1), None)
    total = page.total if page else None
    if total is not None and total > MOST_CONTACTS:
        return f"it has {total:,} contacts"
    return ""


def probe(
    store: Store,
    client: IntercomClient,
    names: Names,
    tell: Tell = lambda step: None,
    *,
    patience: ProbePatience | None = None,
    wall: Callable[[], float] = time.time,
) -> Report:
    """Measures, and deletes what it made, and what a killed probe left. `tell`: what is next.

    Raises `ThingsLeft` if something could not be deleted, and errors of calls.
    """
    left = left_by_a_killed_probe(store)
    if left is not None:
        tell("deleting what an earlier probe left")
        Throwaway(store, client, left).delete()
    things = Throwaway(store, client, names)
    questions = _Questions(store, client, things, tell, patience or ProbePatience(), wall)
    things.note()
    try:
        return questions.answered()
    finally:
        tell("deleting what was made")
        things.delete()


class _Questions:
    def __init__(
        self,
        store: Store,
        client: IntercomClient,
        things: Throwaway,
        tell: Tell,
        patience: ProbePatience,
        wall: Callable[[], float],
    ) -> None:
        self._store, self._client, self._things = store, client, things
        self._tell, self._patience = tell, patience
        self._began = datetime.fromtimestamp(wall(), UTC)
        self._probed = Probed()
        self._open: dict[str, str] = {}

    def answered(self) -> Report:
        others = self._webhooks()
        first = self._first_contact()
        self._search_questions()
        second = self._second_contact()
        self._bulk_questions(first, second)
        with self._question("writes_fire_webhooks", "waiting for a webhook"):
            self._know(writes_fire_webhooks=self._webhook_came(others))
        return Report(self._probed, self._open)

    @contextmanager
    def _question(self, name: str, step: str) -> Iterator[None]:
        self._next(step)
        try:
            yield
        except NoAnswer as why:
            self._open[name] = str(why)

    def _next(self, step: str) -> None:
        self._patience.go_on()
        self._tell(step)

    def _know(self, **measured: Any) -> None:
        self._probed = replace(self._probed, **measured)

    # --- single calls and search ---

    def _first_contact(self) -> str:
        contact = self._things.create(0, email_of(self._things.names.contacts[0]))
        with self._question("names_escaped", "how names come back"):
            shown = self._client.ask_raw(endpoints.GET_CONTACT, contact).get("name")
            if not isinstance(shown, str) or unescape(shown) != NAME:
                raise NoAnswer("The name came back in another form altogether.")
            self._know(names_escaped=shown != NAME)
        return contact

    def _search_questions(self) -> None:
        began = self._patience.clock()
        with self._question(
            "index_lag_s", f"waiting for the search (at most {INDEX_TIMEOUT_S:.0f} s)"
        ):
            found = self._patience.until(lambda: self._found_among(1) or None, INDEX_TIMEOUT_S)
            if found is None:
                self._open["in_list_limit"] = "The search did not find the contact."
                raise NoAnswer(f"It was not found within {INDEX_TIMEOUT_S:.0f} s.")
            self._know(index_lag_s=round(self._patience.clock() - began, 1))
        if self._probed.index_lag_s is None:
            return
        with self._question("in_list_limit", "how many values IN takes"):
            self._know(in_list_limit=self._most_values())

    def _most_values(self) -> int:
        for size in IN_SIZES:
            try:
                if self._found_among(size):
                    return size
            except Invalid:
                continue
        raise NoAnswer(f"Not even {IN_SIZES[-1]} were taken.")

    def _found_among(self, size: int) -> bool:
        """Whether the search finds the contact by the last of so many external ids."""
        external_id = self._things.names.contacts[0]
        values = [f"{external_id}-{n}" for n in range(size - 1)] + [external_id]
        query = {"field": "external_id", "operator": "IN", "value": values}
        page = self._client.ask_raw(endpoints.SEARCH_CONTACTS, body={"query": query})
        return any(row.get("external_id") == external_id for row in page.get("data", ()))

    def _second_contact(self) -> str:
        first, second = self._things.names.contacts
        self._next("whether two users may have one e-mail")
        try:
            contact = self._things.create(1, email_of(first))
        except (Conflict, UnknownConflict):
            self._know(emails_unique=True)
            return self._things.create(1, email_of(second))
        self._know(emails_unique=False)
        return contact

    # --- bulk ---

    def _bulk_questions(self, first: str, second: str) -> None:
        bulk = BulkQuestions(self._client, self._things, (first, second), self._patience)
        try:
            with self._question("items_count_as_calls", "whether items count as calls"):
                self._know(items_count_as_calls=bulk.items_count_as_calls())
        except NO_BULK as refusal:
            self._know(bulk_offered=False)
            why = as_sentence(f"no bulk calls: {refusal}")
            names = ("items_count_as_calls", "attach_creates_companies", "null_in_bulk")
            self._open.update(dict.fromkeys(names, why))
            return
        self._know(bulk_offered=True)
        with self._question("attach_creates_companies", "whether attaching makes a company"):
            self._know(attach_creates_companies=bulk.attach_creates_companies())
        with self._question("null_in_bulk", "what a null does"):
            self._know(null_in_bulk=bulk.null_in_bulk())

    # --- webhooks, as far as `listen` counted them ---

    def _webhooks(self) -> int:
        since = self._began - QUIET_BEFORE
        return sum(self._store.state.counted_in_all([InboundCount.RECEIVED], since).values())

    def _webhook_came(self, before: int) -> bool:
        """Only ever true: that none came may have a hundred reasons."""
        if before:
            raise NoAnswer("Webhooks of others come in too, so that it cannot be told.")
        listens = self._store.state.get_at(StateKey.WEBHOOK_SEEN) is not None
        patience = WEBHOOK_TIMEOUT_S if listens else 0.0
        if self._patience.until(lambda: self._webhooks() or None, patience) is None:
            raise NoAnswer("None came: none is sent, or `intercom-assets listen` is not reached.")
        return True
