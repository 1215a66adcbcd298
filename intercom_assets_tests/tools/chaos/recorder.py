"""The simulator as a process that remembers everything: every version of a contact, every call.

Belongs here: recording, as plain documents under `GET /_simulator/history?after=N`, and two more
ways to misbehave: `--twins`, and writes that land after whoever sent them has given up (`POST
/_simulator/late`). Must not: judging what was recorded (`verdicts.py`), which reads it over HTTP.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from threading import Timer
from typing import Any

from intercom_assets.simulator.bulk_jobs import BulkJob, BulkJobs, Task
from intercom_assets.simulator.faults import Fault, Faults
from intercom_assets.simulator.records import Contact
from intercom_assets.simulator.server import serve
from intercom_assets.simulator.simulator import CONTROL, Simulator
from intercom_assets.simulator.state import World
from intercom_assets.simulator.wire import Answer, parse_query

HISTORY, LATE = f"{CONTROL}history", f"{CONTROL}late"
PAGE = 5_000
LATE_WRITE = "late_write"
MERGE, CREATE = "/contacts/merge", "/contacts"


class Versions(dict[str, Contact]):
    """The contacts of a world; each that is put in is told to the recorder first."""

    def __init__(self, recorder: "Recorder") -> None:
        self._recorder = recorder

    def __setitem__(self, key: str, contact: Contact) -> None:
        super().__setitem__(key, contact)
        self._recorder.note_version(contact)


class JobsOfCalls(BulkJobs):
    """A job's work is that of the call that began it, whenever it is done."""

    def __init__(self, recorder: "Recorder") -> None:
        super().__init__()
        self._recorder = recorder

    def add(self, job: BulkJob, task: Task) -> None:
        call, work = self._recorder.in_call, task.work

        def work_of_call() -> int:
            with self._recorder.within(call):
                return work()

        task.work = work_of_call
        super().add(job, task)


class NotedFaults(Faults):
    """Remembers the fault that the call in hand has met."""

    met: Fault | None = None
    delay = 0.0

    def meet(self, name: str, address: str) -> tuple[float, Fault | None]:
        self.delay, self.met = super().meet(name, address)
        return self.delay, self.met


class Recorder(Simulator):
    """`twins`: creating does not see who has the same identity, as where two creates cross.

    `late_after`: seconds after which a write lands that comes late.
    """

    def __init__(
        self, *, twins: bool = False, late_after: float = 20.0, seed: int = 7, **settings: Any
    ) -> None:
        super().__init__(seed=seed, **settings)
        self._twins, self._late_after = twins, late_after
        self._to_be_late = self._on_the_way = 0
        self.events: list[dict[str, Any]] = []
        self.faults_by_kind: Counter[str] = Counter()
        self._in_call = 0
        self.noted = NotedFaults(Random(seed))
        self.faults = self._answering.faults = self.noted
        self.world.contacts = Versions(self)
        self.world.bulk = JobsOfCalls(self)

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        with self.lock:
            if path.startswith(HISTORY):
                return self._history(parse_query(path.partition("?")[2]))
            if path == LATE:
                self._to_be_late = int(json.loads(body)["count"])
                return Answer(200, {}, b"{}")
            if path.startswith(CONTROL) or path == "/":
                return super().handle(method, path, headers, body)
            if self._to_be_late and method == "PUT" and path.startswith(f"{CREATE}/"):
                return self._put_off(method, path, headers, body)
            return self._recorded(method, path, headers, body)

    def _put_off(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """It is still on its way when its sender gives up, and then it lands."""
        self._to_be_late -= 1
        self._on_the_way += 1
        self.faults_by_kind[LATE_WRITE] += 1
        timer = Timer(self._late_after, self._land, (method, path, headers, body))
        timer.daemon = True
        timer.start()
        return Answer(504, {}, b"", delay_s=self._late_after, fate="lost")

    def _land(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        with self.lock:
            self._recorded(method, path, headers, body, late=True)
            self._on_the_way -= 1

    def _recorded(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, late: bool = False
    ) -> Answer:
        event = self._event("call", method=method, path=path, late=late)
        self._in_call = event["n"]
        self.noted.met, self.noted.delay = None, 0.0
        try:
            with _Blind(self.world, self._twins and (method, path) == ("POST", CREATE)):
                answer = super().handle(method, path, headers, body)
        finally:
            self._in_call = 0
        last = self.journal.last[-1]
        event |= {"status": answer.status, "fate": answer.fate, "about": last.about}
        event["fault"] = self._kind()
        event["body"] = _small(body) if path == MERGE else None
        return answer

    def _kind(self) -> str:
        """A call may be late and meet another fault besides; both are counted."""
        fault = self.noted.met
        kinds = ["latency"] if self.noted.delay else []
        if fault:
            kinds.append(f"{fault.kind} {fault.when}" if fault.kind == "error" else fault.kind)
        self.faults_by_kind.update(kinds)
        return kinds[-1] if kinds else ""

    @contextmanager
    def within(self, call: int) -> Iterator[None]:
        """What is written meanwhile is this call's doing."""
        before, self._in_call = self._in_call, call
        try:
            yield
        finally:
            self._in_call = before

    @property
    def in_call(self) -> int:
        return self._in_call

    def note_version(self, contact: Contact) -> None:
        companies = (self.world.companies[each].company_id for each in contact.companies)
        self._event(
            "version", call=self._in_call, id=contact.id, role=contact.role,
            state=str(contact.state), external_id=contact.external_id, email=contact.email,
            name=contact.name, phone=contact.phone, last_seen_at=contact.last_seen_at,
            companies=sorted(companies), merged_into=contact.merged_into,
        )  # fmt: skip

    def _event(self, kind: str, **printed: Any) -> dict[str, Any]:
        event = {"n": len(self.events) + 1, "kind": kind, "at": self.world.clock(), **printed}
        self.events.append(event)
        return event

    def _history(self, query: Mapping[str, str]) -> Answer:
        after = int(query.get("after", "0"))
        page = {
            "events": self.events[after : after + PAGE],
            "faults": dict(self.faults_by_kind),
            "last": len(self.events),
            "on_the_way": self._on_the_way,
        }
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(page).encode())


class _Blind:
    """While it is on, nobody holds an identity; afterwards everybody holds what they held."""

    def __init__(self, world: World, on: bool) -> None:
        self._world, self._on = world, on

    def __enter__(self) -> None:
        if self._on:
            world = self._world
            self._held = world.with_external_id, world.with_email
            world.with_external_id, world.with_email = {}, {}

    def __exit__(self, *raised: object) -> None:
        if not self._on:
            return
        world = self._world
        made = world.with_external_id, world.with_email
        world.with_external_id, world.with_email = self._held
        for held, new in zip(self._held, made, strict=True):
            for identity, ids in new.items():
                held[identity] = (*held.get(identity, ()), *ids)


def _small(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--twins", action="store_true")
    parser.add_argument("--late-after", type=float, required=True)
    options = parser.parse_args()
    twins, late_after = options.twins, options.late_after
    serve(Recorder(twins=twins, late_after=late_after, seed=options.seed), options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
