"""How the sync is doing, in figures: what `status` shows, and what of it deserves attention.

Reads our own tables, and of the app only whether its triggers are in place and its log is emptied;
an app that cannot be read is told as such, since the rest is known all the same. Calls nobody.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from intercom_assets.database.capture.state import capture_state
from intercom_assets.database.failures import AppUnavailable
from intercom_assets.database.records import Json
from intercom_assets.database.reports import (
    Counted,
    Depth,
    FailingRow,
    HeldGone,
    LeftOutCount,
    ParkedRow,
)
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import Action, InboundCount, QueueKind, StateKey
from intercom_assets.intercom.windows import WINDOW
from intercom_assets.mapping.load import AppMapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.attributes import unwritable_now
from intercom_assets.sync.context.usage import BEYOND, CALLS, LAG, RATE_LIMITED
from intercom_assets.sync.engine.last_stop import Stop, stops

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARKED_LISTED = 20
"""Parked users and teams that are listed; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Capture:
    """`healthy`: None where it cannot be told. `waiting`: rows of the app's log not yet queued."""

    mode: str | None
    healthy: bool | None
    sentence: str
    waiting: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LastScan:
    """When the last sweep or audit ended, and what it counted."""

    at: datetime
    age: float
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Use:
    """Calls of the last hour. Shares are of Intercom's limit, None until it told one."""

    calls: int = 0
    busiest_minute: int = 0
    rate_limited: int = 0
    limit_a_minute: int | None = None

    @property
    def share(self) -> float | None:
        return self.calls / (60 * self.limit_a_minute) if self.limit_a_minute else None

    @property
    def busiest_share(self) -> float | None:
        return self.busiest_minute / self.limit_a_minute if self.limit_a_minute else None


@dataclass(frozen=True, slots=True)
class Lag:
    """From a change to both sides in step, over the last hour. Bounds in seconds.

    `half`, `most` (95 %), `all_of_them`: None without changes, infinite beyond the longest bound.
    """

    changes: int = 0
    half: float | None = None
    most: float | None = None
    all_of_them: float | None = None


@dataclass(frozen=True, slots=True)
class WebhookFigures:
    """What Intercom sent in the last day. `last_at`: of the last one that was about somebody."""

    last_at: datetime | None = None
    counts: Mapping[InboundCount, int] = field(default_factory=dict)

    def __getitem__(self, name: InboundCount) -> int:
        return self.counts.get(name, 0)

    @property
    def are_used(self) -> bool:
        return self.last_at is not None or any(self.counts.values())


@dataclass(frozen=True, slots=True)
class Overview:
    """`overruled`: edits in Intercom that lost, in the last day. `off`: why nothing is synced.

    `unwritable`: by model, fields whose attribute nobody can write (archived, of another type), as
    the last run found that needed them; the list is read once a day, and after a refusal.
    """

    off: str | None
    stopped: Sequence[Stop]
    queue: Mapping[QueueKind, Depth]
    parked: Sequence[ParkedRow]
    held: Mapping[QueueKind, HeldGone]
    overruled: int
    swept: LastScan | None
    audited: LastScan | None
    use: Use
    lag: Lag
    capture: Capture
    runs: int
    left_out: Sequence[LeftOutCount] = ()
    failing: Sequence[FailingRow] = ()
    unwritable: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    webhooks: WebhookFigures = field(default_factory=WebhookFigures)

    @property
    def parked_count(self) -> int:
        return sum(depth.parked for depth in self.queue.values())

    @property
    def left_out_count(self) -> int:
        return sum(item.count for item in self.left_out)

    @property
    def held_count(self) -> int:
        return sum(len(held.keys) for held in self.held.values())

    @property
    def oldest_seconds(self) -> float:
        """The longest wait, in the app's log or in the queue."""
        waits = [depth.oldest_seconds for depth in self.queue.values()]
        return max([*waits, self.capture.oldest_seconds])


@dataclass(frozen=True, slots=True)
class Alarm:
    """A figure above the limit that a healthy sync keeps; `unit` is for people."""

    name: str
    value: float
    limit: float
    sentence: str


FIGURES: dict[str, tuple[Callable[[Overview], float], str]] = {
    "off": (lambda o: float(o.off is not None), "the sync is switched off"),
    "stopped": (lambda o: len(o.stopped), "the last run was stopped"),
    "waiting": (
        lambda o: o.oldest_seconds,
        "seconds that the oldest change has waited",
    ),
    "parked": (lambda o: o.parked_count, "parked users and teams"),
    "leftout": (lambda o: o.left_out_count, "fields are left out of users and teams"),
    "held": (lambda o: o.held_count, "users and teams held as gone"),
    "capture": (lambda o: float(o.capture.healthy is not True), "capture is not as it should"),
    "lag": (lambda o: o.lag.most or 0.0, "seconds within which 95 % of the changes are done"),
    "overruled": (lambda o: o.overruled, "edits in Intercom were overruled in a day"),
    "sweep": (lambda o: _age(o.swept), "seconds since the last sweep"),
    "audit": (lambda o: _age(o.audited), "seconds since the last audit"),
    "duplicates": (
        lambda o: _count(o.audited, "duplicates"),
        "external ids with more than one contact",
    ),
    "webhooks": (
        lambda o: o.webhooks[InboundCount.MISSED],
        "edits in Intercom of which no webhook told, in a day (docs/webhooks.md)",
    ),
}
"""What may be watched: name -> figure, what it counts. The limits are `domain/alarms.py`'s."""


def overview(store: Store, look_at_capture: Callable[[], Capture], off: str | None) -> Overview:
    """Raises `StoreUnavailable` and `StoreNotReady`."""
    now = datetime.now(UTC)
    counted = store.state.counted(now - HOUR)
    return Overview(
        off=off,
        stopped=stops(store),
        queue=store.queue.depth(),
        parked=store.queue.parked(limit=PARKED_LISTED),
        held={kind: store.gone.held(kind) for kind in QueueKind},
        overruled=store.journal.count(now - DAY).get(Action.OVERRULED, 0),
        swept=_looked(store, StateKey.LAST_SWEEP, now),
        audited=_looked(store, StateKey.LAST_AUDIT, now),
        use=use_of(counted, store.state.get(StateKey.RATE_LIMIT)),
        lag=lag_of(counted),
        capture=look_at_capture(),
        runs=sum(beat.alive for beat in store.runs.heartbeats()),
        left_out=store.linked.left_out(),
        failing=store.queue.failing(limit=PARKED_LISTED),
        unwritable=unwritable_now(store),
        webhooks=_webhooks(store, now),
    )


def _webhooks(store: Store, now: datetime) -> WebhookFigures:
    seen = store.state.get_at(StateKey.WEBHOOK_SEEN)
    counted = store.state.counted_in_all(list(InboundCount), now - DAY)
    counts = {InboundCount(name): number for name, number in counted.items()}
    return WebhookFigures(None if seen is None else seen[1], counts)


def alarms(seen: Overview, limits: Mapping[str, float]) -> list[Alarm]:
    """The figures of `limits` that are above them."""
    found = [(name, FIGURES[name][0](seen), limit) for name, limit in limits.items()]
    return [
        Alarm(name, value, limit, FIGURES[name][1]) for name, value, limit in found if value > limit
    ]


def look_at_capture(url: str, mapping: Callable[[], AppMapping]) -> Capture:
    """Also where the app or its mapping cannot be read."""
    try:
        read = mapping()
        if read.settings.capture == "polling":
            return Capture("polling", True, "This mapping polls; it has no triggers.")
        state = capture_state(url, read)
    except (AppUnavailable, MappingError) as error:
        return Capture(None, None, f"Unknown: {error}")
    age = (datetime.now(UTC) - state.oldest_at).total_seconds() if state.oldest_at else 0.0
    waiting = (state.waiting, max(0.0, age))
    if state.complete:
        return Capture("triggers", True, "All triggers are in place.", *waiting)
    if state.writing_fails:
        text = "Changes were not logged, or are not: see intercom-assets check."
        return Capture("triggers", False, text, *waiting)
    wrong = {"missing": state.missing, "disabled": state.disabled, "stale": state.stale}
    problems = "; ".join(f"{what}: {', '.join(names)}" for what, names in wrong.items() if names)
    found = problems or "the log is missing"
    return Capture("triggers", False, f"{found}. Run intercom-assets install-capture.", *waiting)


def use_of(counted: Sequence[Counted], limit: Json) -> Use:
    calls: Counter[datetime] = Counter()
    limited = 0
    for item in counted:
        calls[item.minute] += item.value if item.name == CALLS else 0
        limited += item.value if item.name == RATE_LIMITED else 0
    a_minute = round(limit * 60 / WINDOW) if isinstance(limit, int) else None
    return Use(calls.total(), max(calls.values(), default=0), limited, a_minute)


def lag_of(counted: Sequence[Counted]) -> Lag:
    found: Counter[float] = Counter()
    for item in counted:
        if item.name.startswith(LAG):
            bound = item.name.removeprefix(LAG)
            found[float("inf") if bound == BEYOND else float(bound)] += item.value
    if not found:
        return Lag()
    return Lag(found.total(), _within(found, 0.5), _within(found, 0.95), max(found))


def _within(found: Mapping[float, int], part: float) -> float:
    """The least bound within which this part of all was done."""
    wanted, done = part * sum(found.values()), 0
    for bound in sorted(found):
        done += found[bound]
        if done >= wanted:
            return bound
    return float("inf")


def _looked(store: Store, state: StateKey, now: datetime) -> LastScan | None:
    found = store.state.get_at(state)
    if found is None or not isinstance(found[0], dict):
        return None
    counts = {k: v for k, v in found[0].items() if k != "at" and isinstance(v, int)}
    return LastScan(found[1], (now - found[1]).total_seconds(), counts)


def _age(looked: LastScan | None) -> float:
    return looked.age if looked else 0.0


def _count(looked: LastScan | None, name: str) -> int:
    return looked.counts.get(name, 0) if looked else 0
