"""Everything that the demo runs, started in order and stopped to the last process.

Belongs here: which databases, files and processes make up a demo, and where they are. All of it is
real: PostgreSQL, the simulator on a port, and as in production one code server for Dagster's daemon
and webserver, each of which would start its own otherwise and the daemon a new one each minute.
Must not: how processes are supervised (`processes.py`); what happens in the world (`play.py`).

No database or workspace but the demo's own can be reached: the caller's addresses are forgotten
here, and children never see them.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from intercom_assets.demo.addresses import HOST, Addresses, free_ports, written_down
from intercom_assets.demo.databases import DEMO_PREFIX, Databases
from intercom_assets.demo.probes import Sides
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.demo.scenario import INDEX_DELAY_S, SENSORS
from intercom_assets.launch.services import (
    COMMAND,
    DAEMON,
    DAGSTER_VARIABLES,
    DAGSTER_YAML,
    DEFINITIONS,
    WEBSERVER,
    WORKSPACE,
    code_server,
)
from intercom_assets.mapping.load import SAMPLE, SYNC_YAML
from intercom_assets.supervision.interrupts import Interrupts
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import (
    FOREIGN_PREFIXES,
    FOREIGN_SUFFIXES,
    Child,
    Processes,
    ProcessFailed,
    clean_environment,
)
from intercom_assets.supervision.reaper import Guard
from intercom_assets.supervision.workdir import demo_place, private_directory

TOKEN, CLIENT_SECRET = "demo-token", "demo-secret"
START_SECONDS = 600.0
"""For a slow machine. A process that ends meanwhile is noticed at once."""
DEFINITIONS_WITHOUT_SCHEDULES = "intercom_assets.demo.definitions"
SETTINGS = (
    "\n# The demo's own: short ticks, so that there is something to see.\nsensor_wait_seconds: 5\n"
)
OURS_TO_KEEP = ("PG_BIN",)
"""Where PostgreSQL's programs are, which leads to no database."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`data_dir`: kept afterwards; None is a temporary one. `database_url`: a server to use.

    `schedules`: whether what runs by the clock does. `webhooks`: whether a listener is told by
    Intercom, or the search alone has to find what changed there.
    """

    data_dir: Path | None = None
    database_url: str | None = None
    webserver: bool = True
    schedules: bool = True
    webhooks: bool = True


@dataclass(frozen=True, slots=True)
class World:
    place: Path
    addresses: Addresses
    processes: Processes
    sides: Sides


@contextmanager
def running_world(
    wishes: DemoOptions, interrupts: Interrupts, say: Callable[[str], None]
) -> Iterator[World]:
    """A world that is up: an app that is watched and has nobody in it yet, an empty workspace.

    Raises `PostgresUnavailable` or `ProcessFailed`. At the end nothing of it is left running,
    whatever happened in between.
    """
    forget_callers_addresses()
    stack = ExitStack()
    try:
        yield _started(wishes, interrupts, stack, say)
    finally:
        with interrupts.held():
            stack.close()


def forget_callers_addresses() -> None:
    """Takes every address and token out of our own environment: libpq reads PGHOSTADDR and others.

    Children get the same treatment from `clean_environment`.
    """
    for name in list(os.environ):
        foreign = name.startswith(FOREIGN_PREFIXES) or name.endswith(FOREIGN_SUFFIXES)
        if foreign and name not in OURS_TO_KEEP:
            del os.environ[name]


def _started(
    wishes: DemoOptions, interrupts: Interrupts, stack: ExitStack, say: Callable[[str], None]
) -> World:
    with interrupts.held():
        guard = stack.enter_context(Guard(clean_environment({})))
        place = stack.enter_context(demo_place(wishes.data_dir))
        if wishes.data_dir is None:
            guard.watch_place(place)
        databases = _databases(wishes, place, stack, guard)
    say("PostgreSQL is up")
    addresses = _addresses(databases, stack, wishes.webserver)
    _write_files(place, addresses, stack)
    create_sample_app(addresses.app_database)
    processes = Processes(place / "processes", _environment(place, addresses), interrupts, guard)
    stack.enter_context(processes)
    world = World(place, addresses, processes, addresses.sides())
    code_server = _start_code_server(world, wishes.schedules)
    _start_intercom_and_set_up(world)
    if wishes.webhooks:
        listen(world)
    say("The simulator is up; the app is watched")
    _start_dagster(world, code_server)
    say("Dagster is up; its sensors tick")
    return world


# --- databases ------------------------------------------------------------------------------------


def _databases(wishes: DemoOptions, place: Path, stack: ExitStack, guard: Guard) -> Databases:
    """On a server of our own, what an earlier demo left is dropped first: nobody else uses it."""
    if wishes.database_url is not None:
        return stack.enter_context(Databases(wishes.database_url))
    home = place / "postgres"
    server = EmbeddedPostgres(home, durable=wishes.data_dir is not None)
    guard.watch_server(home)
    stack.enter_context(server)
    databases = stack.enter_context(Databases(server.url()))
    for name in databases.names():
        databases.drop(name)
    return databases


def _addresses(databases: Databases, stack: ExitStack, webserver: bool) -> Addresses:
    token = secrets.token_hex(4)
    app, dagster = (_new_database(databases, f"{token}_{use}", stack) for use in ("app", "dagster"))
    simulator_port, webserver_port, code_port, listener_port = free_ports(4)
    return Addresses(
        app,
        dagster,
        f"http://{HOST}:{simulator_port}",
        f"http://{HOST}:{webserver_port}" if webserver else "",
        code_port,
        f"http://{HOST}:{listener_port}",
    )


def _new_database(databases: Databases, suffix: str, stack: ExitStack) -> str:
    name = f"{DEMO_PREFIX}{suffix}"
    url = databases.create(name)
    stack.callback(databases.drop, name)
    return url


# --- files ----------------------------------------------------------------------------------------


def _write_files(place: Path, addresses: Addresses, stack: ExitStack) -> None:
    shutil.rmtree(place / "dagster", ignore_errors=True)
    home = private_directory(place / "dagster")
    shutil.copy(DAGSTER_YAML, home / "dagster.yaml")
    (home / "workspace.yaml").write_text(WORKSPACE.format(port=addresses.code_port))
    shutil.copytree(SAMPLE, place / "mapping", dirs_exist_ok=True)
    (place / "mapping" / SYNC_YAML).write_text((SAMPLE / SYNC_YAML).read_text() + SETTINGS)
    stack.enter_context(written_down(addresses, place))


# --- processes ------------------------------------------------------------------------------------


def _environment(place: Path, addresses: Addresses) -> dict[str, str]:
    return {
        "APP_DATABASE_URL": addresses.app_database,
        "DAGSTER_DATABASE_URL": addresses.dagster_database,
        "DAGSTER_HOME": str(place / "dagster"),
        **DAGSTER_VARIABLES,
        "DAGSTER_WEBSERVER_URL": addresses.webserver,
        "INTERCOM_ACCESS_TOKEN": TOKEN,
        "INTERCOM_CLIENT_SECRET": CLIENT_SECRET,
        "INTERCOM_BASE_URL": addresses.simulator,
        "INTERCOM_SYNC_CONFIG": str(place / "mapping"),
        "INTERCOM_SYNC_ENABLED": "true",
    }


def _start_code_server(world: World, schedules: bool) -> Child:
    """It loads while other things are started."""
    module = DEFINITIONS if schedules else DEFINITIONS_WITHOUT_SCHEDULES
    command = code_server(world.addresses.code_port, module)
    return world.processes.start("code server", command)


def _start_intercom_and_set_up(world: World) -> None:
    """The simulator, and beside it the two commands that an operator runs once."""
    port = world.addresses.simulator.rpartition(":")[2]
    simulate = ("simulate", "--port", port, "--token", TOKEN)
    simulator = world.processes.start("simulator", [*COMMAND, *simulate])
    commands = [
        world.processes.start(name, [*COMMAND, name]) for name in ("init-db", "install-capture")
    ]
    for command in commands:
        _finish(world.processes, command)
    world.processes.wait_for_http(simulator, world.addresses.simulator, START_SECONDS)
    world.sides.intercom.control("settings", index_delay_s=INDEX_DELAY_S)


def listen(world: World) -> None:
    """The listener, and what a person does in Intercom's Developer Hub."""
    intercom, listener = world.sides.intercom, world.addresses.listener
    command = ("listen", "--port", listener.rpartition(":")[2])
    child = world.processes.start("listener", [*COMMAND, *command])
    world.processes.wait_for_http(child, f"{listener}/healthz", START_SECONDS)
    intercom.control("webhooks", url=f"{listener}/webhooks", secret=CLIENT_SECRET, delay_ms=200)
    intercom.control("inbox", url=f"{listener}/inbox", secret=CLIENT_SECRET)


def _finish(processes: Processes, command: Child) -> None:
    if not wait_until(lambda: not command.runs, START_SECONDS, every=0.02):
        raise ProcessFailed(f"`{command.name}` did not end within {START_SECONDS:.0f} s.")
    if command.popen.returncode:
        raise ProcessFailed(f"`{command.name}` failed: {command.last_lines()}")
    processes.stop(command)


def _start_dagster(world: World, code_server: Child) -> None:
    """Returns once every sensor has begun a tick, so that no step waits for a start."""
    world.processes.wait_for_port(code_server, HOST, world.addresses.code_port, START_SECONDS)
    workspace = str(world.place / "dagster" / "workspace.yaml")
    daemon = world.processes.start("daemon", [*DAEMON, workspace])
    if address := world.addresses.webserver:
        port = address.rpartition(":")[2]
        webserver = world.processes.start("webserver", [*WEBSERVER, port, "-w", workspace])
    if not wait_until(lambda: _all_tick(world, daemon), START_SECONDS):
        raise ProcessFailed(
            f"Dagster's sensors did not tick within {START_SECONDS:.0f} s; the daemon's log ends: "
            f"{daemon.last_lines()}"
        )
    if address:
        world.processes.wait_for_http(webserver, f"{address}/server_info", START_SECONDS)


def _all_tick(world: World, daemon: Child) -> bool:
    if not daemon.runs:
        raise ProcessFailed(
            f"Dagster's daemon ended by itself; its log ends: {daemon.last_lines()}"
        )
    return set(SENSORS) <= world.sides.dagster.ticking()
