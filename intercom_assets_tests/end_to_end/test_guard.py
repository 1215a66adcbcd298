"""A demo that is killed, and so cannot stop anything itself, leaves nothing behind either."""

import signal
import subprocess
import sys
from pathlib import Path

from intercom_assets.supervision.lockfiles import postmaster, serves
from intercom_assets.supervision.process_groups import group_is_empty, wait_until
from intercom_assets.supervision.reaper import things_left

DEMO = """
import os, signal, sys
from intercom_assets.supervision.reaper import Guard
from intercom_assets.supervision.workdir import demo_place
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets.supervision.processes import Processes, clean_environment

with demo_place() as place, Guard(clean_environment({})) as guard:
    guard.watch_place(place)
    guard.watch_server(place / "postgres")
    with (
        EmbeddedPostgres(place / "postgres") as server,
        Processes(place / "processes", {}, guard=guard) as processes,
    ):
        children = [processes.start(name, ["sleep", "600"]) for name in "ab"]
        print(place, *(child.popen.pid for child in children), flush=True)
        sys.stdin.read()
"""


def the_demo() -> "tuple[subprocess.Popen[str], Path, list[int]]":
    demo = subprocess.Popen(
        [sys.executable, "-c", DEMO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    place, *groups = demo.stdout.readline().split()
    return demo, Path(place), [int(group) for group in groups]


def test_a_killed_demo_leaves_no_process_no_server_and_no_file() -> None:
    demo, place, groups = the_demo()
    server = postmaster(place / "postgres" / "data")
    assert serves(server, place / "postgres" / "data")

    with demo:
        demo.send_signal(signal.SIGKILL)

    assert wait_until(lambda: not place.exists(), seconds=30)
    assert all(group_is_empty(group) for group in groups)
    assert not serves(server, place / "postgres" / "data")


def test_a_demo_that_ends_in_order_leaves_the_guard_nothing_to_do() -> None:
    demo, place, groups = the_demo()

    demo.communicate()

    assert demo.returncode == 0
    assert not place.exists()
    assert all(group_is_empty(group) for group in groups)


def test_what_is_left_is_ended_in_reverse_order() -> None:
    answer = ["+ place /tmp/a b", "+ server /tmp/a b/pg", "+ group 7", "+ group 8", "- group 7"]

    assert things_left(answer) == [
        ("group", "8"),
        ("server", "/tmp/a b/pg"),
        ("place", "/tmp/a b"),
    ]


def test_a_guard_that_was_told_that_all_has_ended_ends_nothing() -> None:
    assert things_left(["+ place /tmp/a", "- all "]) == []
