"""One demo for every end-to-end test of a session: it has played its story and stays up.

It is started with hostile values exported. They lead to canaries that are alive: had the demo used
one of them, it would have worked, and the canary would show it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from intercom_assets.demo.addresses import Addresses, addresses_of
from intercom_assets.demo.databases import Databases
from intercom_assets.demo.probes import AppSide, Sides
from intercom_assets.demo.sample_app import seed
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.places import roomy_place

COMMAND = (sys.executable, "-m", "intercom_assets.cli.main", "demo")
WITH_US = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A test session that is killed takes its demo with it: prctl's 1 is PR_SET_PDEATHSIG."""
START_SECONDS = 420
"""For a machine that is busy with other things; at rest it is a tenth of that."""


@dataclass(frozen=True)
class Canary:
    """What hostile values lead to. `variables` are exported to the demo."""

    app: AppSide
    intercom: Simulator
    dagster_home: Path
    variables: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True)
class Demo:
    """The demo that is up. `story`: what it printed."""

    place: Path
    addresses: Addresses
    story: str

    @property
    def sides(self) -> Sides:
        return self.addresses.sides()

    def play(self, letter: str, patience: float = 120) -> "subprocess.CompletedProcess[str]":
        """One step on it, as from a second terminal."""
        options = ["--data-dir", str(self.place), "--play", letter, "--patience", str(patience)]
        return subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def canary(databases: Databases, template: str) -> Iterator[Canary]:
    """An app of its own, a workspace of its own, and a Dagster home with nothing in it."""
    url = databases.copy(template, f"{databases.prefix}canary")
    seed(url, users=20, teams=5)
    home = Path(tempfile.mkdtemp(prefix="canary-"))
    simulator = Simulator(token="canary")
    with serving(simulator) as address:
        variables = {
            "APP_DATABASE_URL": url,
            "SYNC_DATABASE_URL": url,
            "DAGSTER_DATABASE_URL": url,
            "DAGSTER_HOME": str(home),
            "INTERCOM_ACCESS_TOKEN": "canary",
            "INTERCOM_BASE_URL": address,
            "INTERCOM_SYNC_CONFIG": str(home),
            "INTERCOM_SYNC_ENABLED": "true",
            "PGHOSTADDR": "127.0.0.2",
            "PGPORT": "9",
            "PGSSLMODE": "verify-full",
            "PGOPTIONS": "-c default_transaction_read_only=on",
        }
        app = AppSide(url)
        yield Canary(app, simulator, home, variables, app.fingerprint())
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def demo(canary: Canary) -> Iterator[Demo]:
    place = Path(tempfile.mkdtemp(prefix="intercom-assets-demo-tests-", dir=roomy_place()))
    place.chmod(0o711)
    # Looked through with all else that it leaves; PostgreSQL's account writes there too.
    (place / "tmp").mkdir()
    (place / "tmp").chmod(0o1777)
    home, printed = place / "demo", place / "printed"
    (place / ".env").write_text("".join(f"{k}={v}\n" for k, v in canary.variables.items()))
    with printed.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WITH_US, *COMMAND, "--once", "--stay", "--data-dir", str(home)],
            cwd=place,
            env={
                **os.environ,
                **canary.variables,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "TMPDIR": str(place / "tmp"),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_stays(process, printed)
        yield Demo(home, addresses_of(home), printed.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    left = processes_that_know(place)
    assert left == [], f"SIGTERM left running: {left}"
    assert process.returncode == 0, printed.read_text()
    shutil.rmtree(place)


def _wait_until_it_stays(process: "subprocess.Popen[bytes]", printed: Path) -> None:
    def settled() -> bool:
        return process.poll() is not None or "Ctrl-C stops everything" in printed.read_text()

    assert wait_until(settled, START_SECONDS), printed.read_text()
    assert process.poll() is None, printed.read_text()


def processes_that_know(place: Path) -> list[str]:
    """Command lines of processes with this directory in their arguments or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            answer = [(process / name).read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            continue
        if process.name != str(os.getpid()) and any(str(place).encode() in text for text in answer):
            found.append(answer[0].replace(b"\0", b" ").decode())
    return found
