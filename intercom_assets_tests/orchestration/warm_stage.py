"""A real code server with `warm_location`, an instance with our launcher, and runs of the two.

Belongs here: starting, stopping and looking at processes. Must not: what is expected of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget

from intercom_assets.demo.addresses import HOST, free_ports
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import takes_connections
from intercom_assets_tests.processes import BY_NAME, TEMPLATE, name_of

WITHIN_S = 60.0
"""For whatever is waited for: a machine that is busy with other work is no failure."""
LOCATION = "intercom_assets_tests.orchestration.warm_location"


@dataclass
class WarmStage:
    """`folder`: where runs write what they were; `log`: of the code server."""

    instance: dg.DagsterInstance
    folder: Path
    log: Path
    server: subprocess.Popen[bytes]
    workspace: WorkspaceProcessContext

    def launch(self, job: str = "short") -> str:
        """The id of a run that was handed to the launcher."""
        context = self.workspace.create_request_context()
        [location] = context.code_locations
        [repository] = location.get_repositories().values()
        remote = repository.get_full_job(job)
        run = self.instance.create_run_for_job(
            _job(job),
            remote_job_origin=remote.get_remote_origin(),
            job_code_origin=remote.get_python_origin(),
        )
        self.instance.launch_run(run.run_id, context)
        return run.run_id

    def ended(self, run_id: str) -> str:
        """Its status, once it has ended."""
        eventually(lambda: self._run(run_id).is_finished)
        return self._run(run_id).status.value

    def facts(self, run_id: str) -> "Facts":
        """What it wrote, once it has."""
        file = self.folder / run_id
        eventually(lambda: file.exists() and file.read_text() != "")
        lines = [*file.read_text().split("\n"), "", "", ""]
        return Facts(int(lines[0]), int(lines[1] or 0), lines[2], lines[3])

    def played(self) -> "Facts":
        """What a short run was, which ended well."""
        run_id = self.launch()
        assert self.ended(run_id) == "SUCCESS", self.log.read_text()[-2000:]
        return self.facts(run_id)

    def warmed(self) -> int:
        """The template's process id, once it forks runs."""
        eventually(lambda: self.played().parent in self.templates())
        [template] = self.templates()
        return template

    def templates(self) -> list[int]:
        """Of this code server."""
        return [pid for pid in children_of(self.server.pid) if is_template(pid)]

    def messages(self, run_id: str) -> list[str]:
        return [event.user_message or event.message for event in self.instance.all_logs(run_id)]

    def status(self, run_id: str) -> str:
        return self._run(run_id).status.value

    def printed(self, run_id: str) -> str:
        """What the run's step wrote on its standard output, as Dagster's page shows it."""
        logs = self.instance.compute_log_manager
        [captured] = [
            event.dagster_event.logs_captured_data
            for event in self.instance.all_logs(run_id, of_type=dg.DagsterEventType.LOGS_CAPTURED)
            if event.dagster_event is not None
        ]
        data = logs.get_log_data([run_id, "compute_logs", captured.file_key or ""])
        return (data.stdout or b"").decode()

    def said(self, words: str) -> int:
        """How many lines of the code server's log hold these words."""
        return sum(words in line for line in self.log.read_text().splitlines())

    def terminate(self, run_id: str) -> bool:
        return self.instance.run_launcher.terminate(run_id)

    def reload(self) -> None:
        """What the button "Reload" of Dagster's page does."""
        self.workspace.reload_code_location("warm")

    def _run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run


@dataclass(frozen=True)
class Facts:
    """`promised`: of the location's files when they were loaded; `colour`: of its environment."""

    pid: int
    parent: int
    promised: str
    colour: str


def eventually(is_so: Callable[[], bool]) -> None:
    assert wait_until(is_so, WITHIN_S, every=0.05)


def _job(name: str) -> dg.JobDefinition:
    """The location reads its environment when it is imported, so it is not before it is needed."""
    job: dg.JobDefinition = getattr(import_module(LOCATION), name)
    return job


def children_of(pid: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] not in "ZX":
                found.append(int(process.name))
    return found


def is_template(pid: int) -> bool:
    return BY_NAME.get(name_of(Path(f"/proc/{pid}"))) == TEMPLATE


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def sockets_of(pid: int) -> list[str]:
    opened = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return [target for target in opened if target.startswith("socket:")]


@contextmanager
def a_code_server(
    instance: dg.DagsterInstance, folder: Path, **environment: str
) -> Iterator[WarmStage]:
    [port] = free_ports(1)
    log = folder / "code_server.log"
    command = [sys.executable, "-m", "dagster", "api", "grpc", "--host", HOST, "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--module-name", LOCATION],
            env=os.environ | {"WARM_FOLDER": str(folder), **environment},
            stdout=output,
            stderr=output,
        )
    try:
        assert wait_until(lambda: takes_connections(HOST, port), WITHIN_S), log.read_text()
        target = GrpcServerTarget(host=HOST, port=port, socket=None, location_name="warm")
        here = patch.dict(os.environ, {"WARM_FOLDER": str(folder)})
        with here, WorkspaceProcessContext(instance, target) as workspace:
            yield WarmStage(instance, folder, log, server, workspace)
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        server.kill()
        server.wait()
