"""The workspace's custom attributes: known for a day, made before they are sent.

One book serves all passes of a run. After a refusal that may be about an attribute the list is read
once more. An attribute that cannot be written (archived, its name taken, or not to be made) is left
out for everybody and shown; nobody is blamed, and nobody waits for a list that cannot be read. What
was left out is sent once it can be.
"""

import threading
from collections.abc import Callable, Sequence

from intercom_assets.database.records import Json
from intercom_assets.database.store.store import Store
from intercom_assets.domain.attributes import plan_attributes
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import DataAttribute
from intercom_assets.domain.vocabulary import AttributeModel, Cause, QueueKind, StateKey
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, LeaseRanOut
from intercom_assets.sync.context.admins import AdminBook
from intercom_assets.sync.context.failures import stops_everything
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.tags import TagBook
from intercom_assets.sync.context.workspace import remember_workspace

CACHED_FOR = 86_400.0
AGAIN_AFTER = 60
"""Seconds for which other runs believe that what just failed would fail again."""
MODELS = {AttributeModel.CONTACT: QueueKind.USER, AttributeModel.COMPANY: QueueKind.TEAM}


class AttributeBook:
    """What custom attributes exist, for the contacts' and the companies' fields of the mapping.

    `admins`: the workspace's teammates, for owners; `tags`: its tags.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.admins = AdminBook(services)
        self.tags = TagBook(services)
        self._lock = threading.Lock()
        self._ready = self._read_again = self._asked = False
        self._unread: dict[str, str] = {}
        self._refused: dict[tuple[str, str], str] = {}
        self._last: dict[str, list[DataAttribute]] = {}
        known = self._cached()
        self._remember_failures()
        self._unwritable = {model: self._plan(model, known or []) for model in MODELS}

    def unwritable(self, model: AttributeModel) -> dict[str, str]:
        """Fields that nobody can write just now, with the reason. `model`: contact or company."""
        return self._unwritable[model]

    def failing(self, model: AttributeModel) -> frozenset[str]:
        """Those of them for which a call fails, so that somebody has to ask again."""
        if model in self._unread:
            return frozenset(self._unwritable[model])
        return frozenset(name for of, name in self._refused if of == model)

    def ensure(self, client: Callable[[], IntercomClient]) -> None:
        """Makes what is missing. Costs no call where the cached list has everything."""
        with self._lock:
            if not self._ready:
                self._ensure(client)

    def read_again(self, client: Callable[[], IntercomClient]) -> None:
        """After a refusal that may be about an attribute; once a run."""
        with self._lock:
            if not self._read_again:
                self._read_again = True
                self._forget()
                self._ensure(client)

    def ask_again(self) -> None:
        """Somebody waits for what failed before: it is not believed to fail still; once a run."""
        with self._lock:
            if self._asked or self._ready:
                return
            self._asked = True
            self._unread, self._refused = {}, {}
            self._unwritable = {model: self._plan(model, self._cached() or []) for model in MODELS}

    def forget(self) -> None:
        """Intercom says that an attribute is not as we believe: read the list again."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        for model in MODELS:
            self._services.store.state.forget_attributes(model)
        self._ready = False

    def _ensure(self, client: Callable[[], IntercomClient]) -> None:
        known, is_read = self._cached(), False
        if known is None and not self._unread:
            known, is_read = self._read(client), True
        known = self._all_known() if known is None else known
        if self._missing(known):
            known = known if is_read else self._read(client)
            if self._create(client, known):
                known = self._read(client)
                self._forgive(known)
        self._unwritable = {model: self._plan(model, known) for model in MODELS}
        self._ready = True
        self._write_down()

    def _cached(self) -> list[DataAttribute] | None:
        is_current = True
        for model in MODELS:
            found = self._services.store.state.attributes(model)
            if found is not None:
                self._last[model] = list(found[1])
            old = found is None or self._services.wall() - found[0].timestamp() > CACHED_FOR
            is_current = is_current and not old
        return self._all_known() if is_current else None

    def _all_known(self) -> list[DataAttribute]:
        """Also of a list that is too old, where no newer one can be read."""
        return [item for model in MODELS for item in self._last.get(model, [])]

    def _read(self, client: Callable[[], IntercomClient]) -> list[DataAttribute]:
        for model in MODELS:
            if (failure := _failure_of(lambda m=model: self._read_one(client, m))) is None:  # type: ignore[misc]
                self._unread.pop(model, None)
            else:
                self._unread[model] = f"the workspace's attributes could not be read: {failure}"
        _failure_of(lambda: remember_workspace(self._services.store, client()))
        return self._all_known()

    def _read_one(self, client: Callable[[], IntercomClient], model: AttributeModel) -> None:
        self._last[model] = listed = client().list_attributes(model)
        self._services.store.state.put_attributes(model, listed)

    def _create(self, client: Callable[[], IntercomClient], known: Sequence[DataAttribute]) -> bool:
        missing = self._missing(known)
        for model, name, data_type in missing:
            failure = _failure_of(
                lambda m=model, n=name, t=data_type: client().create_attribute(n, m, t)  # type: ignore[misc]
            )
            if failure is not None:
                self._refused[model, name] = f"Intercom did not make the attribute: {failure}"
        return bool(missing)

    def _forgive(self, known: Sequence[DataAttribute]) -> None:
        """A name that was refused as taken, since another run had just made it, is no refusal."""
        made = {(attribute.model, attribute.name) for attribute in known if not attribute.archived}
        self._refused = {key: why for key, why in self._refused.items() if key not in made}

    def _missing(self, known: Sequence[DataAttribute]) -> list[tuple[str, str, str]]:
        """Of a list that cannot be read nobody knows what it lacks."""
        return [
            (model, field.intercom, field.kind.value)
            for model, fields in self._fields().items()
            if model not in self._unread
            for field in plan_attributes(fields, model, known).missing
            if (model, field.intercom) not in self._refused
        ]

    def _plan(self, model: AttributeModel, known: Sequence[DataAttribute]) -> dict[str, str]:
        refused = {name: why for (of, name), why in self._refused.items() if of == model}
        plan = plan_attributes(self._fields()[model], model, known)
        if (why := self._unread.get(model)) is not None:
            refused |= {item.name: why for item in plan.missing}
        return {**plan.unwritable, **refused}

    def _fields(self) -> dict[AttributeModel, list[Field]]:
        services = self._services
        return {
            AttributeModel.CONTACT: list(services.user_fields.values()),
            AttributeModel.COMPANY: list(services.team_fields.values()),
        }

    # --- what other runs, and `status`, know of it ------------------------------------------------

    def _remember_failures(self) -> None:
        kept = self._services.store.state.get(StateKey.ATTRIBUTES_FAILING)
        if not isinstance(kept, dict) or self._services.now() - _at(kept) > AGAIN_AFTER:
            return
        self._unread = dict(_texts(kept.get("unread")))
        refused = _texts(kept.get("refused"))
        self._refused = {_pair(key): why for key, why in refused.items()}

    def _write_down(self) -> None:
        """And wakes those of whom a field was left out that can be sent by now."""
        store = self._services.store
        if self._unread or self._refused:
            refused = {f"{model}/{name}": why for (model, name), why in self._refused.items()}
            failing: dict[str, Json] = {"unread": dict(self._unread), "refused": refused}
            store.state.put(StateKey.ATTRIBUTES_FAILING, {"at": self._services.now(), **failing})
        else:
            store.state.delete(StateKey.ATTRIBUTES_FAILING)
        before = unwritable_now(store)
        if before == self._unwritable:
            return
        store.state.put(
            StateKey.ATTRIBUTES_UNWRITABLE,
            {model: dict(fields) for model, fields in self._unwritable.items()},
        )
        for model, kind in MODELS.items():
            free = before.get(model, {}).keys() - self._unwritable[model].keys()
            waiting = store.linked.left_out_for(kind, sorted(free)) if free else []
            store.queue.enqueue(kind, waiting, cause=Cause.ATTRIBUTE_WRITABLE)


def unwritable_now(store: Store) -> dict[str, dict[str, str]]:
    """By model: fields that nobody can write, with the reason, as the last run found."""
    kept = store.state.get(StateKey.ATTRIBUTES_UNWRITABLE)
    if not isinstance(kept, dict):
        return {}
    return {model: dict(_texts(kept.get(model))) for model in MODELS}


def _failure_of(call: Callable[[], object]) -> IntercomError | None:
    """Of a call that is about no user. What stops every run is raised, and a lease that ran out."""
    try:
        call()
    except IntercomError as error:
        if stops_everything(error) or isinstance(error, LeaseRanOut):
            raise
        return error
    return None


def _at(kept: dict[str, Json]) -> int:
    at = kept.get("at")
    return at if isinstance(at, int) else 0


def _texts(kept: Json) -> dict[str, str]:
    return {k: str(v) for k, v in kept.items()} if isinstance(kept, dict) else {}


def _pair(key: str) -> tuple[str, str]:
    model, _, name = key.partition("/")
    return model, name
