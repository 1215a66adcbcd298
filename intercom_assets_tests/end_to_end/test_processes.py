"""The demo's children: a clean world, addresses waited for, and nothing left running."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom_assets.supervision import process_groups as groups
from intercom_assets.supervision.interrupts import Interrupts, none_ignored
from intercom_assets.supervision.process_groups import group_is_empty, wait_until
from intercom_assets.supervision.processes import (
    Child,
    Processes,
    ProcessFailed,
)

HOSTILE = {
    "APP_DATABASE_URL": "postgresql://production/app",
    "SYNC_DATABASE_URL": "postgresql://production/sync",
    "TEST_DATABASE_URL": "postgresql://production/test",
    "DAGSTER_HOME": "/production",
    "DAGSTER_DATABASE_URL": "postgresql://production/dagster",
    "INTERCOM_ACCESS_TOKEN": "a-real-one",
    "INTERCOM_BASE_URL": "https://api.intercom.io",
    "INTERCOM_SYNC_ENABLED": "true",
    "PGHOST": "production",
    "PGPASSWORD": "hush",
}
SHOW_WORLD = "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"
STUBBORN = """
import signal, subprocess, sys, time
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; print('below', flush=True); time.sleep(600)"])
time.sleep(600)
"""
TELLS_ITS_END = """
import sys, time
print("ready", flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    with open("ended", "a") as file:
        file.write(sys.argv[1])
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path / "processes", {"OURS": "yes"}) as started:
        yield started


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, *arguments]


def said(child: Child, text: str) -> bool:
    return wait_until(lambda: text in child.log.read_text(), seconds=20, every=0.01)


def test_no_address_and_no_token_of_the_caller_reaches_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text("INTERCOM_ACCESS_TOKEN=a-real-one\n")
    monkeypatch.chdir(tmp_path)

    with Processes(tmp_path / "processes", {"INTERCOM_ACCESS_TOKEN": "demo-token"}) as processes:
        child = processes.start("child", python(SHOW_WORLD))
        assert child.popen.wait(20) == 0
        directory, world = json.loads(child.log.read_text())

    assert {name: world.get(name) for name in HOSTILE} == {
        **dict.fromkeys(HOSTILE),
        "INTERCOM_ACCESS_TOKEN": "demo-token",
    }
    assert Path(directory) == tmp_path / "processes"
    assert not (Path(directory) / ".env").exists()
    assert world["PATH"] == os.environ["PATH"]


def test_a_child_can_be_interrupted_also_where_a_shell_has_interrupts_ignored(
    processes: Processes,
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = processes.start("child", python(TELLS_ITS_END, "x"))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert said(child, "ready")

    processes.stop(child)

    assert (processes.home / "ended").read_text() == "x"


def test_they_are_stopped_in_reverse_order(processes: Processes) -> None:
    for name in "abc":
        assert said(processes.start(name, python(TELLS_ITS_END, name)), "ready")

    processes.stop_all()

    assert (processes.home / "ended").read_text() == "cba"
    assert processes.children == ()


def test_what_ignores_us_and_what_it_started_is_ended_all_the_same(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(groups, "GROUP_SECONDS", 0.2)
    child = processes.start("stubborn", python(STUBBORN))
    assert said(child, "below")

    processes.stop_all()

    assert group_is_empty(child.popen.pid)


def test_one_that_ended_by_itself_leaves_no_children_of_its_own(processes: Processes) -> None:
    leaves = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', "
        "\"import time; print('below', flush=True); time.sleep(600)\"])"
    )
    child = processes.start("leader", python(leaves))
    child.popen.wait(20)
    assert said(child, "below")

    processes.stop_all()

    assert wait_until(lambda: group_is_empty(child.popen.pid), seconds=1)


def test_an_address_is_waited_for(processes: Processes) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]

    child = processes.start("server", serve)
    processes.wait_for_http(child, f"http://127.0.0.1:{port}/", seconds=20)

    processes.require_all()


def test_one_that_ends_before_it_answers_is_told_with_the_end_of_its_log(
    processes: Processes,
) -> None:
    child = processes.start("broken", python("import sys; sys.exit('no such module: app')"))

    with pytest.raises(
        ProcessFailed, match=r"The broken ended with code 1 .* ends: no such module: app$"
    ):
        processes.wait_for_http(child, "http://127.0.0.1:9/", seconds=20)
    with pytest.raises(ProcessFailed, match="The broken ended by itself with code 1"):
        processes.require_all()


def test_one_that_never_answers_is_given_up(processes: Processes) -> None:
    child = processes.start("silent", python("import time; time.sleep(600)"))

    with pytest.raises(ProcessFailed, match=r"did not answer at http://127\.0\.0\.1:9/ within 0 s"):
        processes.wait_for_http(child, "http://127.0.0.1:9/", seconds=0.2)


SUPERVISOR = """
import sys
from pathlib import Path
from intercom_assets.supervision.process_groups import group_is_empty, wait_until
from intercom_assets.supervision.interrupts import Interrupts
from intercom_assets.supervision.processes import Processes

interrupts = Interrupts()
with interrupts.listening():
    try:
        with Processes(Path(sys.argv[1]), {}, interrupts) as processes:
            children = [processes.start(name, sys.argv[2:]) for name in "ab"]
            print(*(child.popen.pid for child in children), flush=True)
            for child in children:
                child.popen.wait()
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 3])
def test_an_interrupted_supervisor_leaves_nothing_running(
    tmp_path: Path, signals: list[signal.Signals]
) -> None:
    supervisor = subprocess.Popen(
        python(SUPERVISOR, str(tmp_path / "processes"), "sleep", "600"),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with supervisor:
        assert supervisor.stdout is not None
        groups = [int(group) for group in supervisor.stdout.readline().split()]
        assert len(groups) == 2
        for each in signals:
            supervisor.send_signal(each)
        assert supervisor.stdout.read() == "stopped\n"
    assert supervisor.returncode == 0
    assert all(group_is_empty(group) for group in groups)


def start_while_interrupted(interrupts: Interrupts, done: list[str]) -> None:
    with interrupts.held():
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("started")
    done.append("went on")


def test_an_interrupt_during_a_start_comes_after_it() -> None:
    interrupts, done = Interrupts(), list[str]()
    with interrupts.listening(), pytest.raises(KeyboardInterrupt):
        start_while_interrupted(interrupts, done)
    assert done == ["started"]


def test_a_second_interrupt_does_not_disturb_the_stopping() -> None:
    with Interrupts().listening():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)


def test_signals_that_are_not_ignored_keep_their_handler() -> None:
    before = signal.getsignal(signal.SIGINT)
    with none_ignored():
        assert signal.getsignal(signal.SIGINT) is before
