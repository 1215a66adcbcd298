"""Ids that the app switched for everybody: seen before the first contact or company is made twice.

Looked for where a batch has ids that are new to us, where a user is in a team that is, and where
linked ones are found gone. A few queries where there are such ids, none where there are not. Must
not: move anything (`relink.py`), nor say how many are too many (`domain/switched_ids.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from intercom_assets.domain.guards import Counts, GuardStopped, plan_id
from intercom_assets.domain.models import AppTeam, AppUser, Gone, InvalidRow
from intercom_assets.domain.switched_ids import (
    FEW,
    Identity,
    Sample,
    SwitchedId,
    match,
    shows_a_switch,
)
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import QueueKind, StateKey
from intercom_assets.sync.context.services import Services

READ_AT_ONCE = 1_000
NEAR = 100
"""Linked ids on both sides of one that is gone: what happened to them tells a switch."""
_ACCEPTED = {
    QueueKind.USER: StateKey.SWITCHED_USER_IDS_ACCEPTED,
    QueueKind.TEAM: StateKey.SWITCHED_TEAM_IDS_ACCEPTED,
}
ACCEPTED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Switch:
    """`count`: ids that are new to us and somebody's whom the app no longer returns."""

    kind: QueueKind
    count: int
    example: SwitchedId

    @property
    def counts(self) -> Counts:
        if self.kind is QueueKind.USER:
            return Counts(switched=self.count)
        return Counts(switchedteams=self.count)

    @property
    def finding(self) -> str:
        was, now = self.example.old, self.example.new
        if self.kind is QueueKind.USER:
            users = count_of(self.count, "user")
            whose = f"{users} with an id new to this sync have the e-mails of users whom"
        else:
            teams = count_of(self.count, "team")
            whose = f"{teams} with an id new to this sync have the names of teams that"
        return (
            f"{whose} the app no longer returns (it had {was} and now has {now}), so the ids seem "
            "to have been switched"
        )

    def way_on(self, accept: str) -> str:
        """`accept`: the id of the plan that means it."""
        if self.kind is QueueKind.USER:
            way = "To keep their contacts run intercom-assets relink (--dry-run shows whom); if "
            other = "they are other people, run"
        else:
            way = "Intercom cannot change a company's id: select the old ids in teams.sql and "
            way, other = f"{way}memberships.sql; if ", "they are other teams, run"
        return f"{way}{other} intercom-assets sync --all --accept {accept}"


def find_switch(services: Services, kind: QueueKind, keys: Sequence[str]) -> Switch | None:
    """Among those of the keys that are new to us."""
    new = services.store.switched_ids.unlinked_among(kind, keys)
    if not new or next(services.store.linked.ids(kind, chunk=1), None) is None:
        return None
    marked = identities_of(services, kind, new)
    living = [identity for identity in marked if not identity.deleted]
    matched = match(departed(services, kind, [identity.mark for identity in living]), living)
    if (example := matched.example) is not None:
        many = shows_a_switch(matched.count, len(living))
        found = many or _near(services, kind, example.old)[0]
        return Switch(kind, matched.count, example) if found else None
    markless = sorted(set(new) - {identity.id for identity in marked})
    return _switch_near(services, kind, markless[0]) if markless else None


def _switch_near(services: Services, kind: QueueKind, key: str) -> Switch | None:
    """Of an id that has nothing to be recognized by: what happened to all the others."""
    shown, moved = _near(services, kind, key)
    return Switch(kind, len(moved), moved[0]) if shown else None


def stop_before_marking(services: Services, kind: QueueKind, gone: Sequence[str]) -> None:
    """Raises `GuardStopped` if these, found gone just now, seem to be there under other ids."""
    known = services.store.gone.found(kind, list(gone))
    new = [key for key in gone if key not in known]
    if not new or _is_accepted(services, kind):
        return
    switch = _switch_near(services, kind, new[0])
    if switch is not None:
        _stop(services, switch, f"This run ends before it marks any {kind} as deleted: ")


def stop_for_teams(services: Services, teams: Iterable[str]) -> None:
    """Raises `GuardStopped` if these teams, without a company yet, seem to have had other ids."""
    wanted = sorted(teams)
    if wanted and not _is_accepted(services, QueueKind.TEAM):
        switch = find_switch(services, QueueKind.TEAM, wanted)
        if switch is not None:
            _stop(services, switch, "This run ends before it makes a company: ")


def accept(services: Services, switch: Switch) -> None:
    """An operator says that they are others: for a day nobody is stopped for it on the way."""
    services.store.state.put(_ACCEPTED[switch.kind], {"at": services.now(), "count": switch.count})


def _is_accepted(services: Services, kind: QueueKind) -> bool:
    kept = services.store.state.get(_ACCEPTED[kind])
    at = kept.get("at") if isinstance(kept, Mapping) else None
    return isinstance(at, int) and services.now() - at < ACCEPTED_FOR.total_seconds()


def _stop(services: Services, switch: Switch, begin: str) -> None:
    plan = plan_id(switch.counts, services.app.mapping_version)
    raise GuardStopped(f"{begin}{switch.finding}. {switch.way_on(plan)}.")


def identities_of(services: Services, kind: QueueKind, keys: Sequence[str]) -> list[Identity]:
    """As the app has them, of those that have a mark."""
    rows = _rows(services, kind, keys).values()
    return [identity for row in rows if (identity := identity_of(row)) is not None]


def identity_of(row: AppUser | AppTeam | InvalidRow | Gone) -> Identity | None:
    if not isinstance(row, AppUser | AppTeam):
        return None
    mark = row.values.get("email" if isinstance(row, AppUser) else "name")
    created = row.values.get("created_at")
    if not isinstance(mark, str):
        return None
    return Identity(
        row.id,
        mark.lower() if isinstance(row, AppUser) else mark,
        created if isinstance(created, int) else None,
        row.deleted,
    )


def departed(services: Services, kind: QueueKind, marks: Sequence[str]) -> list[Identity]:
    """Linked ones with these marks whom the app no longer returns."""
    known: dict[str, Identity] = {}
    for part in _some(list(dict.fromkeys(marks))):
        known.update(
            {
                identity.id: identity
                for identity in services.store.switched_ids.identities(kind, part)
            }
        )
    rows = _rows(services, kind, list(known))
    return [replace(known[key], deleted=False) for key, row in rows.items() if _is_gone(row)]


def departed_among(services: Services, users: Sequence[str]) -> frozenset[str]:
    """Those of the users that are linked and that the app no longer returns."""
    unlinked = set(services.store.switched_ids.unlinked_among(QueueKind.USER, users))
    rows = _rows(services, QueueKind.USER, [key for key in users if key not in unlinked])
    return frozenset(key for key, row in rows.items() if _is_gone(row))


def _near(services: Services, kind: QueueKind, old: str) -> tuple[bool, list[SwitchedId]]:
    """Whether a look around an old id shows a switch; those that moved, with their new ids.

    Left out are those whose mark is that of an id that we know: whatever they were, it is over.
    """
    near = {
        identity.id: identity.mark for identity in services.store.switched_ids.near(kind, old, NEAR)
    }
    rows = _rows(services, kind, list(near))
    gone = [key for key, row in rows.items() if _is_gone(row)]
    if len(gone) < FEW:
        return False, []
    marks = [near[key] for key in gone]
    found = _ids_with(services, kind, marks)
    new = set(
        services.store.switched_ids.unlinked_among(
            kind, [key for ids in found.values() for key in ids]
        )
    )
    moved = [
        SwitchedId(key, min(ids & new))
        for key in gone
        if (ids := set(found.get(near[key], ()))) & new
    ]
    settled = sum(mark in found for mark in marks) - len(moved)
    return Sample(len(near) - settled, len(moved)).shows_a_switch, moved


def _ids_with(
    services: Services, kind: QueueKind, marks: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    if kind is QueueKind.USER:
        return services.app.ids_with_email(marks)
    return services.app.teams_named(marks)


def _rows(
    services: Services, kind: QueueKind, keys: Sequence[str]
) -> dict[str, AppUser | AppTeam | InvalidRow | Gone]:
    found: dict[str, AppUser | AppTeam | InvalidRow | Gone] = {}
    for part in _some(keys):
        if kind is QueueKind.USER:
            found.update(services.app.read_users(part))
        else:
            found.update(services.app.read_teams(part))
    return found


def _is_gone(row: AppUser | AppTeam | InvalidRow | Gone) -> bool:
    return isinstance(row, Gone)


def _some(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + READ_AT_ONCE] for start in range(0, len(keys), READ_AT_ONCE))
