"""A service that ended is started again: at first soon, then later and later, and it is said."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom_assets.launch.supervisor import LONGEST_DELAY_S, RAN_WELL_S, Supervisor, delay_after
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import Processes

ENDS = (sys.executable, "-c", "import sys; sys.exit('out of luck')")
STAYS = (sys.executable, "-c", "import time; time.sleep(600)")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path / "processes", {}) as started:
        yield started


def end_of(supervisor: Supervisor) -> None:
    [service] = supervisor._services
    service.child.popen.wait(20)


def test_each_end_soon_after_the_start_doubles_the_delay_up_to_a_minute(
    processes: Processes,
) -> None:
    clock, printed = Clock(), list[str]()
    supervisor = Supervisor(
        processes, [(processes.start("daemon", ENDS), ENDS)], printed.append, clock
    )

    for delay in (2, 4, 8, 16, 32, 60, 60):
        end_of(supervisor)
        supervisor.look()
        assert (
            f"The daemon stopped unexpectedly (code 1) and is restarted in {delay} s" in printed[-1]
        )
        assert printed[-1].endswith("ends: out of luck" + " | out of luck" * (delay > 2))
        clock.now += delay - 0.1
        supervisor.look()
        assert len(processes.children) == 1
        assert "restarted in" in printed[-1]
        clock.now += 0.1
        supervisor.look()
        assert printed[-1] == "The daemon is restarted"


def test_whoever_ran_well_is_started_again_soon(processes: Processes) -> None:
    clock, printed = Clock(), list[str]()
    child = processes.start("daemon", STAYS)
    supervisor = Supervisor(processes, [(child, STAYS)], printed.append, clock)
    supervisor._services[0].failures = 9
    clock.now = RAN_WELL_S

    child.popen.kill()
    child.popen.wait(20)
    supervisor.look()

    assert "(signal 9) and is restarted in 1 s" in printed[-1]


def test_one_that_runs_is_left_alone(processes: Processes) -> None:
    printed = list[str]()
    child = processes.start("daemon", STAYS)

    Supervisor(processes, [(child, STAYS)], printed.append).look()

    assert processes.children == (child,)
    assert printed == []


def test_a_log_that_somebody_removed_is_no_hindrance(processes: Processes) -> None:
    printed = list[str]()
    child = processes.start("daemon", ENDS)
    assert wait_until(lambda: not child.runs, 20)
    child.log.unlink()

    Supervisor(processes, [(child, ENDS)], printed.append).look()

    assert printed[-1].endswith("ends: (it is gone)")


def test_the_delay_has_an_end() -> None:
    assert delay_after(10_000) == LONGEST_DELAY_S
