"""`sync --all` ended by `kill -9` in the middle: what it had done is told as its doing."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter

from intercom_assets.database.store.store import Store
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.sync import environment
from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.database.mappings import run

COMMAND = (sys.executable, "-m", "intercom_assets.cli.main", "sync", "--all")
WAIT_TIMEOUT_S = 120
SLOW, SOME = 150, 8
"""Milliseconds a call, and the contacts that are there when the process is killed."""


def test_what_a_killed_sync_wrote_is_explained_and_can_be_undone(shell: Shell) -> None:
    url = shell.variables[environment.APP_DATABASE_URL]
    shell.intercom.set(latency_ms=SLOW)
    killed = subprocess.Popen(
        COMMAND,
        env={**os.environ, **shell.variables, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert wait_until(lambda: len(shell.intercom.contacts()) >= SOME, WAIT_TIMEOUT_S, every=0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    there = {contact["external_id"] for contact in shell.intercom.contacts()}
    run(url, "update intercom_sync.queue set claim_until = now() - interval '1 s'")
    shell.intercom.set(latency_ms=0)

    done = shell.run("sync", "--all")

    assert done.exit_code == 0, done.output
    with Store(url) as store:
        journals = {user: store.journal.of_key(user) for user in there}
        made = {user: [r.run_id for r in journals[user] if r.entry.action == "created"]
                for user in there}  # fmt: skip
        assert Counter(len(runs) for runs in made.values()) == {1: len(there)}
        [dead] = {run_id for [run_id] in made.values()}
        touched = {row.entry.key for row in store.journal.of_run(dead) if row.entry.kind == "user"}
    assert touched == there
    answer = json.loads(shell.run("explain", "--user", min(there), "--json").stdout)
    assert dead in str(answer)
    undone = shell.run("undo", "--run", dead)
    assert undone.exit_code == 0, undone.output
    assert "an undo never deletes" in " ".join(undone.stdout.split())
