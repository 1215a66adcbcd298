"""The delayed index behind search and lists: whole old versions, until the delay has passed.

`push` takes every committed version; what is older than the delay becomes visible at the next
look. Only live records are in it. It keeps the orders that paging and search need, so that no
call sorts a whole workspace. No query language here: see `query` and `listing`.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeAlias, TypeVar

from intercom_assets.simulator.records import Company, Contact

R = TypeVar("R", Contact, Company)
Key: TypeAlias = tuple[str, str]


class Ordered:
    """Sorted (key, id) pairs, cheap to keep in step: most arrivals belong at the end."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[int, str]] = []

    def add(self, key: int, record_id: str) -> None:
        pair = (key, record_id)
        if not self.pairs or self.pairs[-1] < pair:
            self.pairs.append(pair)
        else:
            insort(self.pairs, pair)

    def remove(self, key: int, record_id: str) -> None:
        place = bisect_left(self.pairs, (key, record_id))
        if place < len(self.pairs) and self.pairs[place] == (key, record_id):
            del self.pairs[place]

    def between(self, low: int | None, high: int | None) -> list[tuple[int, str]]:
        """Pairs with low <= key < high."""
        start = 0 if low is None else bisect_left(self.pairs, (low, ""))
        end = len(self.pairs) if high is None else bisect_left(self.pairs, (high, ""))
        return self.pairs[start:end]


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
        self.by_creation = Ordered()
        self.by_update = Ordered()
        self.by_key: dict[Key, tuple[str, ...]] = {}
        self._keys: Callable[[R], Iterator[Key]] = keys
        self._waiting: deque[tuple[float, R, bool]] = deque()

    def push(self, at: float, version: R, visible: bool) -> None:
        self._waiting.append((at, version, visible))

    def catch_up(self, until: float) -> None:
        while self._waiting and self._waiting[0][0] <= until:
            _, version, visible = self._waiting.popleft()
            self.put(version, visible)

    def put(self, version: R, visible: bool = True) -> None:
        old = self.versions.get(version.id)
        if old is not None and visible and old.updated_at == version.updated_at:
            self.versions[version.id] = version
            self._rekey(old, version)
            return
        if old is not None:
            self._take_out(old)
        if visible:
            self._put_in(version)

    def _take_out(self, old: R) -> None:
        del self.versions[old.id]
        self.by_creation.remove(old.seq, old.id)
        self.by_update.remove(old.updated_at, old.id)
        for key in self._keys(old):
            self._drop_key(key, old.id)

    def _put_in(self, new: R) -> None:
        self.versions[new.id] = new
        self.by_creation.add(new.seq, new.id)
        self.by_update.add(new.updated_at, new.id)
        for key in self._keys(new):
            self.by_key[key] = (*self.by_key.get(key, ()), new.id)

    def _rekey(self, old: R, new: R) -> None:
        before: set[Key] = set(self._keys(old))
        after: set[Key] = set(self._keys(new))
        for key in before - after:
            self._drop_key(key, old.id)
        for key in after - before:
            self.by_key[key] = (*self.by_key.get(key, ()), new.id)

    def _drop_key(self, key: Key, record_id: str) -> None:
        left = tuple(i for i in self.by_key[key] if i != record_id)
        if left:
            self.by_key[key] = left
        else:
            del self.by_key[key]

    def newest_first(self, before: int | None) -> Iterator[R]:
        """By creation, from the record created just before sequence number `before`."""
        pairs = self.by_creation.pairs
        place = len(pairs) if before is None else bisect_left(pairs, (before, ""))
        for spot in range(place - 1, -1, -1):
            yield self.versions[pairs[spot][1]]
