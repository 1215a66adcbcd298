"""Which tables are the users, the teams, and who is in which: why, and what else it may be.

Points are given for names, e-mail, passwords and references; the reasons are what is printed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from intercom_assets.domain.secret_names import secret_word, words_of
from intercom_assets.mapping.proposal.catalogue import (
    Catalogue,
    CatalogueColumn,
    CatalogueTable,
    same_family,
)

EMAILS = (
    "email", "email_address", "primary_email", "mail", "e_mail", "mail_address", "user_email",
    "login_email", "account_email", "work_email", "contact_email",
)  # fmt: skip
_USERS = {
    "user": 100, "member": 60, "person": 60, "customer": 55, "account": 50, "profile": 35,
    "subscriber": 35, "client": 45, "contact": 40, "player": 35, "student": 35, "patient": 35,
    "employee": 35, "login": 40, "identity": 25,
}  # fmt: skip
_TEAMS = {
    "team": 100, "organization": 100, "organisation": 100, "org": 95, "workspace": 95,
    "company": 90, "tenant": 85, "account": 80, "business": 75, "agency": 70, "firm": 70,
    "customer": 60, "client": 55, "school": 60, "group": 55, "club": 50, "household": 45,
    "family": 45, "department": 40, "store": 40, "shop": 40, "site": 35, "project": 30, "space": 60,
}  # fmt: skip
_JUNK = frozenset({
    "log", "audit", "history", "archive", "backup", "old", "tmp", "temp", "event", "invitation",
    "invite", "request", "token", "session", "import", "export", "version", "notification",
    "message", "newsletter", "anonymous", "ghost", "spam", "draft", "migration", "job",
    "permission", "setting", "preference", "oauth", "webhook", "admin", "staff", "support",
    "deletion", "deleted", "impersonation", "waitlist", "sent",
})  # fmt: skip
_MEMBERSHIPS = frozenset({
    "member", "membership", "user", "seat", "employee", "staff", "assignment", "collaborator",
    "participant", "person", "account", "contact",
})  # fmt: skip
_NO_TEAM = frozenset({
    "role", "plan", "country", "language", "locale", "currency", "status", "type", "category",
    "tag", "address", "city", "state", "image", "avatar", "file", "permission", "level", "tier",
    "timezone", "region", "session", "post", "comment", "order", "invoice",
})  # fmt: skip
_PASSING = frozenset({
    "current", "default", "last", "active", "selected", "primary", "previous", "latest",
})  # fmt: skip
FEWEST_POINTS = 30


@dataclass(frozen=True)
class Candidate:
    table: CatalogueTable
    points: int
    reasons: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"{self.table.plain} ({', '.join(self.reasons)})"


@dataclass(frozen=True)
class Link:
    """How users and teams belong together: a table between them, a column of either.

    `via`: where the rows are. `user`, `team`: its columns. `how`: in words.
    """

    via: CatalogueTable
    user: CatalogueColumn
    team: CatalogueColumn
    how: str
    points: int


@dataclass(frozen=True)
class Choice:
    """The users always; teams and links only where something says that there are any.

    `unread`: tables that may say who is in which team, and that our role may not read.
    """

    users: Candidate
    other_users: tuple[Candidate, ...]
    teams: Candidate | None
    other_teams: tuple[Candidate, ...]
    links: tuple[Link, ...]
    unread: tuple[CatalogueTable, ...] = ()


def candidates_for_users(catalogue: Catalogue) -> list[Candidate]:
    """The likeliest first. A table without an e-mail column or a key is none."""
    found = [made for table in catalogue.tables if (made := _as_users(catalogue, table))]
    return sorted(found, key=lambda candidate: (-candidate.points, candidate.table.plain))


def _as_users(catalogue: Catalogue, table: CatalogueTable) -> Candidate | None:
    email = email_of(table)
    if email is None or table.id is None:
        return None
    points, reasons = 50, [f"it has {email.name}"]
    noun = table.words[-1] if table.words else ""
    if noun in _USERS:
        points += _USERS[noun] + (15 if len(table.words) == 1 else 0)
        reasons.insert(0, f"its name says {noun}")
    if hidden := [c.name for c in table.columns if _is_password(c.name)]:
        points += 40
        reasons.append(f"its users log in ({hidden[0]})")
    if references := catalogue.references_to(table):
        points += min(30, 3 * references)
        reasons.append(f"{references} foreign {'keys' if references > 1 else 'key'} to it")
    points += _penalty(table, reasons)
    return Candidate(table, points, tuple(reasons))


def _is_password(name: str) -> bool:
    return "pass" in name.lower() and secret_word(name) is not None


def email_of(table: CatalogueTable) -> CatalogueColumn | None:
    """By its usual names, or else the only column that has e-mail in its name."""
    if (found := table.named(EMAILS)) and found.is_text:
        return found
    others = [
        column
        for column in table.columns
        if column.is_text
        and column.readable
        and "email" in column.name.lower().replace("_", "").replace("-", "")
        and secret_word(column.name) is None
    ]
    return others[0] if len(others) == 1 else None


def candidates_for_teams(catalogue: Catalogue, users: CatalogueTable) -> list[Candidate]:
    """Tables that have to do with the users, the likeliest first."""
    found = [
        made
        for table in catalogue.tables
        if table.key != users.key and (made := _as_teams(catalogue, users, table))
    ]
    return sorted(found, key=lambda candidate: (-candidate.points, candidate.table.plain))


def _as_teams(
    catalogue: Catalogue, users: CatalogueTable, table: CatalogueTable
) -> Candidate | None:
    links = links_between(catalogue, users, table)
    noun = table.words[-1] if table.words else ""
    if table.id is None or not links or noun in _NO_TEAM:
        return None
    if noun not in _TEAMS and _is_one_to_one(catalogue, table, users):
        return None
    strongest = max(links, key=lambda candidate: candidate.points)
    points, reasons = strongest.points, [strongest.how]
    if noun in _TEAMS:
        points += _TEAMS[noun]
        reasons.insert(0, f"its name says {noun}")
    elif not _is_membership(strongest.via):
        points -= 30
    points += _penalty(table, reasons)
    return Candidate(table, points, tuple(reasons))


def _is_one_to_one(catalogue: Catalogue, table: CatalogueTable, users: CatalogueTable) -> bool:
    """A profile: its key, or a unique column, names the user."""
    return any(
        table.is_unique(c.name) for c, declared in catalogue.reference(table, users) if declared
    )


def links_between(catalogue: Catalogue, users: CatalogueTable, teams: CatalogueTable) -> list[Link]:
    """The strongest first."""
    found = [*_tables_between(catalogue, users, teams), *_columns_of(catalogue, users, teams)]
    return sorted(found, key=lambda link: -link.points)


def _tables_between(
    catalogue: Catalogue, users: CatalogueTable, teams: CatalogueTable
) -> Iterator[Link]:
    for table in catalogue.tables:
        if table.key in (users.key, teams.key):
            continue
        user, team = (_main_reference(catalogue, table, to) for to in (users, teams))
        if user is None or team is None or user == team:
            continue
        is_pair = table.is_unique(user.name, team.name)
        if not (is_pair or _is_membership(table)):
            continue
        points = 40 + 20 * is_pair + 20 * _is_membership(table) + _penalty(table, [])
        if points > 0:
            how = f"{table.plain} says who is in which"
            yield Link(table, user, team, how, points)


def unreadable_links(
    catalogue: Catalogue, users: CatalogueTable, teams: CatalogueTable
) -> list[CatalogueTable]:
    """Tables that would say who is in which team, if our role might read them."""
    readable = {link.via.key for link in links_between(catalogue, users, teams)}
    opened = Catalogue(tuple(_as_if_readable(table) for table in catalogue.tables))
    found = [link.via for link in links_between(opened, users, teams)]
    return [table for table in dict.fromkeys(found) if table.key not in readable]


def _as_if_readable(table: CatalogueTable) -> CatalogueTable:
    return replace(
        table, columns=tuple(replace(candidate, readable=True) for candidate in table.columns)
    )


def _columns_of(
    catalogue: Catalogue, users: CatalogueTable, teams: CatalogueTable
) -> Iterator[Link]:
    for column, _ in catalogue.reference(users, teams):
        passing = _PASSING & set(_words(column))
        if users.id and not passing:
            how = f"{users.plain}.{column.name} names it"
            yield Link(users, users.id, column, how, 45)
    owner = owner_of(catalogue, teams, users)
    if owner and teams.id:
        yield Link(teams, owner, teams.id, f"{teams.plain}.{owner.name} names its owner", 15)


def owner_of(
    catalogue: Catalogue, teams: CatalogueTable, users: CatalogueTable
) -> CatalogueColumn | None:
    """The column of a team that names its owner: by a name that says so, or the only one."""
    columns = dict.fromkeys(column for column, _ in catalogue.reference(teams, users))
    columns |= dict.fromkeys(column for column in teams.columns if _says_owner(column, users))
    named = [column for column in columns if "owner" in _words(column)]
    by = [column for column in columns if set(_words(column)) & {"created", "updated", "by"}]
    rest = [column for column in columns if column not in by]
    return next(iter([*named, *(rest if len(rest) == 1 else [])]), None)


def _says_owner(column: CatalogueColumn, users: CatalogueTable) -> bool:
    """`owner_id`, `ownerUserId`, of the type of a user's key, where no foreign key says it."""
    words = _words(column)
    fits = column.readable and users.id is not None and same_family(column, users.id)
    return fits and words[:1] == ("owner",) and words[-1] in ("id", "uuid")


def _main_reference(
    catalogue: Catalogue, table: CatalogueTable, to: CatalogueTable
) -> CatalogueColumn | None:
    """Not `invited_by_id`, where there is `user_id`."""
    found = list(dict.fromkeys(column for column, _ in catalogue.reference(table, to)))
    plain = [column for column in found if set(_words(column)) & {*to.words, "member"}]
    others = [c for c in found if not set(_words(c)) & {"by", "invited", "invite", "created"}]
    return next(iter([*plain, *others]), None)


def _is_membership(table: CatalogueTable) -> bool:
    return bool(set(table.words) & _MEMBERSHIPS) and not set(table.words) & _JUNK


def _penalty(table: CatalogueTable, reasons: list[str]) -> int:
    if bad := set(table.words) & _JUNK:
        reasons.append(f"but its name says {sorted(bad)[0]}")
        return -70
    return -20 if table.is_view else 0


def _words(column: CatalogueColumn) -> tuple[str, ...]:
    return words_of(column.name)


def likely(candidates: Sequence[Candidate], fewest: int = FEWEST_POINTS) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.points >= fewest]
