"""The delayed index behind search and lists: whole old versions, until the delay has passed.

`push` takes every committed version; what is older than the delay becomes visible at the next
look. Only live records are in it. It keeps the orders that paging and search need, so that no
call sorts a whole workspace. No query language here: see `query` and `listing`.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeAlias, TypeVar

from intercom_assets.simulator.records import Company, Contact

R = TypeVar("R", bound=Contact | Company)
Key: TypeAlias = tuple[str, str]


class Seconds:
    """Record ids by Unix second; the seconds in order. Moving a record costs no search."""

    __slots__ = ("_ids", "_seconds")

    def __init__(self) -> None:
        self._ids: dict[int, dict[str, None]] = {}
        self._seconds: list[int] = []

    def add(self, second: int, record_id: str) -> None:
        ids = self._ids.get(second)
        if ids is None:
            ids = self._ids[second] = {}
            insort(self._seconds, second)
        ids[record_id] = None

    def remove(self, second: int, record_id: str) -> None:
        ids = self._ids[second]
        del ids[record_id]
        if not ids:
            del self._ids[second]
            del self._seconds[bisect_left(self._seconds, second)]

    def between(self, low: int, high: int) -> Iterator[str]:
        """Ids with low <= second < high, ordered by second, then by id."""
        start, end = bisect_left(self._seconds, low), bisect_left(self._seconds, high)
        for second in self._seconds[start:end]:
            yield from sorted(self._ids[second])


def contact_keys(contact: Contact) -> Iterator[Key]:
    """What a search can look up without reading everybody."""
    if contact.email:
        yield "email", contact.email.lower()
    if contact.external_id:
        yield "external_id", contact.external_id


def no_keys(record: Contact | Company) -> Iterator[Key]:
    return iter(())


class Index(Generic[R]):
    """Call `catch_up(now - delay)` before each look."""

    def __init__(self, keys: Callable[[R], Iterator[Key]]) -> None:
        self.versions: dict[str, R] = {}
        self.by_update = Seconds()
        self.by_key: dict[Key, tuple[str, ...]] = {}
        self._keys: Callable[[R], Iterator[Key]] = keys
        self._by_creation: list[tuple[int, str]] = []
        self._waiting: list[tuple[float, int, R, bool]] = []
        self._pushed = count()
        self._newest: dict[str, float] = {}

    def push(self, at: float, version: R, visible: bool) -> None:
        """Of one record no version may overtake a newer one, whatever `at` says."""
        at = self._newest[version.id] = max(at, self._newest.get(version.id, at))
        heappush(self._waiting, (at, next(self._pushed), version, visible))

    def take(self, at: float, until: float, version: R, visible: bool) -> None:
        """`push` and `catch_up`, which cost nothing where nothing waits and there is no delay."""
        if at <= until and not self._waiting:
            self.put(version, visible)
            return
        self.push(at, version, visible)
        self.catch_up(until)

    def catch_up(self, until: float) -> None:
        while self._waiting and self._waiting[0][0] <= until:
            at, _, version, visible = heappop(self._waiting)
            if self._newest.get(version.id) == at:
                del self._newest[version.id]
            self.put(version, visible)

    def put(self, version: R, visible: bool = True) -> None:
        old = self.versions.get(version.id)
        if not visible:
            if old is not None:
                self._take_out(old)
        elif old is None:
            self._put_in(version)
        else:
            self._exchange(old, version)

    def _put_in(self, new: R) -> None:
        self.versions[new.id] = new
        self.by_update.add(new.updated_at, new.id)
        self._note_creation((new.seq, new.id))
        for key in self._keys(new):
            self._add_key(key, new.id)

    def _note_creation(self, pair: tuple[int, str]) -> None:
        if not self._by_creation or self._by_creation[-1] < pair:
            self._by_creation.append(pair)
        else:
            insort(self._by_creation, pair)

    def _take_out(self, old: R) -> None:
        del self.versions[old.id]
        self.by_update.remove(old.updated_at, old.id)
        del self._by_creation[bisect_left(self._by_creation, (old.seq, old.id))]
        for key in self._keys(old):
            self._drop_key(key, old.id)

    def _exchange(self, old: R, new: R) -> None:
        self.versions[new.id] = new
        if old.updated_at != new.updated_at:
            self.by_update.remove(old.updated_at, old.id)
            self.by_update.add(new.updated_at, new.id)
        if self._keys is no_keys or new is old:
            return
        before, after = list(self._keys(old)), list(self._keys(new))
        if before != after:
            for key in before:
                self._drop_key(key, old.id)
            for key in after:
                self._add_key(key, new.id)

    def _add_key(self, key: Key, record_id: str) -> None:
        self.by_key[key] = (*self.by_key.get(key, ()), record_id)

    def _drop_key(self, key: Key, record_id: str) -> None:
        left = tuple(i for i in self.by_key[key] if i != record_id)
        if left:
            self.by_key[key] = left
        else:
            del self.by_key[key]

    def oldest_first(self, after: int | None) -> Iterator[R]:
        """By creation, from the record created just after sequence number `after`."""
        order = self._by_creation
        place = 0 if after is None else bisect_left(order, (after + 1, ""))
        for spot in range(place, len(order)):
            yield self.versions[order[spot][1]]
