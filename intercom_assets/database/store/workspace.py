"""What concerns the whole workspace: attributes, watermarks, counters, and the mass-delete guard.

Nothing about a single user's values belongs here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from intercom_assets.database.records import Counted, HeldGone, Json, QueueKind
from intercom_assets.database.store.connection import Connected, aware, rows, run
from intercom_assets.database.store.encoding import document
from intercom_assets.database.store.queue import enqueue
from intercom_assets.domain.models import DataAttribute

SWEEP_WANTED = "sweep_wanted"


class WorkspaceStore(Connected):
    def attributes(self, model: str) -> tuple[datetime, list[DataAttribute]] | None:
        """The cached attributes of a model and when they were read; None if never."""
        found = self.get_state_at(_attributes_key(model))
        if found is None:
            return None
        return found[1], [DataAttribute(*row) for row in self.rows("attributes", model=model)]

    def put_attributes(self, model: str, attributes: Sequence[DataAttribute]) -> None:
        """Replaces the cached list, as read now."""

        def work(cursor: Cursor[TupleRow]) -> None:
            put_state(cursor, _attributes_key(model), len(attributes))
            run(cursor, "clear_attributes", model=model)
            listed = document([asdict(attribute) for attribute in attributes])
            run(cursor, "write_attributes", model=model, attributes=listed)

        self.transact(work)

    def forget_attributes(self, model: str) -> None:
        """The next look reads them from Intercom, as after a 400 that names an attribute."""
        self.delete_state(_attributes_key(model))

    # --- state ------------------------------------------------------------------------------------

    def get_state(self, key: str) -> Json:
        """A value kept by `put_state`; None if never."""
        found = self.get_state_at(key)
        return None if found is None else found[0]

    def get_state_at(self, key: str) -> tuple[Json, datetime] | None:
        """The value and when it was put."""
        found = self.rows("get_state", key=key)
        return (found[0][0], found[0][1]) if found else None

    def put_state(self, key: str, value: Json) -> None:
        self.transact(lambda cursor: put_state(cursor, key, value))

    def delete_state(self, key: str) -> None:
        self.run("delete_state", key=key)

    def sweep_wanted(self) -> datetime | None:
        """Since when a TRUNCATE (or a restore) asks for a sweep; stays until `sweep_started`."""
        found = self.get_state_at(SWEEP_WANTED)
        return None if found is None else found[1]

    def sweep_started(self, at: datetime) -> None:
        """Takes back wishes of up to `at`, which `sweep_wanted` said; call it before reading."""
        self.run("delete_state_before", key=SWEEP_WANTED, at=aware(at))

    # --- counters ---------------------------------------------------------------------------------

    def count(self, numbers: Mapping[str, int]) -> None:
        """Adds to the present minute's counters."""
        if numbers:
            names = sorted(numbers)
            self.run("count", names=names, numbers=[numbers[name] for name in names])

    def counted(self, since: datetime) -> list[Counted]:
        return [Counted(*row) for row in self.rows("counted", since=aware(since))]

    # --- gone users -------------------------------------------------------------------------------

    def admit_gone(self, kind: QueueKind, keys: Sequence[str], *, most: int) -> frozenset[str]:
        """Those of the gone who may be treated as gone; the others are held for an operator.

        Held are: who was held before, and, if more than `most` were found within a day by all runs
        together, everybody found now for the first time. Who was once released or admitted stays so
        until `forget_gone`, which is for whoever a read returns again.
        """

        def work(cursor: Cursor[TupleRow]) -> frozenset[str]:
            ordered = sorted(set(keys))
            run(cursor, "lock_gone")
            new = [row[0] for row in rows(cursor, "note_gone", kind=kind, keys=ordered)]
            if new and rows(cursor, "count_gone", kind=kind)[0][0] > most:
                run(cursor, "hold_gone", kind=kind, keys=new)
            held = {row[0] for row in rows(cursor, "held_among", kind=kind, keys=ordered)}
            return frozenset(ordered) - held

        return self.transact(work) if keys else frozenset()

    def held_gone(self, kind: QueueKind = QueueKind.USER) -> HeldGone:
        found = self.rows("held_gone", kind=kind)
        return HeldGone([row[0] for row in found], min((row[1] for row in found), default=None))

    def release_gone(self, kind: QueueKind = QueueKind.USER) -> int:
        """The operator's word that they are gone indeed: back to the queue, and not held again."""

        def work(cursor: Cursor[TupleRow]) -> int:
            released = [row[0] for row in rows(cursor, "release_gone", kind=kind)]
            enqueue(cursor, kind, dict.fromkeys(released, 0.0), cause="released")
            return len(released)

        return self.transact(work)

    def found_gone(self, kind: QueueKind, keys: Sequence[str] | None = None) -> frozenset[str]:
        """Who is on the list, held or not: all of the kind, or those among `keys`."""
        named = None if keys is None else list(keys)
        return frozenset(row[0] for row in self.rows("found_gone", kind=kind, keys=named))

    def forget_gone(self, kind: QueueKind, keys: Sequence[str]) -> None:
        """They are back in the app: off the list, and judged anew if they go again."""
        self.run("forget_gone", kind=kind, keys=list(keys))


def put_state(cursor: Cursor[TupleRow], key: str, value: Json) -> None:
    """`Store.put_state` inside the caller's transaction."""
    run(cursor, "put_state", key=key, value=document(value))


def _attributes_key(model: str) -> str:
    return f"attributes of {model}"
