"""`check`, without a terminal: every probe in the order in which an operator mends things.

A probe that fails is a finding and hides no other; what needs what has failed is told as not looked
at. Nothing is written on either side, nor in our own tables. The pool's row is Dagster's, so its
question comes from outside (`pool`).
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.fields import OWNERS, Field, fields_of_teams, fields_of_users
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.mapping.load import AppMapping, load_mapping
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    INTERCOM_ACCESS_TOKEN,
    Configuration,
    ConfigurationError,
    open_intercom,
)
from intercom_assets.sync.preflight.check_app import (
    APP,
    CAPTURE,
    RIGHTS,
    ROLE,
    check_capture,
    check_rights,
    check_server,
    check_standby,
    check_write_back,
)
from intercom_assets.sync.preflight.check_intercom import (
    INTERCOM,
    SCOPES,
    check_attributes,
    check_companies,
    check_contacts,
    check_limits,
    check_owners,
    check_tags,
    check_token,
)
from intercom_assets.sync.preflight.check_mapping import (
    MAPPING,
    check_cost,
    check_determinism,
    check_files,
    check_mapping,
    check_rows,
    check_secrets,
    check_selected,
    check_shared_emails,
    files_with_tags,
)
from intercom_assets.sync.preflight.check_probed import check_probed
from intercom_assets.sync.preflight.check_setup import (
    DAGSTER,
    INIT_DB,
    TABLES,
    check_configuration,
    check_dagster,
    check_schema,
    check_variables,
)
from intercom_assets.sync.preflight.check_webhooks import WEBHOOKS, check_webhooks
from intercom_assets.sync.preflight.findings import EDIT, Finding, Severity

PROBE_TIMEOUT_S = 25.0
"""Seconds for one question to Intercom, its retries included."""
REACH = "Correct the address, or let this machine reach it; then run check again."


@dataclass(frozen=True, slots=True)
class PolicyFields:
    """The fields of this mapping."""

    users: tuple[Field, ...]
    teams: tuple[Field, ...]


class Preflight:
    """`env`: the process's variables. `pool`: why Dagster's pool is not ready; None if it is.
    `settings`: what of dagster.yaml is missing, in sentences.

    `who_wins` is known once the findings were read, if the mapping fits the app's database.
    """

    def __init__(
        self,
        configuration: Configuration,
        env: Mapping[str, str],
        pool: Callable[[], str | None],
        settings: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._configuration, self._env, self._pool = configuration, env, pool
        self._settings = settings
        self._mapping: AppMapping | None = None
        self._app: AppDatabase | None = None
        self.policies: PolicyFields | None = None
        self._tagging: Sequence[str] = ()

    def findings(self) -> Iterator[Finding]:
        """One after the other as they are found; raises nothing."""
        yield from check_configuration(self._configuration)
        yield from check_variables(self._env)
        reached = yield from self._look_at_server()
        yield from self._look_at_files()
        yield from self._look_at_mapping(reached)
        tables = yield from self._look_at_tables(reached)
        yield from DAGSTER.probe(
            "pool", lambda: check_dagster(self._env, self._pool, self._settings), INIT_DB
        )
        yield from self._look_at_intercom()
        if tables:
            yield from INTERCOM.probe("probe", lambda: check_probed(self._configuration), INIT_DB)
        yield from self._look_at_webhooks(tables)
        if self._app:
            self._app.close()

    def _look_at_tables(self, reached: bool) -> Generator[Finding, None, bool]:
        """Whether they are there."""
        url = self._configuration.sync_url
        if not reached and url and url == self._configuration.app_url:
            yield TABLES.skipped("schema", "the app's database")
            return False
        found = list(TABLES.probe("schema", lambda: check_schema(url), REACH))
        yield from found
        return not any(finding.verdict is Severity.BAD for finding in found)

    def _look_at_webhooks(self, tables: bool) -> Iterator[Finding]:
        if not tables:
            yield WEBHOOKS.skipped("arrive", "the sync's own tables")
            return
        yield from WEBHOOKS.probe(
            "arrive",
            lambda: check_webhooks(self._configuration, self._settings_of_mapping),
            INIT_DB,
        )

    def _look_at_server(self) -> Generator[Finding, None, bool]:
        """Whether it answered."""
        url = self._configuration.app_url
        if not url:
            yield APP.skipped("reachable", APP_DATABASE_URL)
            return False
        found = list(APP.probe("reachable", lambda: check_server(url, time.time()), REACH))
        yield from found
        return any(finding.verdict is Severity.OK for finding in found)

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
        yield from MAPPING.probe("secrets", lambda: check_secrets(app), EDIT)
        rows = list(MAPPING.probe("rows", lambda: check_rows(app), EDIT))
        yield from rows
        if any(finding.verdict is Severity.BAD for finding in rows):
            yield MAPPING.skipped("same twice", "rows that can be read")
        else:
            yield from MAPPING.probe("same twice", lambda: check_determinism(app), EDIT)
            yield from MAPPING.probe("cost", lambda: check_cost(app), EDIT)
            yield from MAPPING.probe("e-mails", lambda: check_shared_emails(app), EDIT)
        yield from RIGHTS.probe("replica", lambda: check_standby(app), REACH)
        yield from RIGHTS.probe("rights", lambda: check_rights(app), ROLE)
        yield from RIGHTS.probe("write_back", lambda: check_write_back(app), EDIT)
        yield from CAPTURE.probe("triggers", lambda: self._capture(app), ROLE)
        with suppress(OperatorError):
            self.policies = _policy_fields(app)
            self._tagging = files_with_tags(app)

    def _capture(self, app: AppDatabase) -> Iterator[Finding]:
        return check_capture(app, time.time(), self._configuration.workspace)

    def _look_at_intercom(self) -> Iterator[Finding]:
        if not self._configuration.token:
            yield INTERCOM.skipped("token", INTERCOM_ACCESS_TOKEN)
            return
        settings = self._settings_of_mapping
        try:
            client = open_intercom(self._configuration, settings)
        except ConfigurationError as error:
            yield INTERCOM.bad("token", str(error), "Correct that variable.")
            return
        token = list(
            INTERCOM.probe("token", lambda: check_token(_view(client), self._configuration), SCOPES)
        )
        yield from token
        if not any(f.verdict is Severity.BAD for f in token):
            yield from self._look_at_workspace(client, settings)
        client.close()

    @property
    def _settings_of_mapping(self) -> SyncSettings:
        return self._mapping.settings if self._mapping else SyncSettings.model_validate({})

    def _look_at_workspace(
        self, client: IntercomClient, settings: SyncSettings
    ) -> Iterator[Finding]:
        yield from INTERCOM.probe("contacts", lambda: check_contacts(_view(client)), SCOPES)
        yield from INTERCOM.probe("companies", lambda: check_companies(_view(client)), SCOPES)
        if self.policies:
            fields = {
                AttributeModel.CONTACT: self.policies.users,
                AttributeModel.COMPANY: self.policies.teams,
            }
            yield from INTERCOM.probe(
                "attributes", lambda: check_attributes(_view(client), fields), SCOPES
            )
            for column in (f.name for f in self.policies.users if f.name in OWNERS):
                yield from INTERCOM.probe(
                    "owners", partial(check_owners, _view(client), column), SCOPES
                )
            if files := self._tagging:
                yield from INTERCOM.probe("tags", lambda: check_tags(_view(client), files), SCOPES)
        else:
            yield INTERCOM.skipped("attributes", "a mapping that fits the app's database")
        yield from INTERCOM.probe(
            "rate limit", lambda: check_limits(client, settings.rate_share), SCOPES
        )


def _view(client: IntercomClient) -> IntercomClient:
    """Answers within `PROBE_TIMEOUT_S`, or fails."""
    return client.with_deadline(time.monotonic() + PROBE_TIMEOUT_S)


def _policy_fields(app: AppDatabase) -> PolicyFields:
    settings = app.mapping.settings
    return PolicyFields(
        fields_of_users(app.users_columns, settings.fields, settings.write_back.columns),
        fields_of_teams(app.teams_columns),
    )
