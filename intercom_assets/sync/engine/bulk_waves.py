"""The waves in which a batch goes by bulk: read, sent, waited for and passed, all at the same time.

One thread leases chunks, decides and sends; a second waits until jobs are done and the index shows
it, wave after wave; meanwhile whoever calls `next` passes what is ready: the rows that wait for
nothing, and those of waves that are settled, where reading proves what got there. The leases are
held all the while, so nobody else starts on these rows, and a run that dies leaves notes that the
next one clears up. Must not: know users from teams.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Condition
from typing import Protocol, Self, TypeVar

from intercom_assets.database.records import Leased
from intercom_assets.sync.engine.chunk_source import Chunk, ChunkSource
from intercom_assets.sync.passes.users.chunk import Begun

T = TypeVar("T")

ROWS_AT_ONCE, CHUNKS_AT_ONCE = 30_000, 200
"""Rows that are yet to be passed, and chunks whose leases are held, at a time, so that memory does
not grow with the batch. Where most are unchanged, few of many chunks wait."""
KEPT_ROWS = 10_000
"""Of which what was read is kept, five kilobytes each; the rest is read once more."""
WAVE_ROWS = 5_000
"""After which a wave is sent however few of it may go: those who wait hold their leases."""
LOOK_AGAIN_S = 0.5
"""Seconds between two looks at whether the run was stopped, which tells nobody."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows of a chunk that are passed together. `begun`: both sides are read already; `waited`:
    for what was sent by bulk."""

    chunk: Chunk
    rows: Sequence[Leased]
    begun: Begun | None = None
    waited: bool = False

    @property
    def kept(self) -> int:
        return len(self.rows) if self.waited else 0


@dataclass(frozen=True, slots=True)
class Offered:
    """Of a chunk: who waits for nothing, and whose wave is waited for."""

    at_once: Portion | None
    waiting: Portion | None


class Wave(Protocol):
    """Users or teams that are sent together and waited for together."""

    @property
    def is_full(self) -> bool: ...
    def offer(self, chunk: Chunk) -> Offered: ...
    def send(self, stopped: Callable[[], bool]) -> None: ...
    def settle(self, stopped: Callable[[], bool]) -> None:
        """Returns once reading can prove what was sent, or it is not worth waiting for."""

    def give_back(self) -> None:
        """Leases of its own, whatever happened."""


class ByBulk(Protocol):
    """One kind's way. `refusal`: why nothing is sent any more."""

    @property
    def refusal(self) -> str | None: ...
    def begin(self) -> Wave: ...


@dataclass(slots=True)
class _WaveInWork:
    """A wave, and what is passed after it."""

    wave: Wave
    portions: list[Portion] = field(default_factory=list)
    rows: int = 0


class Waves:
    """Portions in the order in which they may be passed; each is `passed` once. Use in a `with`.

    Whatever stops one thread stops all, and is raised by `next`, or at the end: `AppUnavailable`, a
    fatal `IntercomError`, `GuardStopped`. At the end every lease is given back.
    """

    def __init__(self, source: ChunkSource, bulk: ByBulk, stopped: Callable[[], bool]) -> None:
        self._source, self._bulk, self._stopped = source, bulk, stopped
        self._changed = Condition()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="bulk")
        self._sent: deque[_WaveInWork | None] = deque()
        self._ready: deque[Portion | None] = deque()
        self._waves: list[Wave] = []
        self._chunks: set[Chunk] = set()
        self._rows = self._kept = 0
        self._error: BaseException | None = None
        self._closed = False

    def next(self) -> Portion | None:
        """None once nobody is left, or nothing is sent by bulk any more. Waits for what is sent."""
        portion = self._taken(self._ready)
        if portion is None:
            self._end()  # for the others who wait
        if self._error is not None:
            raise self._error
        return None if self._source.is_over else portion

    def passed(self, portion: Portion, held: Collection[str]) -> bool:
        """It is recorded; see `ChunkSource.ended`."""
        is_last = self._source.ended(portion.chunk, held)
        with self._changed:
            self._rows -= len(portion.rows)
            self._kept -= portion.kept
            if is_last:
                self._chunks.remove(portion.chunk)
            self._changed.notify_all()
        return is_last

    def close(self) -> None:
        """Nobody waits any longer, and nothing more is begun."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        self._threads.submit(self._guarded, self._offer_all, partial(self._put, self._sent, [None]))
        self._threads.submit(self._guarded, self._settle_all, self._end)
        return self

    def __exit__(self, raised: object, *_: object) -> None:
        self.close()
        self._threads.shutdown()
        for wave in self._waves:
            wave.give_back()
        for chunk in self._chunks:
            self._source.give_back(chunk)
        if self._error is not None and raised is None:
            raise self._error

    def _guarded(self, work: Callable[[], None], end: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = self._error or error
            self.close()
        end()

    def _end(self) -> None:
        self._put(self._ready, [None])

    # --- the first thread -------------------------------------------------------------------------

    def _offer_all(self) -> None:
        held = self._begin()
        while not self._bulk.refusal and (chunk := self._next_chunk()) is not None:
            self._offer(held, chunk)
            # A wave that is not sent makes no room for the next chunk.
            if held.wave.is_full or held.rows >= WAVE_ROWS or self._is_crowded():
                self._send(held)
                held = self._begin()
        self._send(held)

    def _begin(self) -> _WaveInWork:
        wave = self._bulk.begin()
        self._waves.append(wave)
        return _WaveInWork(wave)

    def _next_chunk(self) -> Chunk | None:
        with self._changed:
            while self._is_crowded() and not self._is_over():
                self._changed.wait(LOOK_AGAIN_S)
        chunk = None if self._is_over() else self._source.next_of_many()
        if chunk is not None:
            with self._changed:
                self._chunks.add(chunk)
                self._rows += len(chunk.lease.rows)
        return chunk

    def _is_crowded(self) -> bool:
        return self._rows >= ROWS_AT_ONCE or len(self._chunks) >= CHUNKS_AT_ONCE

    def _offer(self, held: _WaveInWork, chunk: Chunk) -> None:
        offered = held.wave.offer(chunk) if chunk.lease.rows else Offered(Portion(chunk, ()), None)
        if offered.waiting:
            held.portions.append(offered.waiting)
            held.rows += len(offered.waiting.rows)
            chunk.portions = 2 if offered.at_once else 1
        if offered.at_once:
            self._put(self._ready, [offered.at_once])

    def _send(self, held: _WaveInWork) -> None:
        if not self._is_over():
            held.wave.send(self._is_over)
        kept = sum(portion.kept for portion in held.portions)
        with self._changed:
            if self._kept + kept <= KEPT_ROWS:
                self._kept += kept
            else:
                held.portions = [Portion(each.chunk, each.rows) for each in held.portions]
        self._put(self._sent, [held])

    # --- the second one ---------------------------------------------------------------------------

    def _settle_all(self) -> None:
        while (held := self._taken(self._sent)) is not None:
            held.wave.settle(self._is_over)
            held.wave.give_back()
            self._waves.remove(held.wave)
            self._put(self._ready, held.portions)

    # --- between them -----------------------------------------------------------------------------

    def _put(self, queue: deque[T | None], items: Sequence[T]) -> None:
        with self._changed:
            queue.extend(items)
            self._changed.notify_all()

    def _taken(self, queue: deque[T | None]) -> T | None:
        with self._changed:
            while not queue and not self._closed:
                self._changed.wait()
            return None if self._closed else queue.popleft()

    def _is_over(self) -> bool:
        return self._closed or self._stopped()
