"""Threads that carry notifications over HTTP, so that answering the API never waits for it.

Everything about *what* to send is decided in `deliveries`, under the simulator's lock; the lock is
never held during a request. Several at once, so that a slow listener gets them out of order, as
Intercom's may.
"""

from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Condition, RLock, Thread
from time import perf_counter

from intercom_assets.simulator.deliveries import Deliveries
from intercom_assets.simulator.envelope import Job

THREADS = 4
LONGEST_ANSWER = 65_536
LOOK_EVERY_S = 0.05
"""A clock that a test moves tells nobody, so what waits for its time is looked at again."""


class Sender:
    """`deliveries`: the present ones, or None; asked for under `lock`."""

    def __init__(self, lock: RLock, deliveries: Callable[[], Deliveries | None]) -> None:
        self._changed = Condition(lock)
        self._deliveries = deliveries
        self._threads: list[Thread] = []
        self._stopped = False

    def start(self) -> None:
        """At the first subscription. The caller holds the lock."""
        if not self._threads:
            self._stopped = False
            for number in range(THREADS):
                thread = Thread(target=self._work, name=f"webhooks-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def wake(self) -> None:
        """Something may be due. The caller holds the lock."""
        self._changed.notify()

    def stop(self) -> None:
        """Returns once no request is under way. The caller must not hold the lock."""
        with self._changed:
            self._stopped = True
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        line = Line()
        while (taken := self._take()) is not None:
            deliveries, job = taken
            started = perf_counter()
            status = line.carry(job)
            milliseconds = (perf_counter() - started) * 1000
            with self._changed:
                if job.delivery is None:
                    deliveries.checked(status)
                else:
                    deliveries.answered(job.delivery, status, milliseconds)
                self._changed.notify_all()
        line.close()

    def _take(self) -> tuple[Deliveries, Job] | None:
        """Waits until something is due; None once stopped."""
        with self._changed:
            while not self._stopped:
                deliveries = self._deliveries()
                job = deliveries.next_job() if deliveries is not None else None
                if deliveries is not None and job is not None:
                    return deliveries, job
                busy = deliveries is not None and deliveries.waiting
                self._changed.wait(LOOK_EVERY_S if busy else None)
        return None


class Line:
    """One kept-alive connection; a request on it that fails at once is made on a new one."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None
        self._to: tuple[str, float] = ("", 0)

    def carry(self, job: Job) -> int:
        """The status, or 0 if there was none."""
        kept = self._connection is not None and self._to == _whereto(job)
        try:
            return self._ask(job)
        except ConnectionError:
            self.close()
            return self.carry(job) if kept else 0
        except (OSError, HTTPException):
            self.close()
            return 0

    def _ask(self, job: Job) -> int:
        address = job.subscription.address
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        method = "POST" if job.delivery is not None else "HEAD"
        connection = self._connected(_whereto(job))
        connection.request(method, path, job.body or None, job.headers)
        response = connection.getresponse()
        response.read(LONGEST_ANSWER)
        if not response.isclosed():
            self.close()
        return response.status

    def _connected(self, to: tuple[str, float]) -> HTTPConnection:
        if self._connection is None or self._to != to:
            self.close()
            self._connection, self._to = HTTPConnection(to[0], timeout=to[1]), to
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


def _whereto(job: Job) -> tuple[str, float]:
    return job.subscription.address.netloc, job.subscription.timeout_s
