"""The embedded server: found, started, taken over from a killed supervisor, gone without trace."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from intercom_assets.supervision import binaries
from intercom_assets.supervision.binaries import PostgresUnavailable, find_binaries, service_account
from intercom_assets.supervision.lockfiles import postmaster, serves
from intercom_assets.supervision.postgres import EmbeddedPostgres
from intercom_assets_tests.abandoned import remove_abandoned
from intercom_assets_tests.places import roomy_place


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """A home whose server ran and was stopped: copying it is faster than another initdb."""
    with a_place() as path:
        with EmbeddedPostgres(path / "home", durable=False):
            pass
        yield path / "home"


@pytest.fixture
def place() -> Iterator[Path]:
    with a_place() as path:
        yield path


@pytest.fixture
def home(place: Path, made_once: Path) -> Path:
    """A home with data and without a server."""
    account = service_account(made_once / "data")
    shutil.copytree(made_once, place / "home")
    for path in [place / "home", *(place / "home").rglob("*")]:
        account.own(path)
    return place / "home"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, durable=False)
    server.start()
    yield server
    server.stop()


@contextmanager
def a_place() -> Iterator[Path]:
    """A directory that any user may enter; pytest's own is closed to the one PostgreSQL runs as."""
    path = Path(tempfile.mkdtemp(prefix="a place with spaces ", dir=roomy_place()))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def abandon(home: Path) -> None:
    """Starts a server by a supervisor that is killed with it running."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from intercom_assets.supervision.postgres import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1]), durable=False).start()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(home)], check=False)
    assert done.returncode == -signal.SIGKILL


def do(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_it_speaks_utf8_and_utc_whatever_the_host_does(server: EmbeddedPostgres) -> None:
    assert ask(server.url(), "select current_setting('server_encoding')") == "UTF8"
    assert ask(server.url(), "select current_setting('TimeZone')") == "UTC"
    assert ask(server.url(), "select upper('zoë')") == "ZOË"


def test_it_listens_on_this_machine_only_and_wants_the_password(server: EmbeddedPostgres) -> None:
    assert ask(server.url(), "select current_setting('listen_addresses')") == "127.0.0.1"
    wrong = server.url().replace("@127.0.0.1", "x@127.0.0.1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(wrong, "select 1")


def test_only_its_owner_can_read_the_password(server: EmbeddedPostgres) -> None:
    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.home.stat().st_mode) == 0o700


def test_its_data_are_there_after_a_stop_and_a_start(server: EmbeddedPostgres) -> None:
    do(server.url(), "create table kept as select 1")

    server.stop()
    server.start()

    assert ask(server.url(), "select count(*) from kept") == 1


def test_a_second_supervisor_is_told_to_look_elsewhere(server: EmbeddedPostgres) -> None:
    with pytest.raises(PostgresUnavailable, match="Another process runs the PostgreSQL server"):
        EmbeddedPostgres(server.home).start()

    assert ask(server.url(), "select 1") == 1


def test_a_server_whose_supervisor_was_killed_is_taken_over(home: Path) -> None:
    abandon(home)
    left_running = postmaster(home / "data")

    with EmbeddedPostgres(home, durable=False) as server:
        assert postmaster(home / "data") == left_running
        assert ask(server.url(), "select 1") == 1
    assert postmaster(home / "data") is None


def test_a_killed_server_starts_again_with_all_that_was_committed(server: EmbeddedPostgres) -> None:
    do(server.url(), "create table kept as select 1")
    found = postmaster(server.home / "data")
    assert found is not None
    os.kill(found[0], signal.SIGKILL)
    while serves(found, server.home / "data"):
        pass

    server.stop()
    server.start()

    assert ask(server.url(), "select count(*) from kept") == 1


@pytest.mark.parametrize("state", ["alive", "zombie"])
def test_another_process_with_the_number_of_the_old_server_is_no_server(
    server: EmbeddedPostgres, state: str
) -> None:
    server.stop()
    stranger = subprocess.Popen(["sleep", "600" if state == "alive" else "0"])
    remains = f"{stranger.pid}\n{server.home}/data\n1780000000\n1\n\n127.0.0.1\n"
    (server.home / "data" / "postmaster.pid").write_text(remains)
    try:
        server.start()
        assert ask(server.url(), "select 1") == 1
        assert state == "zombie" or stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_initdb_is_begun_anew(place: Path) -> None:
    (place / "home" / "data.unfinished").mkdir(parents=True)
    (place / "home" / "data.unfinished" / "half").touch()
    if os.geteuid() == 0:
        (place / "home").chmod(0o777)

    with EmbeddedPostgres(place / "home", durable=False) as server:
        assert ask(server.url(), "select 1") == 1


def test_removing_leaves_neither_a_process_nor_a_file(server: EmbeddedPostgres) -> None:
    found = postmaster(server.home / "data")

    server.remove()

    assert not serves(found, server.home / "data")
    assert not server.home.exists()


def test_what_killed_test_sessions_left_is_cleared_away(
    home: Path, server: EmbeddedPostgres
) -> None:
    abandoned = home.with_name("home-abandoned")
    abandon(abandoned)
    left_running = postmaster(abandoned / "data")
    for each in (home, abandoned):
        os.utime(each / "supervisor.lock", (0, 0))

    assert remove_abandoned(home.parent, "home") == [abandoned]

    assert ask(server.url(), "select 1") == 1
    assert not serves(left_running, abandoned / "data")
    assert not abandoned.exists()


def test_one_that_is_just_being_made_is_not_cleared_away(server: EmbeddedPostgres) -> None:
    server.stop()

    assert remove_abandoned(server.home.parent, "home") == []
    assert server.home.exists()


def test_data_of_another_version_are_refused_in_a_sentence(server: EmbeddedPostgres) -> None:
    server.stop()
    (server.home / "data" / "PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresUnavailable, match=r"were made by PostgreSQL 9, .* start afresh"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands over to another account")
def test_root_is_told_when_the_other_account_cannot_enter(place: Path) -> None:
    place.chmod(0o700)

    with pytest.raises(PostgresUnavailable, match=r"who may not enter .*; choose a directory"):
        EmbeddedPostgres(place / "home").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands over to another account")
def test_programs_that_the_other_account_cannot_reach_are_copied(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = find_binaries().parent
    package, libraries = install.parent, install.parent.with_name(f"{install.parent.name}.libs")
    closed = home.parent / "closed" / package.name / install.name
    shutil.copytree(install, closed, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, home.parent / "closed" / libraries.name)
    (home.parent / "closed").chmod(0o700)
    monkeypatch.setattr(binaries, "find_binaries", lambda: closed / "bin")

    with EmbeddedPostgres(home, durable=False) as server:
        assert ask(server.url(), "select 1") == 1


def test_without_the_wheels_pg_bin_names_the_programs(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in binaries.NEEDED:
        (place / program).touch(mode=0o755)
    monkeypatch.setattr(binaries, "WHEELS", ())
    monkeypatch.setenv("PG_BIN", str(place))

    assert find_binaries() == place


def test_without_any_programs_the_three_ways_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEELS", ())
    monkeypatch.setattr(binaries, "USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("PG_BIN", raising=False)

    with pytest.raises(PostgresUnavailable, match=r"pip install.*PG_BIN.*--database-url"):
        find_binaries()
