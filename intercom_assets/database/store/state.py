"""What concerns the whole workspace: watermarks, wishes for a sweep, attributes, counters.

Nothing about a single user's values belongs here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Json
from intercom_assets.database.reports import Counted
from intercom_assets.database.store.connection import StorePart, aware, run
from intercom_assets.database.store.encoding import document
from intercom_assets.domain.models import DataAttribute
from intercom_assets.domain.vocabulary import AttributeModel, StateKey

_ATTRIBUTES = {
    AttributeModel.CONTACT: StateKey.CONTACT_ATTRIBUTES,
    AttributeModel.COMPANY: StateKey.COMPANY_ATTRIBUTES,
}


class StateStore(StorePart):
    """Values by key, cached attributes, counters."""

    def get(self, key: StateKey) -> Json:
        """A value kept by `put`; None if never."""
        found = self.get_at(key)
        return None if found is None else found[0]

    def get_at(self, key: StateKey) -> tuple[Json, datetime] | None:
        """The value and when it was put."""
        found = self._pool.rows("get_state", key=key)
        return (found[0][0], found[0][1]) if found else None

    def put(self, key: StateKey, value: Json) -> None:
        self._pool.transact(lambda cursor: put_state(cursor, key, value))

    def delete(self, key: StateKey) -> None:
        self._pool.run("delete_state", key=key)

    def sweep_wanted(self) -> datetime | None:
        """Since when a TRUNCATE (or a restore) asks for a sweep; stays until `sweep_started`."""
        found = self.get_at(StateKey.SWEEP_WANTED)
        return None if found is None else found[1]

    def sweep_started(self, at: datetime) -> None:
        """Takes back wishes of up to `at`, which `sweep_wanted` said; call it before reading."""
        self._pool.run("delete_state_before", key=StateKey.SWEEP_WANTED, at=aware(at))

    def attributes(self, model: AttributeModel) -> tuple[datetime, list[DataAttribute]] | None:
        """The cached attributes of a model and when they were read; None if never."""
        found = self.get_at(_ATTRIBUTES[model])
        if found is None:
            return None
        return found[1], [DataAttribute(*row) for row in self._pool.rows("attributes", model=model)]

    def put_attributes(self, model: AttributeModel, attributes: Sequence[DataAttribute]) -> None:
        """Replaces the cached list, as read now."""

        def work(cursor: Cursor[TupleRow]) -> None:
            put_state(cursor, _ATTRIBUTES[model], len(attributes))
            run(cursor, "clear_attributes", model=model)
            listed = document([asdict(attribute) for attribute in attributes])
            run(cursor, "write_attributes", model=model, attributes=listed)

        self._pool.transact(work)

    def forget_attributes(self, model: AttributeModel) -> None:
        """The next look reads them from Intercom, as after a 400 that names an attribute."""
        self.delete(_ATTRIBUTES[model])

    def count(self, numbers: Mapping[str, int]) -> None:
        """Adds to the present minute's counters."""
        if numbers:
            names = sorted(numbers)
            self._pool.run("count", names=names, numbers=[numbers[name] for name in names])

    def counted(self, since: datetime) -> list[Counted]:
        return [Counted(*row) for row in self._pool.rows("counted", since=aware(since))]

    def counted_in_all(self, names: Collection[str], since: datetime) -> dict[str, int]:
        """name -> what was counted since then, of those that were counted at all."""
        return dict(self._pool.rows("counted_in_all", names=list(names), since=aware(since)))


def put_state(cursor: Cursor[TupleRow], key: StateKey, value: Json) -> None:
    """`StateStore.put` inside the caller's transaction."""
    run(cursor, "put_state", key=key, value=document(value))
