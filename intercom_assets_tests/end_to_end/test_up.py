"""`up` on an app of somebody's own: from nothing to live sensors, and nothing left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from intercom_assets.demo.addresses import free_ports
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.sample_app import seed
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import takes_connections
from intercom_assets_tests.processes import RUN, TEMPLATE, processes_of

COMMAND = (sys.executable, "-m", "intercom_assets.cli.main")
PATIENCE_S = 240
"""For a machine that is busy with other things."""


@dataclass(frozen=True)
class Place:
    """An operator's shell, in a directory of its own."""

    directory: Path
    intercom: Simulator
    app: str
    env: dict[str, str]

    @property
    def home(self) -> Path:
        return self.directory / "home"

    @property
    def printed(self) -> str:
        return (self.directory / "printed").read_text()

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *command], env=self.env, cwd=self.directory, timeout=PATIENCE_S,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def up(self, port: int, *options: str) -> "subprocess.Popen[bytes]":
        with (self.directory / "printed").open("wb") as output:
            started = subprocess.Popen(
                [*COMMAND, "up", "--port", str(port), *options], env=self.env, cwd=self.directory,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.wait(lambda: "Ctrl-C" in self.printed or started.poll() is not None)
        assert started.poll() is None, self.printed
        return started

    def wait(self, condition: Callable[[], bool]) -> None:
        assert wait_until(condition, PATIENCE_S), self.printed

    def names(self) -> list[str]:
        return [contact["name"] for contact in self.intercom.contacts()]

    def app_renames(self, name: str) -> None:
        with psycopg.connect(self.app) as connection:
            connection.execute("update users set name = %s where id = 3", (name,))

    def operator_renames(self, name: str) -> None:
        self.intercom.by_hand.edit_contact("3", name=name)

    def subscribe(self, url: str, secret: str) -> None:
        """Until the address has answered, as the Developer Hub asks of it."""
        body = json.dumps({"url": url, "secret": secret}).encode()

        def is_live() -> bool:
            answer = self.intercom.handle("POST", "/_simulator/webhooks", {}, body)
            wait_until(lambda: self._webhooks()["state"] in ("live", "refused"), 10)
            return answer.status == 200 and bool(self._webhooks()["state"] == "live")

        self.wait(is_live)

    def _webhooks(self) -> dict[str, Any]:
        document: dict[str, Any] = self.intercom.handle("GET", "/_simulator/webhooks", {}).json()
        return document

    def pids(self, program: str) -> list[int]:
        """Of our services, by a part of their command line, which what they fork has too."""
        return [
            int(process.name)
            for role, process in processes_of(self.home)
            if role not in (RUN, TEMPLATE)
            and program in (process / "cmdline").read_bytes().decode().replace("\0", " ")
        ]

    def nothing_is_left(self) -> bool:
        return not list(processes_of(self.home))


@pytest.fixture
def place(databases: Databases, database: str, tmp_path: Path) -> Iterator[Place]:
    """An app that was synced without Dagster, as step 4 of docs/your-own-app.md leaves it."""
    seed(database, users=20, teams=5)
    simulator = Simulator()
    with serving(simulator) as address:
        foreign = ("DAGSTER_", "INTERCOM_", "PG")
        env = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        env |= {
            "APP_DATABASE_URL": database,
            "INTERCOM_ACCESS_TOKEN": "demo-token",
            "INTERCOM_BASE_URL": address,
            "INTERCOM_SYNC_CONFIG": str(SAMPLE),
            "INTERCOM_SYNC_ENABLED": "true",
        }
        place = Place(tmp_path, simulator, database, env)
        assert place.run("sync", "--all").returncode == 0
        dagster = databases.url(f"{databases.prefix}{database[-12:]}_dagster")
        place.env.update(DAGSTER_HOME="home", DAGSTER_DATABASE_URL=dagster)
        yield place
    assert wait_until(place.nothing_is_left, 30)


def test_from_nothing_to_live_sensors_and_back(place: Place) -> None:
    [port] = free_ports(1)
    foretold = place.run("up", "--dry-run", "--port", str(port))
    assert foretold.returncode == 0, foretold.stderr
    assert "Nothing is done now" in foretold.stdout
    assert not place.home.exists()

    up = place.up(port)
    try:
        assert f"http://127.0.0.1:{port}" in place.printed
        assert "19 users and 5 teams are partitions" in place.printed
        place.app_renames("Noticed By A Sensor")
        place.wait(lambda: "Noticed By A Sensor" in place.names())

        twice = place.run("up", "--port", str(port))
        assert twice.returncode == 1
        assert f"runs already for {place.home} (process {up.pid}" in twice.stderr

        [code_server] = place.pids("dagster api grpc")
        os.kill(code_server, signal.SIGKILL)
        place.wait(lambda: "The code server is restarted" in place.printed)
        assert "stopped unexpectedly (signal 9)" in place.printed
        place.app_renames("After The Kill")
        place.wait(lambda: "After The Kill" in place.names())
        assert "Traceback" not in place.printed
    finally:
        up.send_signal(signal.SIGTERM)
        ended = up.wait(PATIENCE_S)
    assert ended == 0, place.printed
    assert place.printed.endswith("Everything is stopped\n")
    assert place.nothing_is_left()


def test_with_a_secret_it_listens_to_intercom_and_starts_the_listener_again(place: Place) -> None:
    """An edit of the app's field is put back: by webhook, since the search is an hour behind."""
    port, listens = free_ports(2)
    place.env["INTERCOM_CLIENT_SECRET"] = "a-secret"
    place.intercom.set(index_delay_s=3_600)
    up = place.up(port, "--listen-port", str(listens))
    url = f"http://127.0.0.1:{listens}/webhooks"
    try:
        assert url in place.printed
        place.subscribe(url, "a-secret")
        place.operator_renames("By Webhook")
        place.wait(lambda: "By Webhook" not in place.names())

        [listener] = place.pids(" listen --host ")
        os.kill(listener, signal.SIGKILL)
        place.wait(lambda: "The listener is restarted" in place.printed)
        place.subscribe(url, "a-secret")
        place.operator_renames("After The Kill")
        place.wait(lambda: "After The Kill" not in place.names())
    finally:
        up.send_signal(signal.SIGTERM)
        ended = up.wait(PATIENCE_S)
        place.intercom.stop()
    assert ended == 0, place.printed
    assert not takes_connections("127.0.0.1", listens)


def test_if_it_is_killed_its_services_end_too(place: Place) -> None:
    up = place.up(free_ports(1)[0])
    assert place.pids("dagster_webserver")

    up.kill()
    up.wait(PATIENCE_S)

    place.wait(place.nothing_is_left)


def test_a_port_that_is_taken_is_told_before_anything_is_started(place: Place) -> None:
    taken = place.env["INTERCOM_BASE_URL"].rpartition(":")[2]

    done = place.run("up", "--port", taken)

    assert done.returncode == 1
    assert f"Port {taken} of this machine cannot be used" in done.stderr
    assert place.nothing_is_left()
