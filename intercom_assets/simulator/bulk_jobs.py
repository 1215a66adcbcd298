"""Bulk jobs: which there are, when their tasks are done, and what is shown of them.

A task's items are done when its time has come, at the next look at the world, as of that time.
What an item does is somebody else's: a task carries its `work`. No contact and no company here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

PENDING, RUNNING = "pending", "running"
COMPLETED, WITH_ERRORS = "completed", "completed_with_errors"


@dataclass(slots=True)
class Task:
    """`work` does the items and answers how many failed. Times are Unix seconds."""

    id: str
    item_count: int
    accepted_at: float
    due_at: float
    work: Callable[[], int]
    failed: int = 0
    done: bool = False

    @property
    def started_at(self) -> float:
        return (self.accepted_at + self.due_at) / 2

    def state(self, now: float) -> str:
        if self.done:
            return WITH_ERRORS if self.failed else COMPLETED
        return RUNNING if now >= self.started_at < self.due_at else PENDING

    def document(self, now: float) -> dict[str, Any]:
        state = self.state(now)
        return {
            "id": self.id,
            "item_count": self.item_count,
            "state": state,
            "created_at": int(self.accepted_at),
            "started_at": None if state == PENDING else int(self.started_at),
            "completed_at": int(self.due_at) if self.done else None,
        }


@dataclass(slots=True)
class BulkJob:
    """`model`: contacts or companies."""

    id: str
    model: str
    created_at: float
    tasks: list[Task] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return all(task.done for task in self.tasks)

    def state(self, now: float) -> str:
        if self.done:
            return WITH_ERRORS if any(task.failed for task in self.tasks) else COMPLETED
        waiting = all(task.state(now) == PENDING for task in self.tasks)
        return PENDING if waiting else RUNNING

    def document(self, now: float, base_url: str) -> dict[str, Any]:
        tasks = [task.document(now) for task in self.tasks]
        times = [task[name] for task in tasks for name in task if name.endswith("_at")]
        return {
            "type": f"{self.model}.bulk.job",
            "id": self.id,
            "state": self.state(now),
            "created_at": int(self.created_at),
            "updated_at": max(at for at in times if at is not None),
            "completed_at": int(max(task.due_at for task in self.tasks)) if self.done else None,
            "tasks": tasks,
            "url": f"{base_url}/{self.model}/bulk/{self.id}",
        }


class BulkJobs:
    """`items`: how many were begun; `not_made`: how many of them came to nothing."""

    def __init__(self) -> None:
        self.jobs: dict[str, BulkJob] = {}
        self.items = 0
        self.not_made = 0
        self._waiting: list[tuple[float, int, Task]] = []
        self._queued = 0

    def add(self, job: BulkJob, task: Task) -> None:
        self.jobs[job.id] = job
        job.tasks.append(task)
        self._queued += 1
        heappush(self._waiting, (task.due_at, self._queued, task))

    def next_due(self, now: float) -> Task | None:
        if not self._waiting or self._waiting[0][0] > now:
            return None
        return heappop(self._waiting)[2]

    def begin_item(self, lose_every: int) -> bool:
        """False if this item is one of those that get lost."""
        self.items += 1
        return not lose_every or self.items % lose_every != 0

    def document(self) -> dict[str, int]:
        return {"jobs": len(self.jobs), "items": self.items, "not_made": self.not_made}
