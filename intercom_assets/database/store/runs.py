"""Runs: whom each of them had in hand, and which of them live.

A run's heartbeat is renewed by a timer while the run lives: one that ran out is dead, however
Dagster sees it. Leases are the queue's (`queue`).
"""

from intercom_assets.database.reports import HeartbeatRow
from intercom_assets.database.store.connection import StorePart
from intercom_assets.domain.vocabulary import QueueKind


class RunStore(StorePart):
    """Members and heartbeats of runs."""

    def members(self, run_id: str) -> dict[QueueKind, list[str]]:
        """Whom a run leased, in order of key: what a re-executed run handles again."""
        members: dict[QueueKind, list[str]] = {}
        for kind, key in self._pool.rows("run_members", run_id=run_id):
            members.setdefault(QueueKind(kind), []).append(key)
        return members

    def heartbeat(self, run_id: str, kind: str, seconds: float) -> None:
        """Says that the run lives, until `seconds` from now."""
        self._pool.run("heartbeat", run_id=run_id, kind=kind, seconds=seconds)

    def end_heartbeat(self, run_id: str) -> None:
        self._pool.run("end_heartbeat", run_id=run_id)

    def heartbeats(self) -> list[HeartbeatRow]:
        return [HeartbeatRow(*row) for row in self._pool.rows("heartbeats")]
