"""What Dagster shows of each asset besides its events: the mapping's SQL, its columns, who wins.

Read from the mapping's files when the code is loaded, and from nothing else: no database, no
workspace. A mapping that cannot be read is said on every page and stops nothing here; what it stops
are runs and ticks, each with the same sentence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from intercom_assets.domain.errors import as_sentence
from intercom_assets.domain.fields import Field, fields_of_teams, fields_of_users
from intercom_assets.domain.models import Column, Kind
from intercom_assets.domain.policy_table import (
    Row,
    as_markdown,
    rows_of_mapped_teams,
    rows_of_mapped_users,
    rows_of_teams,
    rows_of_users,
)
from intercom_assets.mapping.load import (
    MEMBERSHIPS_SQL,
    TEAMS_SQL,
    USERS_SQL,
    AppMapping,
    load_mapping,
)
from intercom_assets.mapping.problems import MappingError
from intercom_assets.mapping.queries import MEMBERSHIP_RULES, TEAM_RULES, USER_RULES, Rule
from intercom_assets.mapping.select_list import column_names
from intercom_assets.orchestration.sync_targets import APP_USERS, INTERCOM_CONTACTS, TEAMS, USERS
from intercom_assets.orchestration.workspace_names import key_of

Assets = list[dg.AssetsDefinition | dg.AssetSpec]
Facts = dict[str, dg.MetadataValue]
COLUMN_SCHEMA = "dagster/column_schema"
"""Where Dagster looks for the columns that it shows."""
OF_SQL, OF_AN_ID = "as in SQL", "id"
IDS = {"id": "pairs the two sides", "user_id": "a user of the app", "team_id": "a team of the app"}


def with_mapping(
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec], folder: Path | None
) -> Assets:
    """The same assets, their pages filled. `folder`: None is the shipped sample app's mapping."""
    try:
        pages = _pages(load_mapping(folder))
    except (MappingError, OSError) as error:
        sentence = as_sentence(f"the mapping cannot be read: {error}")
        return _mapped(assets, lambda spec: _with_problem(spec, sentence))
    return _mapped(assets, lambda spec: spec.merge_attributes(metadata=pages.get(spec.key, {})))


def _mapped(
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec],
    change: Callable[[dg.AssetSpec], dg.AssetSpec],
) -> Assets:
    return list(dg.map_asset_specs(change, list(assets)))


def _with_problem(spec: dg.AssetSpec, sentence: str) -> dg.AssetSpec:
    return spec.replace_attributes(
        description=f"{spec.description}\n\n**{sentence}**",
        metadata={**spec.metadata, "mapping": sentence},
    )


@dataclass(frozen=True, slots=True)
class _Query:
    """One file of the mapping, its fields, and what the other columns are for."""

    file: str
    sql: str
    names: list[str] | None
    rules: Mapping[str, Rule]
    fields: Mapping[str, Field]

    @property
    def shown(self) -> Facts:
        return {self.file: dg.MetadataValue.md(f"```sql\n{self.sql}\n```")}

    @property
    def app_columns(self) -> Facts:
        return _schema(
            dg.TableColumn(name, self.type_of(name), self.sent_as(name))
            for name in self.names or ()
        )

    def intercom_columns(self, key: str) -> Facts:
        """`key`: what Intercom calls our id."""
        pairing = dg.TableColumn(key, Kind.STRING.value, "the app's id")
        return _schema(
            [
                pairing,
                *(
                    dg.TableColumn(field.intercom, self.type_of(field.name), self.from_app(field))
                    for field in self.fields.values()
                ),
            ]
        )

    def agreed_columns(self) -> Facts:
        return _schema(
            dg.TableColumn(
                name,
                self.type_of(name),
                f"{_where(field)}; who wins: {field.policy.traits.wins}",
            )
            for name, field in self.fields.items()
        )

    def type_of(self, name: str) -> str:
        rule, field = self.rules.get(name), self.fields.get(name)
        if rule is None:
            return field.kind.value if field and name not in (self.names or ()) else OF_SQL
        kind = rule.becomes or (rule.kinds[0] if rule.kinds else None)
        return kind.value if kind else OF_AN_ID

    def from_app(self, field: Field) -> str:
        """`deleted` comes from no column."""
        source = f"the app's {field.name}" if field.name in (self.names or ()) else field.remark
        return f"custom attribute; {source}" if field.custom else source

    def sent_as(self, name: str) -> str:
        field = self.fields.get(name)
        return f"to {_where(field)}" if field else IDS.get(name, "read, not sent")


def _pages(mapping: AppMapping) -> dict[dg.AssetKey, Facts]:
    users, teams, memberships = _users(mapping), _teams(mapping), _memberships(mapping)
    pages = {
        USERS.table: users.shown | users.app_columns,
        key_of("memberships"): memberships.shown | memberships.app_columns,
        TEAMS.table: teams.shown | teams.app_columns,
        APP_USERS: users.shown | users.app_columns,
        INTERCOM_CONTACTS: users.shown | users.intercom_columns("external_id"),
        USERS.result_asset: {
            "who wins": _who_wins(
                users, rows_of_mapped_users(users.fields.values()), rows_of_users()
            )
        }
        | users.shown
        | memberships.shown
        | users.agreed_columns(),
        TEAMS.result_asset: {
            "who wins": _who_wins(
                teams, rows_of_mapped_teams(teams.fields.values()), rows_of_teams()
            )
        }
        | teams.shown
        | teams.intercom_columns("company_id"),
    }
    where: Facts = {"mapping": dg.MetadataValue.path(str(mapping.folder))}
    return {key: facts | where for key, facts in pages.items()}


def _users(mapping: AppMapping) -> _Query:
    names, settings = column_names(mapping.users_sql), mapping.settings
    fields = fields_of_users(
        _columns(names, USER_RULES), settings.fields, settings.write_back.columns
    )
    return _Query(USERS_SQL, mapping.users_sql, names, USER_RULES, _by_name(fields, names))


def _teams(mapping: AppMapping) -> _Query:
    names = column_names(mapping.teams_sql)
    fields = fields_of_teams(_columns(names, TEAM_RULES))
    return _Query(TEAMS_SQL, mapping.teams_sql, names, TEAM_RULES, _by_name(fields, names))


def _memberships(mapping: AppMapping) -> _Query:
    names = column_names(mapping.memberships_sql)
    return _Query(MEMBERSHIPS_SQL, mapping.memberships_sql, names, MEMBERSHIP_RULES, {})


def _columns(names: list[str] | None, rules: Mapping[str, Rule]) -> list[Column]:
    """Their kinds are PostgreSQL's to tell, and nothing here goes by them."""
    return [Column(name, Kind.STRING, name not in rules) for name in names or ()]


def _by_name(fields: Iterable[Field], names: list[str] | None) -> dict[str, Field]:
    return {field.name: field for field in fields} if names else {}


def _who_wins(query: _Query, own: list[Row], general: list[Row]) -> dg.MetadataValue:
    return dg.MetadataValue.md(as_markdown(own if query.names else general))


def _schema(columns: Iterable[dg.TableColumn]) -> Facts:
    """Nothing where the query's text does not tell its columns: half a schema would mislead."""
    listed = list(columns)
    if len(listed) < 2:
        return {}
    return {COLUMN_SCHEMA: dg.MetadataValue.table_schema(dg.TableSchema(listed))}


def _where(field: Field) -> str:
    return f"Intercom's {'attribute ' if field.custom else ''}{field.intercom}"
