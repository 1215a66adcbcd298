"""Whom Intercom answered, and whom it refused, at each endpoint: whose trouble a failed call is.

A call that fails for one while the same call succeeds for others is that one's trouble; a call that
fails for everybody is nobody's. What a chunk saw is kept in our own tables, so that chunks of one
user can be judged as well: all that counts is what happened since that user's call last failed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from intercom_assets.database.records import Failure, Json
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.intercom.calls import Call


@dataclass(slots=True)
class Answers:
    """Of one chunk. `answered`: endpoint -> who was. `failed`: endpoint -> whose call was not."""

    store: Store
    answered: dict[str, set[str]] = field(default_factory=dict)
    failed: dict[str, set[str]] = field(default_factory=dict)
    everybodys: set[str] = field(default_factory=set)

    def hear(self, key: str, endpoints: Iterable[str], failed: str | None) -> None:
        for endpoint in endpoints:
            self.answered.setdefault(endpoint, set()).add(key)
        if failed is not None:
            self.failed.setdefault(failed, set()).add(key)

    def succeeds_for_others(self, endpoint: str, key: str, last: Failure | None) -> bool:
        """In this chunk, or since the user's last failure there."""
        if self.answered.get(endpoint, set()) - {key}:
            return True
        return last is not None and _latest(self._kept().get(endpoint), key) > last.at

    def is_there_for_others(self, endpoint: str, key: str, last: Failure | None) -> bool:
        """Whether Intercom answers others at all, and refuses this endpoint to this one only."""
        if self.failed.get(endpoint, set()) - {key}:
            return False
        if any(keys - {key} for keys in self.answered.values()):
            return True
        return last is not None and any(_latest(k, key) > last.at for k in self._kept().values())

    def write_down(self, now: float) -> None:
        """And wakes those who wait since a call failed for everybody that succeeds by now."""
        if not self.answered and not self.everybodys:
            return
        kept = dict(self._kept())
        for endpoint, keys in self.answered.items():
            names = sorted(keys)[:2]
            known = [pair for pair in _pairs(kept.get(endpoint)) if pair[0] not in names]
            kept[endpoint] = [[name, now] for name in names] + [[n, at] for n, at in known[:2]]
        waiting = {name for name in _texts(kept.get("")) if name} | self.everybodys
        mended = waiting & self.answered.keys()
        kept[""] = sorted(waiting - mended)
        self.store.state.put(StateKey.ENDPOINT_ANSWERS, kept)
        for endpoint in mended:
            self.store.queue.wake_refused(endpoint)

    def _kept(self) -> dict[str, Json]:
        kept = self.store.state.get(StateKey.ENDPOINT_ANSWERS)
        return dict(kept) if isinstance(kept, dict) else {}


def answered_in(calls: Iterable[Call]) -> set[str]:
    return {
        f"{call.method} {call.path_template}"
        for call in calls
        if call.status is not None and 200 <= call.status < 300
    }


def _latest(kept: Json, but: str) -> float:
    return max((at for name, at in _pairs(kept) if name != but), default=float("-inf"))


def _pairs(kept: Json) -> list[tuple[str, float]]:
    found = []
    for item in kept if isinstance(kept, list) else []:
        match item:
            case [str(name), int() | float() as at]:
                found.append((name, float(at)))
    return found


def _texts(kept: Json) -> list[str]:
    return [str(item) for item in kept] if isinstance(kept, list) else []
