"""What the environment asks for: which databases, which workspace, and whether to sync at all.

The only place that knows the names of our variables. Dagster's resources and the CLI read the same
`Configuration` and open the same `Services` from it; a mistake is one sentence that says what to
do. Opening connects to nothing.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError
from intercom_assets.intercom.client import API_VERSION, IntercomClient
from intercom_assets.intercom.http.addresses import checked_token, checked_url, checked_version
from intercom_assets.mapping.load import SAMPLE, load_mapping
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets.sync.context.services import Services

APP_DATABASE_URL = "APP_DATABASE_URL"
SYNC_DATABASE_URL = "SYNC_DATABASE_URL"
INTERCOM_ACCESS_TOKEN = "INTERCOM_ACCESS_TOKEN"
INTERCOM_API_VERSION = "INTERCOM_API_VERSION"
INTERCOM_BASE_URL = "INTERCOM_BASE_URL"
INTERCOM_SYNC_CONFIG = "INTERCOM_SYNC_CONFIG"
INTERCOM_SYNC_ENABLED = "INTERCOM_SYNC_ENABLED"
INTERCOM_WORKSPACE = "INTERCOM_WORKSPACE"
INTERCOM_ALERT_WEBHOOK = "INTERCOM_ALERT_WEBHOOK"
INTERCOM_CLIENT_SECRET = "INTERCOM_CLIENT_SECRET"
DAGSTER_WEBSERVER_URL = "DAGSTER_WEBSERVER_URL"

DEFAULT_BASE_URL = "https://api.intercom.io"
MEANS_ON = frozenset({"true", "1", "yes", "on"})


class ConfigurationError(OperatorError):
    """The environment lacks something, or has it wrong. One sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The variables as they were read. `repr` shows no token, secret or password.

    `mapping_folder`: None is the shipped sample app's, to read with; see `unmapped`. `switch`:
    INTERCOM_SYNC_ENABLED. `client_secret`: one or several, by which Intercom signs what it sends.
    `dagster_url`: of the webserver, for links to it.
    """

    app_url: str = field(default="", repr=False)
    sync_url: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    base_url: str = DEFAULT_BASE_URL
    mapping_folder: Path | None = None
    switch: str = ""
    api_version: str = API_VERSION
    workspace: str = ""
    client_secret: str = field(default="", repr=False)
    dagster_url: str = ""

    @property
    def refusal(self) -> str | None:
        """Why nothing may be synced now, whatever works; None if it may."""
        if self.switch.lower() not in MEANS_ON:
            now = f"is {self.switch!r}" if self.switch else "is not set"
            return (
                f"The sync is switched off: {INTERCOM_SYNC_ENABLED} {now}; "
                "set it to true to switch it on."
            )
        if not self.token:
            return (
                f"{INTERCOM_ACCESS_TOKEN} is not set: without the workspace's access token nothing "
                "can be read from or written to Intercom."
            )
        return self.unmapped

    @property
    def unmapped(self) -> str | None:
        """Why nothing may be written by this mapping; None if it was named."""
        if self.mapping_folder is not None or not self.app_url:
            return None
        return (
            f"{INTERCOM_SYNC_CONFIG} is not set: nothing is written with the sample's mapping; "
            "`intercom-assets init DIR` (or `init DIR --from`) makes yours, or set it to "
            f"{SAMPLE} to use the sample's."
        )


def no_dagster(env: Mapping[str, str] | None = None) -> str | None:
    """Why there is nothing of Dagster to work with yet, as half a sentence; None if there is."""
    home = (os.environ if env is None else env).get("DAGSTER_HOME", "").strip()
    if not home:
        return "DAGSTER_HOME is not set"
    # Beside something that is there it is to be made; anywhere else it is a slip of the pen.
    if not Path(home).exists() and Path(home).parent.is_dir():
        return f"DAGSTER_HOME is {home}, which is not there yet (`intercom-assets up` makes it)"
    return None


def read_environment(env: Mapping[str, str] | None = None) -> Configuration:
    """The configuration in `env` (default: the process's); blank is the same as absent."""
    given = {name: text.strip() for name, text in (os.environ if env is None else env).items()}
    folder = given.get(INTERCOM_SYNC_CONFIG)
    app_url = given.get(APP_DATABASE_URL, "")
    return Configuration(
        app_url=app_url,
        sync_url=given.get(SYNC_DATABASE_URL) or app_url,
        token=given.get(INTERCOM_ACCESS_TOKEN, ""),
        base_url=given.get(INTERCOM_BASE_URL) or DEFAULT_BASE_URL,
        mapping_folder=Path(os.path.expanduser(folder)) if folder else None,
        switch=given.get(INTERCOM_SYNC_ENABLED, ""),
        api_version=given.get(INTERCOM_API_VERSION) or API_VERSION,
        workspace=given.get(INTERCOM_WORKSPACE, ""),
        client_secret=given.get(INTERCOM_CLIENT_SECRET, ""),
        dagster_url=given.get(DAGSTER_WEBSERVER_URL, "").rstrip("/"),
    )


def open_services(configuration: Configuration) -> Services:
    """Both sides and our own tables, also while the sync is switched off. Close them after use.

    Raises `ConfigurationError` or `MappingError`. A missing token only fails the first call.
    """
    app = open_app_database(configuration)
    settings = app.mapping.settings
    return Services(
        app, open_store(configuration, settings), open_intercom(configuration, settings)
    )


@contextmanager
def opened(configuration: Configuration) -> Iterator[Services]:
    """`open_services`, with the connections closed at the end."""
    services = open_services(configuration)
    try:
        yield services
    finally:
        services.store.close()
        services.app.close()


def open_app_database(configuration: Configuration) -> AppDatabase:
    if not configuration.app_url:
        raise ConfigurationError(
            f"{APP_DATABASE_URL} is not set: set it to the address of the app's database, which "
            "looks like postgresql://user:password@host:5432/name."
        )
    return AppDatabase(configuration.app_url, load_mapping(configuration.mapping_folder))


def open_store(configuration: Configuration, settings: SyncSettings) -> Store:
    return Store(configuration.sync_url, journal_values=settings.journal_values)


def open_intercom(configuration: Configuration, settings: SyncSettings) -> IntercomClient:
    for name, given, check in (
        (INTERCOM_BASE_URL, configuration.base_url, checked_url),
        (INTERCOM_ACCESS_TOKEN, configuration.token, checked_token),
        (INTERCOM_API_VERSION, configuration.api_version, checked_version),
    ):
        try:
            check(given)
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}") from None
    try:
        return IntercomClient(
            configuration.token,
            configuration.base_url,
            version=configuration.api_version,
            rate_share=settings.rate_share,
            connections=settings.threads,
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
