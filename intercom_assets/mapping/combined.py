"""What does not fit in a mapping although each of its queries by itself does.

Names that clash in Intercom, policies and write-backs for columns that nobody selects, more
attributes than a workspace holds. The columns are as the app's database describes them.
"""

from collections.abc import Iterable, Iterator, Sequence

from intercom_assets.domain.attributes import MOST_ATTRIBUTES, name_problem
from intercom_assets.domain.fields import (
    COMPANY_DELETED,
    DELETED,
    EMAIL_VERIFIED,
    OWNERS,
    UNSUBSCRIBED,
    Field,
    Policy,
    fields_of_teams,
    fields_of_users,
)
from intercom_assets.domain.models import Column, Kind
from intercom_assets.mapping.load import SYNC_YAML, TEAMS_SQL, USERS_SQL, AppMapping
from intercom_assets.mapping.problems import nearest
from intercom_assets.mapping.queries import UNNAMED, queries


def problems_together(
    mapping: AppMapping, users: Sequence[Column] | None, teams: Sequence[Column] | None
) -> Iterator[str]:
    """A sentence for each. None: the columns of a query that could not be read."""
    if users is not None:
        yield from _names(USERS_SQL, users, DELETED.name)
        yield from _settings(mapping, users)
    if teams is not None:
        yield from _names(TEAMS_SQL, teams, COMPANY_DELETED.name)
    if users is not None and teams is not None:
        yield from _attributes(fields_of_users(users), fields_of_teams(teams))


def _names(file: str, columns: Iterable[Column], ours: str) -> Iterator[str]:
    """`ours`: the attribute that the sync itself sets."""
    for name in sorted(column.name for column in columns if column.is_attribute):
        if name == ours:
            yield (
                f"{file}: {ours} is set by the sync, for rows that are gone; select "
                "deleted_at, or give the column another name"
            )
        if name != UNNAMED and (problem := name_problem(name)):
            yield f'{file}: the column "{name}" {problem}'


def _attributes(user_fields: Iterable[Field], team_fields: Iterable[Field]) -> Iterator[str]:
    users = {field.intercom for field in user_fields if field.custom}
    teams = {field.intercom for field in team_fields if field.custom}
    for name in sorted(users & teams):
        yield (
            f"{TEAMS_SQL}: {name} is an attribute of users too, and Intercom shares names "
            f"across contacts and companies; give it another name, as in: company_{name}"
        )
    count = len(users) + len(teams)
    if count > MOST_ATTRIBUTES:
        yield (
            f"{USERS_SQL} and {TEAMS_SQL}: {count} custom attributes; allowed: {MOST_ATTRIBUTES}, "
            "all that a workspace holds"
        )


def _settings(mapping: AppMapping, users: Iterable[Column]) -> Iterator[str]:
    query, _, _ = queries(mapping)
    kinds = {column.name: column.kind for column in users if query.is_value(column.name)}
    for name, policy in mapping.settings.fields.items():
        if name not in kinds:
            yield f"{SYNC_YAML}: fields.{name} is no value of {USERS_SQL}{nearest(name, kinds)}"
        elif policy.traits.of_times and kinds[name] is not Kind.DATE:
            yield (
                f"{SYNC_YAML}: fields.{name} is {policy}; allowed for dates only, and it is "
                f"{kinds[name]}"
            )
        elif policy.traits.of_flags and kinds[name] is not Kind.BOOLEAN:
            yield (
                f"{SYNC_YAML}: fields.{name} is {policy}; allowed for true or false only, and it "
                f"is {kinds[name]}"
            )
        elif name == EMAIL_VERIFIED and policy is not Policy.APP:
            yield (
                f"{SYNC_YAML}: fields.{name} is {policy}, and Intercom never tells it; allowed: "
                f"{Policy.APP}, its default"
            )
        elif name == UNSUBSCRIBED and policy is not Policy.OPT_OUT:
            yield (
                f"{SYNC_YAML}: fields.{name} is {policy}, by which somebody who opted out could "
                f"be mailed again; allowed: {Policy.OPT_OUT}, its default"
            )
    if all(name in kinds for name in OWNERS):
        yield f"{USERS_SQL}: {' and '.join(OWNERS)} both name the contact's owner; select one"
    for name in mapping.settings.write_back.columns:
        if name in (*OWNERS, EMAIL_VERIFIED):
            yield (
                f"{SYNC_YAML}: write_back.columns.{name} is of no use: it is never stored in the "
                "app; take the line out"
            )
        if name not in kinds:
            yield (
                f"{SYNC_YAML}: write_back.columns.{name} is no value of {USERS_SQL}"
                f"{nearest(name, kinds)}"
            )
