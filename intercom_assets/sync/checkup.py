"""`check`, without a terminal: every probe in the order in which an operator mends things.

A probe that fails is a finding and hides no other; what needs what has failed is told as not looked
at. Nothing is written on either side, nor in our own tables. The pool's row is Dagster's, so its
question comes from outside (`pool`).
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from intercom_assets.database.app import AppDatabase
from intercom_assets.database.schema import schema_version, shipped_steps
from intercom_assets.database.store import Store
from intercom_assets.domain.fields import Field, fields_of_teams, fields_of_users
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.mapping.load import AppMapping, MappingError, load_mapping
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets.sync.check_app import (
    APP,
    CAPTURE,
    RIGHTS,
    ROLE,
    check_capture,
    check_rights,
    check_server,
    check_standby,
)
from intercom_assets.sync.check_intercom import (
    INTERCOM,
    SCOPES,
    check_attributes,
    check_companies,
    check_contacts,
    check_limits,
    check_token,
)
from intercom_assets.sync.check_mapping import (
    EDIT,
    MAPPING,
    check_cost,
    check_files,
    check_mapping,
    check_rows,
    check_selected,
    check_steady,
)
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    INTERCOM_ACCESS_TOKEN,
    INTERCOM_SYNC_ENABLED,
    MEANS_ON,
    SAID_IN_ONE_SENTENCE,
    SYNC_DATABASE_URL,
    Configuration,
    ConfigurationError,
    open_intercom,
)
from intercom_assets.sync.findings import Finding, Part, Verdict

CONFIGURATION, TABLES, DAGSTER = Part("Configuration"), Part("Own tables"), Part("Dagster")
IN_EVERY_PROCESS = {
    "DAGSTER_EVENT_BATCH_SIZE": "500",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
}
PATIENCE = 25.0
"""Seconds for one question to Intercom, its retries included."""
REACH = "Correct the address, or let this machine reach it; then run check again."
LOOKS_LIKE = "which looks like postgresql://user:password@host:5432/name."
INIT_DB = "Run intercom-assets init-db."


@dataclass(frozen=True, slots=True)
class WhoWins:
    """The fields of this mapping."""

    users: tuple[Field, ...]
    teams: tuple[Field, ...]


class Checkup:
    """`env`: the process's variables. `pool`: why Dagster's pool is not ready; None if it is.

    `who_wins` is known once the findings were read, if the mapping fits the app's database.
    """

    def __init__(
        self,
        configuration: Configuration,
        env: Mapping[str, str],
        pool: Callable[[], str | None],
    ) -> None:
        self._configuration, self._env, self._pool = configuration, env, pool
        self._mapping: AppMapping | None = None
        self._app: AppDatabase | None = None
        self.who_wins: WhoWins | None = None

    def findings(self) -> Iterator[Finding]:
        """One after the other as they are found; raises nothing."""
        yield from _configured(self._configuration)
        reached = yield from self._look_at_server()
        yield from self._look_at_files()
        yield from self._look_at_mapping(reached)
        yield from TABLES.probe("schema", lambda: _schema(self._configuration.sync_url), REACH)
        yield from DAGSTER.probe("pool", lambda: _dagster(self._env, self._pool), INIT_DB)
        yield from self._look_at_intercom()
        if self._app:
            self._app.close()

    def _look_at_server(self) -> Generator[Finding, None, bool]:
        """Whether it answered."""
        url = self._configuration.app_url
        if not url:
            yield APP.skipped("reachable", APP_DATABASE_URL)
            return False
        found = list(APP.probe("reachable", lambda: check_server(url, time.time()), REACH))
        yield from found
        return any(finding.verdict is Verdict.OK for finding in found)

    def _look_at_files(self) -> Iterator[Finding]:
        folder = self._configuration.mapping_folder
        yield from MAPPING.probe("files", lambda: check_files(folder), EDIT)
        with suppress(MappingError):
            self._mapping = load_mapping(folder)

    def _look_at_mapping(self, reached: bool) -> Iterator[Finding]:
        url, mapping = self._configuration.app_url, self._mapping
        if mapping is None or not reached:
            yield MAPPING.skipped("queries", "the mapping's files and the app's database")
            return
        problems = list(MAPPING.probe("queries", lambda: check_mapping(url, mapping), EDIT))
        yield from problems
        if problems:
            yield CAPTURE.skipped("triggers", "queries that fit the app's database")
            return
        self._app = AppDatabase(url, mapping)
        yield from self._look_at_rows(self._app)

    def _look_at_rows(self, app: AppDatabase) -> Iterator[Finding]:
        yield from MAPPING.probe("queries", lambda: check_selected(app), EDIT)
        rows = list(MAPPING.probe("rows", lambda: check_rows(app), EDIT))
        yield from rows
        if any(finding.verdict is Verdict.BAD for finding in rows):
            yield MAPPING.skipped("same twice", "rows that can be read")
        else:
            yield from MAPPING.probe("same twice", lambda: check_steady(app), EDIT)
            yield from MAPPING.probe("cost", lambda: check_cost(app), EDIT)
        yield from RIGHTS.probe("replica", lambda: check_standby(app), REACH)
        yield from RIGHTS.probe("rights", lambda: check_rights(app), ROLE)
        yield from CAPTURE.probe("triggers", lambda: check_capture(app, time.time()), ROLE)
        with suppress(*SAID_IN_ONE_SENTENCE):
            self.who_wins = _who_wins(app)

    def _look_at_intercom(self) -> Iterator[Finding]:
        if not self._configuration.token:
            yield INTERCOM.skipped("token", INTERCOM_ACCESS_TOKEN)
            return
        settings = self._mapping.settings if self._mapping else SyncSettings.model_validate({})
        try:
            client = open_intercom(self._configuration, settings)
        except ConfigurationError as error:
            yield INTERCOM.bad("token", str(error), "Correct that variable.")
            return
        token = list(
            INTERCOM.probe("token", lambda: check_token(_view(client), self._configuration), SCOPES)
        )
        yield from token
        if not any(f.verdict is Verdict.BAD for f in token):
            yield from self._look_at_workspace(client, settings)
        client.close()

    def _look_at_workspace(
        self, client: IntercomClient, settings: SyncSettings
    ) -> Iterator[Finding]:
        yield from INTERCOM.probe("contacts", lambda: check_contacts(_view(client)), SCOPES)
        yield from INTERCOM.probe("companies", lambda: check_companies(_view(client)), SCOPES)
        if self.who_wins:
            fields = {"contact": self.who_wins.users, "company": self.who_wins.teams}
            yield from INTERCOM.probe(
                "attributes", lambda: check_attributes(_view(client), fields), SCOPES
            )
        else:
            yield INTERCOM.skipped("attributes", "a mapping that fits the app's database")
        yield from INTERCOM.probe(
            "rate limit", lambda: check_limits(client, settings.rate_share), SCOPES
        )


def _view(client: IntercomClient) -> IntercomClient:
    """Answers within `PATIENCE`, or fails."""
    return client.within(time.monotonic() + PATIENCE)


def _configured(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.app_url:
        yield CONFIGURATION.bad(
            "app", f"{APP_DATABASE_URL} is not set.", f"Set it to the app's database, {LOOKS_LIKE}"
        )
    elif configuration.sync_url == configuration.app_url:
        yield CONFIGURATION.ok("databases", "The sync's own tables are in the app's database.")
    else:
        yield CONFIGURATION.ok("databases", "The sync's own tables are in a database of their own.")
    if not configuration.token:
        yield CONFIGURATION.bad(
            "token",
            f"{INTERCOM_ACCESS_TOKEN} is not set.",
            "Set it to an access token of the workspace: Developer Hub, your app, Configure, "
            "Authentication.",
        )
    if configuration.switch.lower() in MEANS_ON:
        yield CONFIGURATION.ok("switch", f"{INTERCOM_SYNC_ENABLED} is on.")
    else:
        yield CONFIGURATION.warning(
            "switch",
            f"{INTERCOM_SYNC_ENABLED} is {configuration.switch or 'not set'}: nothing is synced.",
            "Set it to true once `intercom-assets plan` shows what you want.",
        )


def _schema(url: str) -> Iterator[Finding]:
    if not url:
        yield TABLES.skipped("schema", f"{SYNC_DATABASE_URL} or {APP_DATABASE_URL}")
        return
    found, newest = schema_version(url), len(shipped_steps())
    if found is None:
        yield TABLES.bad("schema", "The schema intercom_sync is not there.", INIT_DB)
    elif found < newest:
        sentence = f"The schema intercom_sync is of version {found}, this program of {newest}."
        yield TABLES.bad("schema", sentence, INIT_DB)
    elif found > newest:
        sentence = f"The schema intercom_sync is of version {found}, newer than this program."
        yield TABLES.bad("schema", sentence, "Upgrade intercom_assets here.")
    else:
        with Store(url, max_connections=1) as store:
            due = sum(depth.due for depth in store.depth().values())
        yield TABLES.ok("schema", f"The schema intercom_sync is of version {found}; {due:,} due.")


def _dagster(env: Mapping[str, str], pool: Callable[[], str | None]) -> Iterator[Finding]:
    if not env.get("DAGSTER_HOME"):
        yield DAGSTER.warning(
            "home",
            "DAGSTER_HOME is not set: nothing of Dagster was looked at.",
            "Set it for the sensors; plan and sync need no Dagster.",
        )
        return
    for name, value in IN_EVERY_PROCESS.items():
        if not env.get(name):
            yield DAGSTER.bad(
                "events",
                f"{name} is not set: a backfill of 20,000 users spends half an hour on events.",
                f"Set {name}={value} for every Dagster process.",
            )
    if all(env.get(name) for name in IN_EVERY_PROCESS):
        yield DAGSTER.ok("events", "Events are written in batches.")
    if hindrance := pool():
        yield DAGSTER.bad("pool", hindrance, INIT_DB)
    else:
        yield DAGSTER.ok("pool", "The pool of all runs that call Intercom has its size.")


def _who_wins(app: AppDatabase) -> WhoWins:
    settings = app.mapping.settings
    return WhoWins(
        fields_of_users(app.users_columns, settings.fields, settings.write_back.columns),
        fields_of_teams(app.teams_columns),
    )
