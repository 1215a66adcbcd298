"""From a catalogue to the texts of a mapping's files: the choices made, put into words and SQL.

Pure. What was chosen stands with its reason, what else it may be is listed, and what may be sent
besides is there to be uncommented: nothing leaves the app because of a guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from intercom_assets.mapping.load import MEMBERSHIPS_SQL, SYNC_YAML, TEAMS_SQL, USERS_SQL
from intercom_assets.mapping.problems import MappingError, nearest
from intercom_assets.mapping.proposal.catalogue import Catalogue, CatalogueColumn, CatalogueTable
from intercom_assets.mapping.proposal.choosing import (
    Candidate,
    Choice,
    Link,
    candidates_for_teams,
    candidates_for_users,
    likely,
    links_between,
    unreadable_links,
)
from intercom_assets.mapping.proposal.queries import (
    memberships_sql,
    no_teams,
    personal,
    personal_names,
    teams_sql,
    unread,
    used,
    users_sql,
)
from intercom_assets.mapping.proposal.texts import (
    settings,
    watch_of,
)

NONE = "none"


@dataclass(frozen=True)
class Proposal:
    """`files`: name -> text. `sentences`: what was chosen, for whoever asked."""

    files: dict[str, str]
    sentences: tuple[str, ...]


def propose(catalogue: Catalogue, users: str = "", teams: str = "") -> Proposal:
    """`users`, `teams`: a table that was named, or `none` for teams. Raises MappingError."""
    choice = choose(catalogue, users, teams)
    table = choice.users.table
    profile = profile_of(catalogue, table)
    team_table = choice.teams.table if choice.teams else None
    watched = [*watch_of(table, "user", table.id)]
    if profile:
        watched += watch_of(profile[0], "user", profile[1])
    if team_table:
        watched += watch_of(team_table, "team", team_table.id)
    links = used(choice.links)
    for link in links:
        watched += watch_of(link.via, "user", link.user)
    return Proposal(
        {
            USERS_SQL: users_sql(choice, profile),
            TEAMS_SQL: teams_sql(catalogue, choice) if choice.teams else no_teams(choice),
            MEMBERSHIPS_SQL: memberships_sql(choice, links),
            SYNC_YAML: settings(
                list(dict.fromkeys(watched)), _unwatchable(table, team_table, links)
            ),
        },
        tuple(_sentences(choice, links)),
    )


def choose(catalogue: Catalogue, users: str = "", teams: str = "") -> Choice:
    found = likely(candidates_for_users(catalogue))
    chosen = _named(catalogue, users, candidates_for_users(catalogue), "users") if users else found
    if not chosen:
        raise MappingError(
            f"none of the {len(catalogue.tables)} tables that this role can see has both a key and "
            "a column of e-mail addresses that it may read: `intercom-assets init DIR` writes a "
            "mapping to be filled in by hand"
        )
    first = chosen[0]
    every = candidates_for_teams(catalogue, first.table)
    candidates = likely(every, fewest=60)
    if teams and teams != NONE:
        candidates = _named(catalogue, teams, every, "teams")
    best = candidates[0] if candidates and teams != NONE else None
    rest = [entry for entry in likely(every) if best is None or entry.table != best.table]
    return Choice(
        first,
        tuple(item for item in found if item.table != first.table),
        best,
        tuple(rest),
        tuple(links_between(catalogue, first.table, best.table)) if best else (),
        tuple(unreadable_links(catalogue, first.table, best.table)) if best else (),
    )


def _named(
    catalogue: Catalogue, name: str, candidates: Sequence[Candidate], what: str
) -> list[Candidate]:
    fits = [
        candidate
        for candidate in candidates
        if name in (candidate.table.plain, candidate.table.name)
    ]
    if fits:
        return fits
    if any(name in (table.plain, table.name) for table in catalogue.tables):
        lacks = "a key or a column of e-mail addresses" if what == "users" else "a link to users"
        raise MappingError(f"the table {name} cannot be that of {what}: it lacks {lacks}")
    names = [table.plain for table in catalogue.tables]
    raise MappingError(f"--{what} is {name}, and there is no such table{nearest(name, names)}")


def profile_of(
    catalogue: Catalogue, users: CatalogueTable
) -> tuple[CatalogueTable, CatalogueColumn] | None:
    """A table with one row a user, where one of our columns is that the users do not have."""
    for table in catalogue.tables:
        if table.key == users.key or "profile" not in table.words:
            continue
        for column, declared in catalogue.reference(table, users):
            if declared and table.is_unique(column.name) and _adds(table, users):
                return table, column
    return None


def _adds(profile: CatalogueTable, users: CatalogueTable) -> bool:
    return any(item.name not in personal_names(users) for item in personal(profile, "p."))


def _unwatchable(
    users: CatalogueTable, teams: CatalogueTable | None, links: Sequence[Link]
) -> list[str]:
    tables = [users, *([teams] if teams else []), *(link.via for link in links)]
    return sorted({table.plain for table in tables if not table.watchable})


def _sentences(choice: Choice, links: Sequence[Link]) -> Iterator[str]:
    yield f"users: {choice.users.sentence}"
    yield f"teams: {choice.teams.sentence if choice.teams else 'none were found'}"
    if links:
        yield f"memberships: {' and '.join(link.how for link in links)}"
    for sentence in unread(choice):
        yield f"memberships: {sentence}"
    for other, option in ((choice.other_users, "--users"), (choice.other_teams, "--teams")):
        if other:
            names = ", ".join(item.table.plain for item in other[:5])
            yield f"not chosen, but possible ({option} TABLE): {names}"
