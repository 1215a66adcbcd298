"""Keeps services running: a child that ended is restarted, later each time that it ends soon.

Belongs here: when to start again, and saying so. Must not: how a process is started or stopped
(`supervision/processes.py`), what the services are.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from intercom_assets.supervision.processes import Child, Processes

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
RAN_WELL_S = 60.0
"""Whoever ran for as long is restarted at once, however often it has ended before."""
POLL_INTERVAL_S = 0.5


@dataclass(slots=True)
class Service:
    """A child with its command. `failures`: ends in a row that came soon after the start."""

    child: Child
    command: Sequence[str]
    started: float
    failures: int = 0
    start_again_at: float | None = None


def delay_after(failures: int) -> float:
    """Before the next start, when it has ended `failures` times soon after its start."""
    return min(FIRST_DELAY_S * 2.0 ** min(failures, 10), LONGEST_DELAY_S)


class Supervisor:
    """Watches `services`; `say` gets a sentence for each end and each new start."""

    def __init__(
        self,
        processes: Processes,
        services: Iterable[tuple[Child, Sequence[str]]],
        print_line: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._processes, self._print_line, self._clock = processes, print_line, clock
        self._services = [Service(child, command, clock()) for child, command in services]

    def watch(self) -> None:
        """Until it is interrupted."""
        while True:
            self.look()
            time.sleep(POLL_INTERVAL_S)

    def look(self) -> None:
        """Plans a new start of whatever has ended, and starts what is due."""
        now = self._clock()
        for service in self._services:
            if service.start_again_at is not None:
                if now >= service.start_again_at:
                    self._start(service)
            elif not service.child.runs:
                self._plan(service, now)

    def _plan(self, service: Service, now: float) -> None:
        ran_well = now - service.started >= RAN_WELL_S
        service.failures = 0 if ran_well else service.failures + 1
        delay = delay_after(service.failures)
        service.start_again_at = now + delay
        child = service.child
        self._print_line(
            f"The {child.name} stopped unexpectedly ({ending_of(child)}) and is restarted in "
            f"{delay:.0f} s; its log {child.log} ends: {child.last_lines(2)}"
        )

    def _start(self, service: Service) -> None:
        service.child = self._processes.restart(service.child, service.command)
        service.started, service.start_again_at = self._clock(), None
        self._print_line(f"The {service.child.name} is restarted")


def ending_of(child: Child) -> str:
    code = child.popen.returncode
    return f"signal {-code}" if code is not None and code < 0 else f"code {code}"
