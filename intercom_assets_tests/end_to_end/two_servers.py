"""A world on two database servers, of processes that can be killed and started again one by one.

Belongs here: the app and Dagster on one server, the sync's own tables on the other; the daemon; the
code server, a process apart that reloads on request; who of them is killed. Leases and heartbeats
are as short as the settings allow. The simulator is ours to ask: it runs in this process.
Must not: what becomes of a kill (`aftermath.py`).
"""

import os
import re
import secrets
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from dagster._grpc.client import DagsterGrpcClient

from intercom_assets.demo.addresses import HOST, free_ports
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.probes import AppSide, DagsterSide, IntercomSide, Sides
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.demo.scenario import SENSORS
from intercom_assets.demo.world import DEFINITIONS_WITHOUT_SCHEDULES, TOKEN
from intercom_assets.launch.services import COMMAND, DAEMON, WORKSPACE
from intercom_assets.mapping.load import SAMPLE, SYNC_YAML
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets.supervision.process_groups import group_is_empty, wait_until
from intercom_assets.supervision.processes import Child, Processes, clean_environment
from intercom_assets.supervision.reaper import Guard
from intercom_assets_tests.places import roomy_place

START_SECONDS = 180
"""For a machine that is busy with other things."""
SHORT = """
sensor_wait_seconds: 5
lease: 25s
heartbeat: 500ms
chunk_size: 20
threads: 4
"""
CODE_SERVER = (sys.executable, "-m", "dagster", "code-server", "start")
INIT, INSTALL = "init-db", "install-capture"


class Recorded(Simulator):
    """Remembers every write that it carried out; the original keeps the last hundred calls."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.landed: list[tuple[str, str]] = []

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        answer = super().handle(method, path, headers, body)
        reads = method == "GET" or path.startswith("/_simulator") or path.endswith("/search")
        if not reads and answer.status < 300:
            with self.lock:
                self.landed.append((method, path.partition("?")[0]))
        return answer

    def puts(self) -> Counter[str]:
        """Contact -> how often it was changed by a `PUT`."""
        with self.lock:
            return Counter(
                path.rpartition("/")[2] for method, path in self.landed if method == "PUT"
            )


class AppAlone(AppSide):
    """The app's side where the queue is in a database of another server."""

    def __init__(self, url: str, sync_url: str) -> None:
        super().__init__(url)
        self._sync = AppSide(sync_url)

    def queued(self) -> int:
        return self._sync.queued()


@dataclass(frozen=True)
class Run:
    """A run as Dagster wrote it down. `began`, `ended`: Unix seconds, 0 if it did not."""

    id: str
    job: str
    status: str
    began: float
    ended: float


@dataclass
class World:
    place: Path
    app_url: str
    sync_url: str
    dagster_url: str
    intercom: Recorded
    sides: Sides
    processes: Processes
    port: int
    children: dict[str, Child] = field(default_factory=dict)

    # --- processes --------------------------------------------------------------------------------

    def start_daemon(self) -> None:
        workspace = str(self.place / "dagster" / "workspace.yaml")
        self.children["daemon"] = self.processes.start("daemon", [*DAEMON, workspace])

    def start_code_server(self) -> None:
        where = ("-h", HOST, "-p", str(self.port), "--location-name", "intercom_assets")
        self.children["code"] = self.processes.start(
            "code-server", [*CODE_SERVER, "-m", DEFINITIONS_WITHOUT_SCHEDULES, *where]
        )

    def kill(self, name: str) -> None:
        """SIGKILL to it and to all that it started, as when its container or machine is gone."""
        child = self.children.pop(name)
        os.killpg(child.popen.pid, signal.SIGKILL)
        assert wait_until(lambda: group_is_empty(child.popen.pid), 20)
        self.processes.stop(child)

    def log_of(self, name: str) -> str:
        return self.children[name].log.read_text(errors="replace")

    def end(self) -> None:
        """No grace, which would take longer than a test: nothing of theirs is kept."""
        for name in list(self.children):
            self.kill(name)

    def reload_code(self) -> None:
        """What the button beside a code location does; returns once the new code is served."""
        DagsterGrpcClient(host=HOST, port=self.port).reload_code(timeout=START_SECONDS)

    def wait_for_ticks(self) -> None:
        """Until every sensor has ended a tick that begins after now."""
        now = time.time()
        assert wait_until(
            lambda: set(self.sides.dagster.ticks_since(now)) >= set(SENSORS), START_SECONDS
        ), self.children["daemon"].last_lines()

    def process_of(self, run_id: str) -> int:
        """The process of a run and of nothing else, as its code server wrote it down."""
        [(printed,)] = _rows(
            self.dagster_url,
            "select event::json #>> '{dagster_event,message}' from event_logs"
            " where run_id = %s and event like '%%Started process for run%%'",
            run_id,
        )
        found = re.search(r"pid: (\d+)", printed)
        assert found, printed
        return int(found[1])

    # --- what is written down ---------------------------------------------------------------------

    def runs(self, job: str | None = None) -> list[Run]:
        """Oldest first."""
        found = _rows(
            self.dagster_url,
            "select run_id, pipeline_name, status, coalesce(start_time, 0), coalesce(end_time, 0)"
            " from runs order by id",
        )
        return [run for run in (Run(*row) for row in found) if job in (None, run.job)]

    def run(self, run_id: str) -> Run:
        return next(run for run in self.runs() if run.id == run_id)

    def why_failed(self, run_id: str) -> str:
        """All that was said: Dagster itself may notice the death of a process a moment later."""
        printed = _rows(
            self.dagster_url,
            "select event::json #>> '{dagster_event,message}' from event_logs"
            " where run_id = %s and dagster_event_type = 'PIPELINE_FAILURE' order by id",
            run_id,
        )
        return "\n".join(str(why) for (why,) in printed)

    def members(self, run_id: str) -> set[str]:
        """The users whom a run leased."""
        found = _rows(
            self.sync_url,
            "select distinct unnest(keys) from intercom_sync.run_member"
            " where run_id = %s and kind = 'user'",
            run_id,
        )
        return {key for (key,) in found}


@contextmanager
def two_servers(databases: Databases) -> Iterator[World]:
    """The app is watched and empty, and so is the workspace; every sensor has ticked."""
    with ExitStack() as stack:
        place = roomy_place() / f"intercom-assets-tests-{secrets.token_hex(4)}"
        place.mkdir(mode=0o711)
        guard = stack.enter_context(Guard(clean_environment({})))  # for a session that is killed
        guard.watch_place(place)
        stack.callback(shutil.rmtree, place)
        guard.watch_server(place / "postgres")
        server = EmbeddedPostgres(place / "postgres", durable=False)
        stack.enter_context(server)
        name = f"{databases.prefix}{secrets.token_hex(4)}"
        app_url, dagster_url = (databases.create(f"{name}_{use}") for use in ("app", "dagster"))
        sync_url = stack.enter_context(Databases(server.url())).create("intercom_assets_demo_sync")
        create_sample_app(app_url)
        simulator = Recorded(token=TOKEN)
        intercom = stack.enter_context(serving(simulator))
        [port] = free_ports(1)
        _write_files(place, port)
        environment = {
            "APP_DATABASE_URL": app_url,
            "SYNC_DATABASE_URL": sync_url,
            "DAGSTER_DATABASE_URL": dagster_url,
            "DAGSTER_HOME": str(place / "dagster"),
            "DAGSTER_EVENT_BATCH_SIZE": "500",
            "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
            "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1",
            "INTERCOM_ACCESS_TOKEN": TOKEN,
            "INTERCOM_BASE_URL": intercom,
            "INTERCOM_SYNC_CONFIG": str(place / "mapping"),
            "INTERCOM_SYNC_ENABLED": "true",
        }
        processes = stack.enter_context(Processes(place / "processes", environment, guard=guard))
        sides = Sides(AppAlone(app_url, sync_url), IntercomSide(intercom), DagsterSide(dagster_url))
        world = World(place, app_url, sync_url, dagster_url, simulator, sides, processes, port)
        stack.callback(world.end)
        _start(world)
        yield world


def _write_files(place: Path, port: int) -> None:
    home, mapping = place / "dagster", place / "mapping"
    home.mkdir(mode=0o700)
    shutil.copy(Path(sys.modules["intercom_assets"].__path__[0]) / "deploy" / "dagster.yaml", home)
    (home / "workspace.yaml").write_text(WORKSPACE.format(port=port))
    shutil.copytree(SAMPLE, mapping)
    (mapping / SYNC_YAML).write_text((SAMPLE / SYNC_YAML).read_text() + SHORT)


def _start(world: World) -> None:
    """The code server loads while the two commands of an operator do their work."""
    world.start_code_server()
    for child in [world.processes.start(name, [*COMMAND, name]) for name in (INIT, INSTALL)]:
        assert child.popen.wait(START_SECONDS) == 0, child.last_lines()
        world.processes.stop(child)
    world.start_daemon()
    assert wait_until(lambda: world.sides.dagster.ticking() >= set(SENSORS), START_SECONDS), (
        world.children["daemon"].last_lines()
    )


def _rows(url: str, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()
