"""Whose each tag of a contact or company is, and what is wrong with them, in sentences.

Tags are told apart by Intercom's ids, since somebody may rename one, or delete it and make another.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from intercom_assets_tests.tools.random_walks.expected import plain
from intercom_assets_tests.tools.random_walks.script import TEAMS, USERS
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld


@dataclass(frozen=True, slots=True)
class Tagged:
    """Right before the runs, or after them. `named`: names of the workspace without case -> id.
    `carried`: contact's or company's id -> ids of its tags."""

    named: Mapping[str, str]
    carried: Mapping[str, frozenset[str]]


def seen_now(ground: WalkWorld) -> Tagged:
    world = ground.played.intercom.world
    contacts = {contact.id: contact.tags for contact in world.contacts.values()}
    carried = contacts | {company.id: company.tags for company in world.companies.values()}
    return Tagged(
        {tag.name.lower(): tag.id for tag in world.tags.values()},
        {holder: frozenset(tags) & world.tags.keys() for holder, tags in carried.items()},
    )


def wanted_of(names: Collection[str | None] | None) -> set[str]:
    return {name.lower() for raw in names or () if (name := plain(raw))}


@dataclass
class Ours:
    """Tags of one user or team that the sync put on, name without case -> id.

    `holder`: the contact or company that carries them. `is_clear`: until something happens after
    which nobody can tell whose they are; then what the app wants only has to be on.
    """

    tags: dict[str, str] = field(default_factory=dict)
    holder: str | None = None
    is_clear: bool = True

    def findings(self, wanted: set[str], holder: str, before: Tagged, now: Tagged) -> Iterator[str]:
        if holder != self.holder:
            self.holder, self.tags = holder, {}
        carried, on = before.carried.get(holder, frozenset()), now.carried[holder]
        there = {name for name in wanted if {before.named.get(name), self.tags.get(name)} & carried}
        put_on = {name: now.named.get(name, "none") for name in wanted - there}
        kept = {tags.get(name) for name in wanted for tags in (self.tags, before.named)}
        taken_off = {tag for name, tag in self.tags.items() if name not in wanted} - kept
        expected = (carried - taken_off) | set(put_on.values())
        if self.is_clear and on != expected:
            yield f"carries the tags {_told(on, now)} and not {_told(expected, now)}"
        elif lacking := {n for n in wanted if not {now.named.get(n), self.tags.get(n)} & on}:
            yield f"carries no tag {sorted(lacking)}"
        still = {n: t for n, t in self.tags.items() if n in wanted and t in carried}
        self.tags = {**still, **put_on}

    def findings_on_who_left(self, holder: str, before: Tagged, now: Tagged) -> Iterator[str]:
        if self.is_clear and now.carried[holder] != before.carried.get(holder, frozenset()):
            yield f"left, and its tags were moved to {_told(now.carried[holder], now)}"


def _told(ids: Collection[str], now: Tagged) -> list[str]:
    names = {tag: name for name, tag in now.named.items()}
    return sorted(f"{names.get(tag, '?')} ({tag})" for tag in ids)


@dataclass
class TagJudge:
    ground: WalkWorld
    before: Tagged = field(default_factory=lambda: Tagged({}, {}))
    users: dict[int, Ours] = field(default_factory=lambda: {user: Ours() for user in USERS})
    teams: dict[int, Ours] = field(default_factory=lambda: {team: Ours() for team in TEAMS})

    def look(self) -> None:
        self.before = seen_now(self.ground)

    def findings(self, parked: Collection[str]) -> Iterator[str]:
        now = seen_now(self.ground)
        for user in USERS:
            found = [] if str(user) in parked else list(self._of_user(user, now))
            yield from (f"user {user}: {what}" for what in found)
        for team in TEAMS:
            yield from (f"team {team}: {what}" for what in self._of_team(team, now))

    def _of_user(self, user: int, now: Tagged) -> Iterator[str]:
        ours, ground = self.users[user], self.ground
        if (
            "user",
            user,
        ) in ground.meanwhile or user in ground.tampered | ground.given | ground.unarchived:
            ours.is_clear = False
        row, contact = ground.row(user), ground.contact(user)
        if contact is None or contact["state"] != "live":
            return
        if row is None or row["deleted_at"] is not None:
            yield from ours.findings_on_who_left(contact["id"], self.before, now)
        else:
            yield from ours.findings(wanted_of(row["tags"]), contact["id"], self.before, now)

    def _of_team(self, team: int, now: Tagged) -> Iterator[str]:
        ours = self.teams[team]
        if ("team", team) in self.ground.meanwhile:
            ours.is_clear = False
        rows = self.ground.played.rows("select tags from teams where id = %s", team)
        company = self.ground.played.intercom.company(company_id=str(team))
        if company is None:
            return
        if not rows:
            yield from ours.findings_on_who_left(company["id"], self.before, now)
        else:
            yield from ours.findings(wanted_of(rows[0][0]), company["id"], self.before, now)
