"""The workspace's custom attributes: known for a day, made before they are sent.

One book serves all passes of a run. A 400 about an attribute makes the book stale, so that the
list is read once more; an attribute that cannot be written (archived, or its name taken) is left
out for everybody and shown by `check`, and no user is blamed.
"""

import threading
from collections.abc import Callable, Sequence

from intercom_assets.domain.attributes import plan_attributes
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import DataAttribute
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Rejected
from intercom_assets.sync.services import Services
from intercom_assets.sync.workspace import remember_workspace

CACHED_FOR = 86_400.0
MODELS = ("contact", "company")


class AttributeBook:
    """What custom attributes exist, for the contacts' and the companies' fields of the mapping."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._ready = self._read_again = False
        self._refused: dict[tuple[str, str], str] = {}
        known = self._cached()
        self._barred = {model: self._plan(model, known or []) for model in MODELS}

    def barred(self, model: str) -> dict[str, str]:
        """Fields that nobody can write just now, with the reason. `model`: contact or company."""
        return self._barred[model]

    def ensure(self, client: Callable[[], IntercomClient]) -> None:
        """Makes what is missing. Costs no call where the cached list has everything."""
        with self._lock:
            if self._ready:
                return
            known = self._cached()
            if known is None or self._missing(known):
                known = self._read(client)
                if self._create(client, known):
                    known = self._read(client)
                    self._forgive(known)
            self._barred = {model: self._plan(model, known) for model in MODELS}
            self._ready = True

    def read_again(self, client: Callable[[], IntercomClient]) -> None:
        """After a refusal that may be about an attribute; once a run."""
        with self._lock:
            if self._read_again:
                return
            self._read_again, self._ready = True, False
            for model in MODELS:
                self._services.store.forget_attributes(model)
        self.ensure(client)

    def forget(self) -> None:
        """Intercom says that an attribute is not as we believe: read the list again."""
        with self._lock:
            for model in MODELS:
                self._services.store.forget_attributes(model)
            self._ready = False

    def _cached(self) -> list[DataAttribute] | None:
        known: list[DataAttribute] = []
        for model in MODELS:
            found = self._services.store.attributes(model)
            if found is None or self._services.wall() - found[0].timestamp() > CACHED_FOR:
                return None
            known += found[1]
        return known

    def _read(self, client: Callable[[], IntercomClient]) -> list[DataAttribute]:
        known: list[DataAttribute] = []
        for model in MODELS:
            listed = client().list_attributes(model)
            self._services.store.put_attributes(model, listed)
            known += listed
        remember_workspace(self._services.store, client())
        return known

    def _create(self, client: Callable[[], IntercomClient], known: Sequence[DataAttribute]) -> bool:
        missing = self._missing(known)
        for model, name, data_type in missing:
            try:
                client().create_attribute(name, model, data_type)
            except Rejected as refusal:
                if refusal.fatal:
                    raise
                self._refused[model, name] = f"Intercom refused to make the attribute: {refusal}"
        return bool(missing)

    def _forgive(self, known: Sequence[DataAttribute]) -> None:
        """A name that was refused as taken, since another run had just made it, is no refusal."""
        made = {(attribute.model, attribute.name) for attribute in known if not attribute.archived}
        self._refused = {key: why for key, why in self._refused.items() if key not in made}

    def _missing(self, known: Sequence[DataAttribute]) -> list[tuple[str, str, str]]:
        return [
            (model, field.intercom, field.kind.value)
            for model, fields in self._fields().items()
            for field in plan_attributes(fields, model, known).missing
            if (model, field.intercom) not in self._refused
        ]

    def _plan(self, model: str, known: Sequence[DataAttribute]) -> dict[str, str]:
        refused = {name: why for (of, name), why in self._refused.items() if of == model}
        return {**plan_attributes(self._fields()[model], model, known).barred, **refused}

    def _fields(self) -> dict[str, list[Field]]:
        services = self._services
        return {
            "contact": list(services.user_fields.values()),
            "company": list(services.team_fields.values()),
        }
