"""PgBouncer in transaction mode between us and both databases: everything works through it.

Each transaction may meet another connection of the server's: what outlives a transaction (a
prepared statement, a setting of the session, its lock) would be lost or somebody else's. Skipped
where PgBouncer is not installed, unless REQUIRE_PGBOUNCER says that it must be.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.demo.addresses import free_ports
from intercom_assets.demo.sample_app import create_sample_app, seed
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.environment import opened, read_environment
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.apps.stage import a_stage

SERVERS = 3
"""Connections of the server's that all of ours share: fewer than we open, so they change hands."""
INI = """
[databases]
* = host={host} port={port} user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
server_round_robin = 1
logfile = {home}/pgbouncer.log
"""


@pytest.fixture
def pooled(empty_database: str, tmp_path: Path) -> Iterator[str]:
    """The address of the same database through PgBouncer."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        if os.environ.get("REQUIRE_PGBOUNCER"):
            pytest.fail("REQUIRE_PGBOUNCER is set and there is no pgbouncer")
        pytest.skip("there is no pgbouncer: apt-get install pgbouncer")
    server, [port] = urlsplit(empty_database), free_ports(1)
    home = tmp_path / "pooler"
    home.mkdir()
    text = INI.format(
        host=server.hostname, port=server.port or 5432, user=unquote(server.username or ""),
        password=unquote(server.password or ""), listen=port, servers=SERVERS, home=home,
    )  # fmt: skip
    (home / "pgbouncer.ini").write_text(text)
    as_somebody: list[str] = []
    if os.geteuid() == 0:
        # It refuses to run as root.
        for each in (home, *_ours_above(home)):
            each.chmod(0o755)
        shutil.chown(home, "nobody")
        (home / "pgbouncer.ini").chmod(0o644)
        as_somebody = ["--user", "nobody"]
    with subprocess.Popen(
        [program, "--quiet", *as_somebody, str(home / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        url = server._replace(netloc=f"{server.username}:x@127.0.0.1:{port}").geturl()
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()


def _ours_above(home: Path) -> Iterator[Path]:
    """The directories that pytest made for itself, each closed to others."""
    ends = {Path(tempfile.gettempdir()), Path("/")}
    return takewhile(lambda parent: parent not in ends, home.parents)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "pgbouncer ended by itself"
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("pgbouncer does not answer")


def test_everything_works_through_a_pooler_in_transaction_mode(pooled: str) -> None:
    create_sample_app(pooled)
    apply_schema(pooled)
    install_capture(pooled, load_mapping())
    seed(pooled, users=60, teams=10)

    with a_stage(pooled, None) as stage:
        stage.check_plan_and_sync()
        [contact] = [c for c in stage.intercom.contacts() if c["external_id"] == "2"]
        stage.intercom.by_hand.edit_contact(contact["id"], timezone="Asia/Tokyo")
        stage.app_does("update users set plan = 'business', time_zone = null where id = 2")
        stage.app_does("delete from memberships where user_id = 3")
        users, _ = stage.noticed()
        assert {"2", "3"} <= users
        stage.run("sync", "--user", "2", "3")
        assert stage.app_has("select time_zone, plan from users where id = 2") == [
            ("Asia/Tokyo", "business")
        ]
        with opened(read_environment(stage.shell.variables)) as services:
            swept, _ = sweep(services)
        assert (swept.looked, swept.queued) == (60, 0)
        stage.run("status")


def test_no_setting_of_ours_is_left_to_whoever_gets_the_connection_next(pooled: str) -> None:
    create_sample_app(pooled)
    apply_schema(pooled)
    with a_stage(pooled, None) as stage:
        stage.shell.run("check")
    asked = "current_setting('statement_timeout'), current_setting('lock_timeout')"

    found = set()
    for _ in range(SERVERS * 3):
        with psycopg.connect(pooled, prepare_threshold=None) as connection:
            row = connection.execute(f"select {asked}").fetchone()
            found.add(row)

    assert found == {("0", "0")}
