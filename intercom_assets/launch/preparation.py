"""What `up` needs to be there, what of it is missing, and making that.

Reads first (`read_ground`), then says in sentences what it would do (`steps`), then does it
(`prepare`): a dry run ends in the middle. An operator's own files are never overwritten.
Must not: our tables and Dagster's (`init-db` makes those), any process.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from intercom_assets.database.capture.state import capture_state
from intercom_assets.database.failures import address_problem
from intercom_assets.database.store.schema import schema_version, shipped_steps
from intercom_assets.launch import dagster_database
from intercom_assets.launch.dagster_database import DAGSTER_DATABASE_URL, DatabaseState
from intercom_assets.launch.services import DAGSTER_VARIABLES, DAGSTER_YAML, HOST, WORKSPACE
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    INTERCOM_ACCESS_TOKEN,
    INTERCOM_SYNC_CONFIG,
    Configuration,
    ConfigurationError,
    open_app_database,
    open_intercom,
)

DAGSTER_HOME = "DAGSTER_HOME"
DEFAULT_HOME = "dagster_home"
WORKSPACE_FILE = "intercom_assets_up.yaml"
LOGS = "service_logs"
"""Not `logs`: Dagster removes the directory of that name where telemetry is off."""
_PATHS = (INTERCOM_SYNC_CONFIG, "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PGPASSFILE")


@dataclass(frozen=True, slots=True)
class Ground:
    """What was found. `database`: of Dagster's; None where its dagster.yaml names another storage.

    `dagster_url` has a password in it and is not for showing.
    """

    home: Path
    home_is_default: bool
    has_home: bool
    has_yaml: bool
    dagster_url: str
    url_is_derived: bool
    database: DatabaseState | None
    schema: int | None
    is_the_apps: bool
    has_capture: bool


def read_ground(configuration: Configuration, env: Mapping[str, str]) -> Ground:
    """Raises `ConfigurationError`, `MappingError`, or what says that a database does not answer."""
    _require_what_nobody_can_make(configuration)
    home = Path(env.get(DAGSTER_HOME) or DEFAULT_HOME).expanduser().absolute()
    given = env.get(DAGSTER_DATABASE_URL, "").strip()
    url = _dagster_url(given, configuration.sync_url)
    used = _uses_our_variable(home)
    return Ground(
        home=home,
        home_is_default=not env.get(DAGSTER_HOME),
        has_home=home.is_dir(),
        has_yaml=(home / "dagster.yaml").exists(),
        dagster_url=url,
        url_is_derived=not given,
        schema=schema_version(configuration.sync_url),
        has_capture=_has_capture(configuration),
        database=dagster_database.state_of(url, configuration.sync_url) if used else None,
        is_the_apps=used and dagster_database.same(url, configuration.app_url),
    )


def steps(ground: Ground, port: int) -> Iterator[str]:
    """What is done, in order, a sentence each."""
    default = f" ({DAGSTER_HOME} is not set)" if ground.home_is_default else ""
    if not ground.has_home:
        yield f"make Dagster's home {ground.home}{default}"
    else:
        yield f"use Dagster's home {ground.home}{default}"
    if ground.has_yaml:
        yield "leave its dagster.yaml as it is"
    else:
        yield "write its dagster.yaml, a copy of intercom_assets/deploy/dagster.yaml"
    if ground.database is not None:
        name = dagster_database.name_of(ground.dagster_url)
        derived = " (DAGSTER_DATABASE_URL is not set)" if ground.url_is_derived else ""
        verb = "use" if ground.database is DatabaseState.THERE else "make"
        where = " on the server of the sync's own tables" if ground.url_is_derived else ""
        yield f"{verb} Dagster's database {name}{where}{derived}"
    yield _about_tables(ground.schema)
    if not ground.has_capture:
        yield (
            "leave the app's database as it is: the triggers that sync.yaml asks for are not in "
            "place, so changes wait for the nightly sweep; intercom-assets install-capture makes "
            "them (--dry-run shows the SQL)"
        )
    yield f"start a code server, Dagster's daemon and its webserver at http://{HOST}:{port}"
    yield f"keep their logs in {ground.home / LOGS}"


def refuse(ground: Ground) -> None:
    """Raises `ConfigurationError` for what is missing and cannot be made, or is another's."""
    if ground.is_the_apps:
        raise ConfigurationError(
            f"{DAGSTER_DATABASE_URL} names the app's own database, where Dagster's tables (runs, "
            "jobs, alembic_version and others) would stand among the app's: name one of its own, "
            "or unset it, and one is made"
        )
    if ground.database is DatabaseState.NOT_ALLOWED:
        raise ConfigurationError(
            f"Dagster's database {dagster_database.name_of(ground.dagster_url)} "
            f"{DatabaseState.NOT_ALLOWED.value}: {dagster_database.by_hand(ground.dagster_url)}"
        )


def prepare(ground: Ground, beside: str) -> None:
    """Home, dagster.yaml and database. `beside`: another database of that server, perhaps."""
    try:
        ground.home.mkdir(parents=True, exist_ok=True)
        if not ground.has_yaml:
            with (ground.home / "dagster.yaml").open("x", encoding="utf-8") as file:
                file.write(DAGSTER_YAML.read_text("utf-8"))
    except OSError as error:
        raise cannot_write(ground.home, error) from None
    if ground.database is DatabaseState.TO_BE_MADE:
        dagster_database.create(ground.dagster_url, beside)


def cannot_write(home: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{DAGSTER_HOME}: {error.filename or home} cannot be written: {error.strerror}; name a "
        "directory that can"
    )


def variables(ground: Ground, env: Mapping[str, str]) -> dict[str, str]:
    """For each child, over our own: what an operator set is left, and paths are made absolute."""
    ours = {name: value for name, value in DAGSTER_VARIABLES.items() if not env.get(name)}
    paths = {
        name: os.path.abspath(os.path.expanduser(env[name])) for name in _PATHS if env.get(name)
    }
    database = {DAGSTER_DATABASE_URL: ground.dagster_url} if ground.database else {}
    return {**ours, **paths, **database, DAGSTER_HOME: str(ground.home)}


def write_workspace(home: Path, code_port: int) -> Path:
    """Ours alone, and written anew at each start: the code server's port is another one."""
    file = home / WORKSPACE_FILE
    try:
        file.write_text(WORKSPACE.format(port=code_port))
    except OSError as error:
        raise cannot_write(home, error) from None
    return file


def require_free(port: int) -> None:
    """Raises `ConfigurationError` if something listens on `port` of this machine already."""
    with socket.socket() as probe:
        # Without it a port that was used a minute ago would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of this machine cannot be used for Dagster's webserver: "
                f"{(error.strerror or str(error)).lower()}; nothing was started. End what listens "
                "there, or name another one: intercom-assets up --port NUMBER"
            ) from None


def _require_what_nobody_can_make(configuration: Configuration) -> None:
    for name, given in (
        (APP_DATABASE_URL, configuration.app_url),
        (INTERCOM_ACCESS_TOKEN, configuration.token),
        (INTERCOM_SYNC_CONFIG, configuration.mapping_folder),
    ):
        if not given:
            raise ConfigurationError(
                f"{name} is not set: `intercom-assets up` needs it, and `intercom-assets check` "
                "says what else does"
            )
    open_intercom(configuration, load_mapping(configuration.mapping_folder).settings)
    open_app_database(configuration).close()


def _dagster_url(given: str, sync_url: str) -> str:
    name = DAGSTER_DATABASE_URL if given else "SYNC_DATABASE_URL (or APP_DATABASE_URL, its default)"
    if problem := address_problem(given or sync_url):
        raise ConfigurationError(f"{name}: {problem}")
    try:
        if given:
            return dagster_database.address_of(given)
        return dagster_database.address_of(sync_url, dagster_database.default_name(sync_url))
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            f"{name} is not the address of a PostgreSQL database, which looks like postgresql://user:password@host:5432/name"
        ) from None


def _uses_our_variable(home: Path) -> bool:
    """An operator's own dagster.yaml may keep Dagster's storage wherever it likes."""
    try:
        return DAGSTER_DATABASE_URL in (home / "dagster.yaml").read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{home / 'dagster.yaml'} cannot be read: {error}") from None


def _has_capture(configuration: Configuration) -> bool:
    """What `up` never makes by itself, since it writes in the app's database."""
    mapping = load_mapping(configuration.mapping_folder)
    if mapping.settings.capture == "polling":
        return True
    return capture_state(configuration.app_url, mapping, configuration.workspace).complete


def _about_tables(found: int | None) -> str:
    newest = len(shipped_steps())
    if found is None:
        tables = "make the sync's own tables"
    elif found < newest:
        tables = f"bring the sync's own tables from version {found} to {newest}"
    else:
        tables = "find the sync's own tables up to date"
    return f"{tables}, and give Dagster's pool its size (intercom-assets init-db)"
