"""`up`: everything that keeps an app and Intercom in step on this machine, until Ctrl-C.

Belongs here: the order in which things come up, and what is printed. Must not: what is made
(`launch/preparation.py`), the restarts (`launch/supervisor.py`), process handling
(`supervision/processes.py`), which the demo shares.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.cli.variables import warn_of_unknown_variables
from intercom_assets.demo.addresses import free_ports
from intercom_assets.domain.webhook_topics import ENDPOINT
from intercom_assets.launch import dagster_database
from intercom_assets.launch.preparation import (
    LOGS,
    Ground,
    cannot_write,
    prepare,
    read_ground,
    refuse,
    require_free,
    steps,
    variables,
    write_workspace,
)
from intercom_assets.launch.services import (
    COMMAND,
    DAEMON,
    HOST,
    WEBSERVER,
    code_server,
    listener,
)
from intercom_assets.launch.supervisor import Supervisor, ending_of
from intercom_assets.supervision.interrupts import Interrupts
from intercom_assets.supervision.lockfiles import locked
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import (
    Child,
    Processes,
    ProcessFailed,
    answers_http,
    inherited_environment,
    takes_connections,
)
from intercom_assets.supervision.reaper import Guard
from intercom_assets.sync.environment import Configuration, ConfigurationError, read_environment

LOCK = "intercom_assets_up.lock"
STILL_WAITING_S = 30.0
LARGEST_LOG_BYTES = 20_000_000


def up(port: int, listen_port: int, dry_run: bool) -> None:
    warn_of_unknown_variables()
    configuration = read_environment()
    ground = read_ground(configuration, os.environ)
    refuse(ground)
    if dry_run:
        _print_plan(ground, port, configuration, listen_port)
        return
    interrupts = Interrupts()
    with interrupts.listening(), _never_twice(ground.home, port), ExitStack() as stack:
        try:
            _run(configuration, ground, port, listen_port, interrupts, stack)
        except KeyboardInterrupt:
            _print_line("Stopping")
        finally:
            with interrupts.held():
                stack.close()
    _print_line("Everything is stopped")


def _print_plan(ground: Ground, port: int, configuration: Configuration, listen_port: int) -> None:
    require_free(port)
    click.echo("Nothing is done now. `intercom-assets up` would, in this order:")
    for step in steps(ground, port):
        click.echo(f"- {step}")
    if configuration.client_secret:
        click.echo(f"- listen at {HOST}, port {listen_port}, for what Intercom sends")


def _run(
    configuration: Configuration,
    ground: Ground,
    port: int,
    listen_port: int,
    interrupts: Interrupts,
    stack: ExitStack,
) -> None:
    refuse(ground)
    require_free(port)
    for step in steps(ground, port):
        click.echo(f"- {step}")
    prepare(ground, configuration.sync_url)
    if ground.database is not None:
        stack.enter_context(dagster_database.held(ground.dagster_url))
    environment = variables(ground, os.environ)
    with interrupts.held():
        guard = stack.enter_context(Guard(inherited_environment(environment)))
        logs = ground.home / LOGS
        _put_aside(logs)
        processes = Processes(logs, environment, interrupts, guard, inherit=True)
        stack.enter_context(processes)
    listening = listener(listen_port) if configuration.client_secret else None
    supervisor = _started(processes, ground.home, port, listening)
    if configuration.refusal:
        _print_line(configuration.refusal)
    click.echo(f"Dagster  http://{HOST}:{port}")
    if listening:
        click.echo(f"Webhooks http://{HOST}:{listen_port}{ENDPOINT}, for a proxy with TLS")
    click.echo(f"Logs     {logs}")
    click.echo("Ctrl-C stops everything.")
    supervisor.watch()


def _started(
    processes: Processes, home: Path, port: int, listening: list[str] | None
) -> Supervisor:
    """The tables are made while the code loads; all others need both."""
    [code_port] = free_ports(1)
    workspace = str(write_workspace(home, code_port))
    commands = {
        "code server": code_server(code_port),
        "daemon": [*DAEMON, workspace],
        "webserver": [*WEBSERVER, str(port), "-w", workspace],
    }
    code = processes.start("code server", commands["code server"])
    _set_up(processes)
    _wait(code, lambda: takes_connections(HOST, code_port))
    _print_line("The code server answers")
    if listening:
        commands["listener"] = listening
    others = [processes.start(name, commands[name]) for name in commands if name != code.name]
    _wait(others[1], lambda: answers_http(f"http://{HOST}:{port}/server_info"))
    _print_line("The webserver answers")
    return Supervisor(
        processes, [(item, commands[item.name]) for item in (code, *others)], _print_line
    )


def _set_up(processes: Processes) -> None:
    """`init-db`, with what it says."""
    command = processes.start("init-db", [*COMMAND, "init-db"])
    began = command.log.stat().st_size
    while command.runs:
        command.popen.wait()
    lines = command.log.read_text(errors="replace")[began:].splitlines()
    processes.stop(command)
    if command.popen.returncode:
        raise CommandFailed(" ".join(lines[-1:]).removeprefix("Error: ") or ending_of(command))
    for line in lines:
        click.echo(f"- {line}")


def _wait(child: Child, ready: Callable[[], bool]) -> None:
    """However long it takes, as long as it lives: a slow machine is no failure."""
    began = time.monotonic()
    while not wait_until(lambda: ready() or not child.runs, STILL_WAITING_S):
        _print_line(
            f"The {child.name} does not answer yet after {time.monotonic() - began:.0f} s; it "
            f"runs, and is waited for. Its log: {child.log}"
        )
    if not child.runs:
        raise ProcessFailed(
            f"The {child.name} ended ({ending_of(child)}) before it answered; its log {child.log} "
            f"ends: {child.last_lines()}"
        )


@contextmanager
def _never_twice(home: Path, port: int) -> Iterator[None]:
    """The lock ends with its process, in whatever way."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = locked(home / LOCK)
    except BlockingIOError:
        raise ConfigurationError(
            f"`intercom-assets up` runs already for {home} ({_holder(home / LOCK)}): end that one "
            "first, or set DAGSTER_HOME to another directory, for another workspace"
        ) from None
    except OSError as error:
        raise cannot_write(home, error) from None
    with lock:
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, http://{HOST}:{port}\n")
        lock.flush()
        yield


def _holder(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip() or "it is just starting"
    except OSError:
        return "another user's"


def _put_aside(logs: Path) -> None:
    """One old log of each is kept, so that none grows for ever."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _print_line(sentence: str) -> None:
    click.echo(f"{datetime.now(UTC):%H:%M:%S} UTC  {sentence}", err=True)
