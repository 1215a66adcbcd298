"""The world with everything in it: PostgreSQL, the simulator, and Dagster's three services.

Belongs here: which processes Dagster needs, as an operator would run them (webserver, daemon and a
code server of its own, each restarted when it ends), and how each of them is struck.
Must not: what happens in a world (`run.py`); workers without Dagster (`worlds.py`).

No schedule runs: a sweep would heal what was lost before it is counted.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from shutil import copy
from threading import Event
from time import monotonic

from intercom_assets.demo.addresses import HOST, free_ports
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.probes import DagsterSide
from intercom_assets.demo.scenario import SENSORS
from intercom_assets.demo.world import DEFINITIONS_WITHOUT_SCHEDULES
from intercom_assets.intercom.http.messages import Timeouts
from intercom_assets.launch.services import (
    COMMAND,
    DAEMON,
    DAGSTER_YAML,
    WEBSERVER,
    WORKSPACE,
    code_server,
)
from intercom_assets.mapping.load import SAMPLE, load_mapping
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import Child, Processes, ProcessFailed
from intercom_assets.supervision.workdir import private_directory
from intercom_assets_tests.tools.chaos.kills import (
    Keeper,
    MortalPostgres,
    Strike,
    kill_database,
    pause,
)
from intercom_assets_tests.tools.chaos.runs import Runs, templates_of
from intercom_assets_tests.tools.chaos.worlds import (
    LISTENER,
    START_SECONDS,
    DemoOptions,
    World,
    a_database,
    a_place,
    a_server,
    an_app,
    environment_of,
    kill_listener,
    listener,
    recorder,
    started,
    with_listener,
    with_recorder,
)

CODE_SERVER, DAEMON_NAME, WEBSERVER_NAME = "code-server", "daemon", "webserver"
FIND_SECONDS = 30.0
"""For a run to turn up, and for one that holds a lease."""
LATE = Timeouts().total + 1.0
"""Seconds after which a late write lands: the client has given it up by then."""
MARGIN = 2.0
"""Seconds beyond its lease for which a run is paused."""


@contextmanager
def dagster_world(wishes: DemoOptions) -> Iterator[World]:
    """All of it up, every sensor ticking; nothing of it is left at the end."""
    with ExitStack() as stack:
        place = a_place(stack)
        server, databases = a_server(place, stack, durable=True)
        addresses = _addresses(databases)
        processes = started(place, _environment(place, addresses), stack)
        keeper = Keeper(processes, _commands(place, addresses, wishes))
        _run_once(processes, "init-db")
        simulator = f"http://{HOST}:{addresses.simulator_port}"
        bystander = with_recorder(keeper, processes, addresses.app, simulator)
        with_listener(keeper, processes, bystander, addresses.listener_port)
        for name in (CODE_SERVER, DAEMON_NAME, WEBSERVER_NAME):
            keeper.start(name)
        _wait_for_sensors(keeper, addresses)
        stack.enter_context(keeper.restarting())
        runs = Runs(addresses.app, addresses.dagster, Random(wishes.seed))
        strikes = _Strikes(keeper, server, runs, Random(wishes.seed)).by_victim()
        yield World(addresses.app, place, bystander, processes, keeper, strikes,
                    runs.succeeded_since)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Addresses:
    app: str
    dagster: str
    simulator_port: int
    webserver_port: int
    code_port: int
    listener_port: int


def _addresses(databases: Databases) -> _Addresses:
    return _Addresses(an_app(databases), a_database(databases, "dagster"), *free_ports(4))


def _environment(place: Path, addresses: _Addresses) -> dict[str, str]:
    home = private_directory(place / "dagster")
    copy(DAGSTER_YAML, home / "dagster.yaml")
    workspace = WORKSPACE.format(port=addresses.code_port)
    (home / "workspace.yaml").write_text(workspace)
    simulator = f"http://{HOST}:{addresses.simulator_port}"
    return {
        **environment_of(place, addresses.app, simulator),
        "DAGSTER_DATABASE_URL": addresses.dagster,
        "DAGSTER_HOME": str(home),
        "DAGSTER_EVENT_BATCH_SIZE": "500",
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
        "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
    }


def _commands(place: Path, addresses: _Addresses, wishes: DemoOptions) -> dict[str, list[str]]:
    workspace = str(place / "dagster" / "workspace.yaml")
    return {
        "recorder": recorder(addresses.simulator_port, wishes, LATE),
        LISTENER: listener(addresses.listener_port),
        CODE_SERVER: code_server(addresses.code_port, DEFINITIONS_WITHOUT_SCHEDULES),
        DAEMON_NAME: [*DAEMON, workspace],
        WEBSERVER_NAME: [*WEBSERVER, str(addresses.webserver_port), "-w", workspace],
    }


def _run_once(processes: Processes, name: str) -> None:
    command = processes.start(name, [*COMMAND, name])
    if not wait_until(lambda: not command.runs, START_SECONDS) or command.popen.returncode:
        raise ProcessFailed(f"`{name}` failed: {command.last_lines()}")


def _wait_for_sensors(keeper: Keeper, addresses: _Addresses) -> None:
    dagster = DagsterSide(addresses.dagster)

    def all_tick() -> bool:
        for name in (CODE_SERVER, DAEMON_NAME, WEBSERVER_NAME):
            _require(keeper.child(name))
        return set(SENSORS) <= dagster.ticking()

    if not wait_until(all_tick, START_SECONDS, every=0.5):
        raise ProcessFailed(
            f"Dagster's sensors did not tick within {START_SECONDS:.0f} s; the daemon's log ends: "
            f"{keeper.child(DAEMON_NAME).last_lines()}"
        )


def _require(child: Child) -> None:
    if not child.runs:
        raise ProcessFailed(f"The {child.name} ended by itself; its log ends: {child.last_lines()}")


class _Strikes:
    """How each target is struck. Runs are found among what the code server has started."""

    def __init__(self, keeper: Keeper, server: MortalPostgres, runs: Runs, random: Random) -> None:
        self._keeper, self._server, self._runs, self._random = keeper, server, runs, random
        self._paused_for = load_mapping(SAMPLE).settings.lease.total_seconds() + MARGIN

    def by_victim(self) -> dict[str, Strike]:
        return {
            "run": self._kill_run,
            "paused run": self._pause_run,
            "template": self._kill_template,
            CODE_SERVER: self._kill_code_server,
            DAEMON_NAME: self._kill_daemon,
            "database": partial(kill_database, self._server),
            LISTENER: partial(kill_listener, self._keeper),
        }

    def _kill_run(self, stop: Event) -> bool:
        """Half of them while they hold leases, the others whenever: also while they start."""
        find = self._random.choice((self._runs.any_of, self._runs.holding))
        pid = find(self._group, FIND_SECONDS, stop)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    def _pause_run(self, stop: Event) -> bool:
        """One that holds a lease, until that has run out; it then wakes to what others did."""
        until = monotonic() + FIND_SECONDS
        while not stop.is_set() and monotonic() < until:
            pid = self._runs.holding(self._group, FIND_SECONDS, stop)
            if pid is None:
                return False
            if pause(pid, self._paused_for, stop, partial(self._runs.holds, pid)):
                return True
        return False

    def _kill_template(self, stop: Event) -> bool:
        """What runs are forked from: while it loads, while it forks, or while its runs work."""
        until = monotonic() + FIND_SECONDS
        while monotonic() < until and not stop.wait(self._random.uniform(0.05, 1.0)):
            for pid in templates_of(self._group):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    return True
        return False

    def _kill_code_server(self, stop: Event) -> bool:
        """With its runs, as systemd ends a service's whole group; or alone, its runs orphaned."""
        self._keeper.kill(CODE_SERVER, alone=self._random.random() < 0.5)
        return True

    def _kill_daemon(self, stop: Event) -> bool:
        self._keeper.kill(DAEMON_NAME)
        return True

    @property
    def _group(self) -> int:
        return self._keeper.child(CODE_SERVER).popen.pid
