"""A PostgreSQL server of our own, from the programs of a wheel: for the demo and the tests.

Belongs here: one server in one directory, started, adopted when its supervisor was killed, stopped.
It listens on 127.0.0.1 only, and only whoever can read its password file gets in.
Must not: knowing what databases are for (`demo/databases.py`, the sample app).
"""

import os
import secrets
import shlex
import shutil
import socket
import time
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import psycopg

from intercom_assets.supervision.binaries import (
    Account,
    Binaries,
    PostgresUnavailable,
    service_account,
    usable_binaries,
)
from intercom_assets.supervision.lockfiles import exclusive, postmaster, serves

SUPERUSER = "postgres"
START_SECONDS, STOP_SECONDS = "60", "20"
PATIENCE_SECONDS = 15
"""For the remains of a killed server: its processes notice, and let go of the shared memory."""
SETTINGS = (
    "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
    "dynamic_shared_memory_type=mmap",
)  # fmt: skip
"""mmap: nothing outside `home`. In containers /dev/shm is small, and a killed server litters it."""
FORGETFUL_SETTINGS = (
    "fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
    "autovacuum=off",
)  # fmt: skip
"""For tests. A killed process still loses nothing committed; a machine that loses power may."""


class EmbeddedPostgres:
    """The server whose files are in `home`, as a context manager or by `start` and `stop`.

    `home` is made if it is missing. While a supervisor lives no other one can use its `home`.
    `durable=False` trades safety against loss of power for speed. `port`: where it has to listen;
    otherwise it takes a free one.
    """

    def __init__(self, home: Path, *, durable: bool = True, port: int | None = None) -> None:
        self.home = home.absolute()
        self._wanted = port
        self._settings = SETTINGS if durable else SETTINGS + FORGETFUL_SETTINGS
        self._data = self.home / "data"
        self._log = self.home / "server.log"
        self._account = Account()
        self._binaries: Binaries | None = None
        self._lock: IO[str] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: str = "postgres") -> str:
        """Address and password of `database`. Raises `PostgresUnavailable` before `start`."""
        if not self._port:
            raise PostgresUnavailable(f"The PostgreSQL server in {self.home} was not started.")
        return self._url(self._port, database)

    def start(self) -> None:
        """Returns when the server answers; one that a killed supervisor left is taken over."""
        try:
            self._prepare()
            self._port = self._adopted() or self._launched()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the server, whatever is connected to it. Harmless when it does not run."""
        if self._lock and serves(postmaster(self._data), self._data):
            self._end()
        if self._lock:
            self._lock.close()
        self._lock, self._port = None, 0

    def end(self) -> None:
        """Ends a server that runs in `home`, also one that a killed supervisor left."""
        try:
            if not self._lock:
                self._claim()
        finally:
            self.stop()

    def remove(self) -> None:
        """Ends the server and deletes `home`, all data included."""
        self.end()
        shutil.rmtree(self.home)

    # --- before the first start -------------------------------------------------------------------

    def _claim(self) -> Binaries:
        self._account = service_account(self._data)
        if not self.home.exists():
            self.home.mkdir(parents=True, mode=0o700)
            self._account.own(self.home)
        self._lock = exclusive(self.home)
        self._require_reachable()
        self._binaries = usable_binaries(self._account, self.home)
        return self._binaries

    def _prepare(self) -> None:
        binaries = self._claim()
        if not self._data.exists():
            self._initialise(binaries)
        made_by = int((self._data / "PG_VERSION").read_text())
        if made_by != binaries.major:
            raise PostgresUnavailable(
                f"The data in {self._data} were made by PostgreSQL {made_by}, and the programs "
                f"found are of version {binaries.major}; remove {self.home} to start afresh."
            )

    def _require_reachable(self) -> None:
        if self._account.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(self.home)]).returncode:
            raise PostgresUnavailable(
                f"PostgreSQL does not run as root but as `{self._account.name}`, who may not enter "
                f"{self.home}; choose a directory below /tmp, or open its parents with chmod o+x."
            )

    def _initialise(self, binaries: Binaries) -> None:
        """Into a directory of another name first: an interrupted initdb leaves half of one."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _write_secret(self._password_file, secrets.token_urlsafe(24), self._account)
        self._log.touch()
        self._account.own(self._log)
        locale = ["--locale=C"]
        if binaries.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = self._account.run(
            [
                binaries / "initdb", "-D", str(unfinished), "-U", SUPERUSER, "-E", "UTF8", *locale,
                "-A", "scram-sha-256", f"--pwfile={self._password_file}",
                "--no-sync", "--no-instructions",
            ],
            cwd=self.home,
        )  # fmt: skip
        if done.returncode:
            raise PostgresUnavailable(f"initdb failed in {self.home}: {done.stderr.strip()}")
        unfinished.rename(self._data)

    @property
    def _password_file(self) -> Path:
        return self.home / "password"

    def _url(self, port: int, database: str) -> str:
        password = quote(self._password_file.read_text().strip(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/{quote(database, safe='')}"

    # --- a server that is there already -----------------------------------------------------------

    def _adopted(self) -> int | None:
        """The port of a server that runs on our data; None once nothing of one is left.

        One that lives and does not answer (starting, stopping, hung) is waited for, then ended.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while found := postmaster(self._data):
            pid, port = found
            if not serves(found, self._data):
                (self._data / "postmaster.pid").unlink(missing_ok=True)
            elif self._answers(port):
                return port
            elif time.monotonic() > deadline and not self._end():
                raise PostgresUnavailable(
                    f"Process {pid}, an earlier server in {self.home}, neither answers nor ends; "
                    "end it, then start again."
                )
            time.sleep(0.05)
        return None

    def _answers(self, port: int) -> bool:
        """Whether the server on `port` is ours: it takes our password and works on our data."""
        try:
            with psycopg.connect(self._url(port, "postgres"), connect_timeout=2) as connection:
                row = connection.execute("show data_directory").fetchone()
        except psycopg.Error:
            return False
        return row is not None and Path(row[0]).resolve() == self._data.resolve()

    # --- starting and stopping --------------------------------------------------------------------

    def _launched(self) -> int:
        """Tries again on another port, and while the remains of a killed server still go away."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            port = self._wanted or _free_port()
            settings = [f"port={port}", *self._settings]
            options = shlex.join(word for setting in settings for word in ("-c", setting))
            # Without a log file the server inherits our pipe, and reading its end waits for ever.
            log = str(self._log)
            started = self._pg_ctl("start", "-l", log, "-o", options, "-t", START_SECONDS)
            if started and self._answers(port):
                return port
            if time.monotonic() > deadline:
                raise PostgresUnavailable(
                    f"PostgreSQL did not start in {self.home}; the end of its log says: "
                    f"{' | '.join(_last_lines(self._log))}"
                )
            time.sleep(0.2)

    def _pg_ctl(self, *arguments: str) -> bool:
        if not self._binaries:
            return False
        command = [self._binaries / "pg_ctl", *arguments, "-D", str(self._data), "-w"]
        return self._account.run(command, cwd=self.home).returncode == 0

    def _end(self) -> bool:
        return any(
            self._pg_ctl("stop", "-m", mode, "-t", STOP_SECONDS) for mode in ("fast", "immediate")
        )


def _write_secret(path: Path, secret: str, account: Account) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
    account.own(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _last_lines(log: Path) -> list[str]:
    text = log.read_text(errors="replace") if log.exists() else ""
    return text.splitlines()[-5:] or ["(nothing)"]
