"""The three queries of a proposed mapping, as SQL with the reason of each choice beside it.

Pure. What may be sent besides stands there to be uncommented.
"""

from collections.abc import Iterable, Iterator, Sequence, Set

from intercom_assets.domain.secret_names import words_of
from intercom_assets.mapping.proposal import columns as known
from intercom_assets.mapping.proposal.catalogue import Catalogue, CatalogueColumn, CatalogueTable
from intercom_assets.mapping.proposal.choosing import Candidate, Choice, Link, email_of, owner_of
from intercom_assets.mapping.proposal.columns import (
    OF_COMPANIES,
    OF_COMPANIES_AS_TEXT,
    OF_CONTACTS,
    Selected,
    SkippedColumn,
)
from intercom_assets.mapping.proposal.texts import (
    NO_MEMBERSHIPS,
    NO_TEAMS,
    commented,
    list_of,
    query,
)


def personal_names(table: CatalogueTable) -> set[str]:
    return {item.name for item in personal(table, "")}


def personal(table: CatalogueTable, alias: str) -> list[Selected]:
    found = (
        known.whole_name(table, alias),
        known.wanted(table, alias, "phone_number", known.PHONES),
        known.wanted(table, alias, "time_zone", known.ZONES),
    )
    return [item for item in found if item]


# --- users ----------------------------------------------------------------------------------------


def users_sql(choice: Choice, profile: tuple[CatalogueTable, CatalogueColumn] | None) -> str:
    table = choice.users.table
    alias = "u." if profile else ""
    chosen = [*_key(table, alias), *_email(table, alias), *personal(table, alias)]
    joined, beside = "", list[Selected]()
    if profile and table.id:
        other, column = profile
        names = {item.name for item in chosen}
        beside = [
            Selected(entry.sql, entry.name, f"from {other.plain}", entry.uses)
            for entry in personal(other, "p.")
            if entry.name not in names
        ]
        joined = f" as u\nleft join {other.sql} as p on p.{column.sql} = u.{table.id.sql}"
    times = _times(table, alias, known.CREATED, known.SEEN)
    if profile and not any(time.name == "last_request_at" for time in times):
        beside += _last_seen(profile[0])
    chosen += [*beside, *times]
    head = [f"The users: {choice.users.sentence}."]
    head += _alternatives(choice.other_users, "--users")
    head += _not_gone(table, chosen)
    return query(head, chosen, table.sql + joined, *_rest(table, alias, chosen, OF_CONTACTS))


def _last_seen(profile: CatalogueTable) -> Iterator[Selected]:
    if seen := known.moment(profile, "p.", "last_request_at", known.SEEN):
        why = "; ".join(filter(None, [f"from {profile.plain}", seen.why]))
        yield Selected(seen.sql, seen.name, why, seen.uses)


def _key(table: CatalogueTable, alias: str) -> Iterator[Selected]:
    if table.id:
        why = "" if table.id.name == "id" else f"{table.id.name} is the key"
        yield Selected(f"{alias}{table.id.sql}", "id", why, uses=(table.id.name,))


def _email(table: CatalogueTable, alias: str) -> Iterator[Selected]:
    if email := email_of(table):
        why = "" if email.name == "email" else f"{email.name} here"
        yield Selected(f"{alias}{email.sql}", "email", why, uses=(email.name,))


def _times(
    table: CatalogueTable, alias: str, created: Sequence[str], seen: Sequence[str] = ()
) -> list[Selected]:
    found = (
        known.moment(table, alias, "created_at", created),
        known.moment(table, alias, "last_request_at", seen),
        known.gone_at(table, alias),
        known.moment(table, alias, "updated_at", known.UPDATED),
    )
    return [item for item in found if item]


def _not_gone(table: CatalogueTable, chosen: Sequence[Selected]) -> Iterator[str]:
    """Columns that may mean that somebody is gone, where none says so outright."""
    names = [name for name in known.NOT_YET_GONE if (table.named([name]))]
    if names and not any(item.name == "deleted_at" for item in chosen):
        yield (
            f"Nothing here says outright that somebody is deleted; if {list_of(names)} does: "
            "case when CONDITION then to_timestamp(0) end as deleted_at"
        )


def _rest(
    table: CatalogueTable, alias: str, chosen: Sequence[Selected], elsewhere: Set[str]
) -> tuple[list[Selected], list[SkippedColumn]]:
    used = {name for entry in chosen if not entry.why.startswith("from ") for name in entry.uses}
    taken = {item.name for item in chosen} | elsewhere
    found = known.as_tags(table, alias)
    tags = [found] if found else []
    used.update(name for item in tags for name in item.uses)
    offered = [*tags, *known.offers(table, alias, used, taken)]
    return offered, list(known.left_out(table, used))


def _alternatives(others: Iterable[Candidate], option: str) -> Iterator[str]:
    candidates = list(others)[:5]
    if candidates:
        sentences = "; ".join(candidate.sentence for candidate in candidates)
        yield f"It may also be: {sentences} ({option} TABLE)."


# --- teams ----------------------------------------------------------------------------------------


def teams_sql(catalogue: Catalogue, choice: Choice) -> str:
    if choice.teams is None:
        return no_teams(choice)
    table, users = choice.teams.table, choice.users.table
    name = known.wanted(table, "", "name", known.TITLES)
    owner = owner_of(catalogue, table, users)
    owned = [Selected(owner.sql, "owner_id", "read, never sent", (owner.name,))] if owner else []
    chosen = [
        *_key(table, ""),
        *([name] if name else []),
        *owned,
        *_times(table, "", known.CREATED),
    ]
    head = [f"The teams: {choice.teams.sentence}."]
    head += _alternatives(choice.other_teams, "--teams")
    head += _not_gone(table, chosen)
    elsewhere = {"_".join(words_of(column.name)) for column in users.columns}
    taken = OF_COMPANIES | (elsewhere - set(OF_COMPANIES_AS_TEXT))
    return query(head, chosen, table.sql, *_rest(table, "", chosen, taken))


def no_teams(choice: Choice) -> str:
    table = choice.users.table.plain
    head = [f"No teams: nothing was found that several rows of {table} belong to."]
    head += _alternatives(choice.other_teams, "--teams")
    return commented(head) + NO_TEAMS


# --- memberships ----------------------------------------------------------------------------------


def used(links: Sequence[Link]) -> list[Link]:
    """The strongest; and the owner, where the table between does not have him (as in Laravel)."""
    if not links:
        return []
    owners = [link for link in links[1:] if link.how.endswith("its owner")]
    apart = [owner for owner in owners if owner.user.name.lower().replace("_", "") == "userid"]
    return [links[0], *apart[:1]]


def memberships_sql(choice: Choice, links: Sequence[Link]) -> str:
    if not links:
        return commented(["Nobody is in a team, since there are none."]) + NO_MEMBERSHIPS
    head = [f"Who is in which team: {links[0].how}."]
    if links[1:]:
        head.append(f"{links[1].how}, and is in it without a row of {links[0].via.plain}.")
    head += unread(choice)
    others = [item for item in choice.links if item not in links]
    if others:
        head.append(f"Left aside: {'; '.join(other.how for other in others)}.")
    return commented(head) + "\nunion\n".join(_select(link) for link in links) + "\n"


def unread(choice: Choice) -> Iterator[str]:
    if choice.unread:
        names = list_of([table.plain for table in choice.unread])
        yield (
            f"{names} may say who is in which team, too, but this role may not read it: grant "
            "select on it and run init --from again, into another folder."
        )


def _select(link: Link) -> str:
    conditions = [
        f"{column.sql} is not null" for column in (link.user, link.team) if column.nullable
    ]
    whys = []
    if not _is_users_or_teams(link):
        ended = link.via.named([*known.DELETED, *known.LEFT])
        if ended:
            conditions.append(f"{ended.sql} is null")
            whys.append(f"-- set in {ended.name}: no longer in it")
        flag = link.via.named(known.DELETED_FLAGS)
        if flag and flag.type == "boolean":
            conditions.append(f"{flag.sql} is not true")
            whys.append(f"-- true in {flag.name}: no longer in it")
    lines = [
        *whys,
        "select",
        f"    {Selected(link.user.sql, 'user_id').text},",
        f"    {Selected(link.team.sql, 'team_id').text}",
        f"from {link.via.sql}",
    ]
    if conditions:
        lines.append(f"where {' and '.join(conditions)}")
    return "\n".join(lines)


def _is_users_or_teams(link: Link) -> bool:
    return link.via.id in (link.user, link.team)
