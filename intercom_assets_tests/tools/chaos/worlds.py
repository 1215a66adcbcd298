"""What a world is, and the small one: sync workers alone, without Dagster.

Belongs here: databases, files and processes, started in order, and who in them can be killed; the
parts of them that the world with Dagster (`dagster_world.py`) needs as well.
Must not: what happens in a world (`run.py`).
"""

import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from threading import Event

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.demo.addresses import HOST, free_ports
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.demo.world import CLIENT_SECRET, TOKEN
from intercom_assets.mapping.load import SAMPLE, SYNC_YAML, load_mapping
from intercom_assets.supervision.processes import Processes, clean_environment
from intercom_assets.supervision.reaper import Guard
from intercom_assets_tests.places import roomy_place
from intercom_assets_tests.tools.chaos.histories import Bystander
from intercom_assets_tests.tools.chaos.kills import (
    Keeper,
    MortalPostgres,
    Strike,
    kill_database,
    pause,
)
from intercom_assets_tests.tools.chaos.worker import LEASE, TIMEOUTS

PREFIX = "intercom-assets-chaos-"
START_SECONDS = 300.0
UNGUARDED = "\nguards: {above: 1000000}\n"
"""In ten minutes nearly everybody is changed; a backlog of that is what the guards stop on purpose,
for an operator to look at."""
SHORT = "\nheartbeat: 500ms\n"
BY_BULK = "\nbulk: preview\n"
LATE_FOR_WORKERS = TIMEOUTS.total + 0.5
LISTENER = "listener"
WEBHOOKS = {"delay_ms": 50, "shuffle": 2, "duplicate_share": 0.3, "lose_share": 0.1}
"""Doubled, lost and in any order. Writes by the API are told too: all of them are echoes."""
SIMULATED = {"attach_moves_updated_at": True, "rate_window_s": 3}
"""An edge made by hand is to be found by search; and a storm of 429 shall not be all there is."""
SIMULATED_BULK = {"bulk_job_delay_s": 1.0, "bulk_lose_every": 7, "bulk_lost_state": "completed"}


@dataclass(frozen=True)
class World:
    """`strikes`: target -> what is done to it. `recovered`: see `kills.Executioner`."""

    app_url: str
    place: Path
    bystander: Bystander
    processes: Processes
    keeper: Keeper
    strikes: Mapping[str, Strike] = field(default_factory=dict)
    recovered: Callable[[float], bool] = lambda since: True


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`app_url`: a database that has app, triggers and schema already; it is not killed then.

    `bulk`: calls of many items.
    """

    seed: int
    workers: int = 2
    broken: str | None = None
    twins: bool = False
    bulk: bool = False
    app_url: str | None = None


@contextmanager
def worker_world(wishes: DemoOptions) -> Iterator[World]:
    """Sync workers without Dagster; nothing of it is left at the end."""
    with ExitStack() as stack:
        place = a_place(stack)
        server = None
        app_url = wishes.app_url
        if app_url is None:
            server, databases = a_server(place, stack)
            app_url = an_app(databases)
        port, listener_port = free_ports(2)
        environment = environment_of(place, app_url, f"http://{HOST}:{port}",
                                     SHORT + (BY_BULK if wishes.bulk else ""))  # fmt: skip
        processes = started(place, environment, stack)
        names = [f"worker-{n}" for n in range(wishes.workers)]
        worker = python("intercom_assets_tests.tools.chaos.worker")
        if wishes.broken:
            worker += ["--broken", wishes.broken]
        worker += ["--bulk"] if wishes.bulk else []
        keeper = Keeper(
            processes,
            {
                "recorder": recorder(port, wishes, LATE_FOR_WORKERS),
                LISTENER: listener(listener_port),
                **dict.fromkeys(names, worker),
            },
        )
        bystander = with_recorder(keeper, processes, app_url, f"http://{HOST}:{port}")
        if wishes.bulk:
            bystander.tell("settings", SIMULATED_BULK)
        with_listener(keeper, processes, bystander, listener_port)
        world = World(app_url, place, bystander, processes, keeper,
                      _strikes(keeper, names, server, wishes.seed))  # fmt: skip
        for name in names:
            keeper.start(name)
        with keeper.restarting():
            yield world


def _strikes(
    keeper: Keeper, names: list[str], server: MortalPostgres | None, seed: int
) -> dict[str, Strike]:
    random = Random(seed)

    def kill_worker(stop: Event) -> bool:
        keeper.kill(random.choice(names))
        return True

    def pause_worker(stop: Event) -> bool:
        pid = keeper.child(random.choice(names)).popen.pid
        return pause(pid, LEASE.total_seconds() + 1, stop)

    strikes: dict[str, Strike] = {
        "run": kill_worker,
        "paused run": pause_worker,
        LISTENER: partial(kill_listener, keeper),
    }
    if server is not None:
        strikes["database"] = partial(kill_database, server)
    return strikes


# --- parts ----------------------------------------------------------------------------------------


def a_place(stack: ExitStack) -> Path:
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=roomy_place()))
    place.chmod(0o711)
    stack.callback(shutil.rmtree, place, ignore_errors=True)
    return place


def a_server(
    place: Path, stack: ExitStack, *, durable: bool = False
) -> tuple[MortalPostgres, Databases]:
    """`durable`: with everything that a server in production does, such as autovacuum."""
    guard = stack.enter_context(Guard(clean_environment({})))
    guard.watch_place(place)
    guard.watch_server(place / "postgres")
    [port] = free_ports(1)
    server = MortalPostgres(place / "postgres", durable=durable, port=port)
    stack.enter_context(server)
    return server, stack.enter_context(Databases(server.url()))


def a_database(databases: Databases, use: str) -> str:
    return databases.create(f"{databases.prefix}{secrets.token_hex(4)}_{use}")


def an_app(databases: Databases) -> str:
    """The sample app with our triggers and our schema, nobody in it."""
    url = a_database(databases, "app")
    create_sample_app(url)
    install_capture(url, load_mapping())
    apply_schema(url)
    return url


def environment_of(place: Path, app_url: str, simulator: str, settings: str = "") -> dict[str, str]:
    folder = place / "mapping"
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    (folder / SYNC_YAML).write_text((SAMPLE / SYNC_YAML).read_text() + UNGUARDED + settings)
    return {
        "APP_DATABASE_URL": app_url,
        "INTERCOM_ACCESS_TOKEN": TOKEN,
        "INTERCOM_CLIENT_SECRET": CLIENT_SECRET,
        "INTERCOM_BASE_URL": simulator,
        "INTERCOM_SYNC_CONFIG": str(folder),
        "INTERCOM_SYNC_ENABLED": "true",
    }


def started(place: Path, environment: Mapping[str, str], stack: ExitStack) -> Processes:
    guard = stack.enter_context(Guard(clean_environment({})))
    return stack.enter_context(Processes(place / "processes", environment, guard=guard))


def recorder(port: int, wishes: DemoOptions, late_after: float) -> list[str]:
    answer = ["--port", str(port), "--seed", str(wishes.seed), "--late-after", str(late_after)]
    return [
        *python("intercom_assets_tests.tools.chaos.recorder"), *answer,
        *(["--twins"] if wishes.twins else []),
    ]  # fmt: skip


def with_recorder(keeper: Keeper, processes: Processes, app_url: str, simulator: str) -> Bystander:
    processes.wait_for_http(
        keeper.start("recorder"), f"{simulator}/_simulator/stats", START_SECONDS
    )
    bystander = Bystander(app_url, simulator)
    bystander.record()
    bystander.tell("settings", SIMULATED)
    return bystander


def listener(port: int) -> list[str]:
    return [*python("intercom_assets.cli.main"), "listen", "--port", str(port)]


def with_listener(keeper: Keeper, processes: Processes, bystander: Bystander, port: int) -> None:
    """Webhooks from here on, as unreliable as Intercom may be with them."""
    url = f"http://{HOST}:{port}"
    processes.wait_for_http(keeper.start(LISTENER), f"{url}/healthz", START_SECONDS)
    bystander.tell("webhooks", {"url": f"{url}/webhooks", "secret": CLIENT_SECRET, **WEBHOOKS})


def kill_listener(keeper: Keeper, stop: Event) -> bool:
    keeper.kill(LISTENER)
    return True


def python(module: str) -> list[str]:
    return [sys.executable, "-m", module]
