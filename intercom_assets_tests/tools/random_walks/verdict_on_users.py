"""What is wrong with one user on both sides, in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from intercom_assets.domain.models import LeftOut, Reason
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets_tests.tools.random_walks.expected import Held, plain, two_way, zone, zone_of
from intercom_assets_tests.tools.random_walks.script import TEAMS
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld

TWO_WAY = {"name": "name", "phone_number": "phone"}
LONGEST, CONTESTED_TIMES = 255, 3
"""Characters that Intercom holds of a name; edits that make a field a contested one."""
YOUNG = 86_000
"""Seconds since sign-up for which leads are merged for certain: a day, less what a round takes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One user on both sides at one moment. `contact`: live, dead or None."""

    row: dict[str, Any] | None
    contact: dict[str, Any] | None

    @property
    def live(self) -> dict[str, Any] | None:
        return self.contact if self.contact and self.contact["state"] == "live" else None


@dataclass(frozen=True, slots=True)
class UserCase:
    """`agreed`: what both sides agreed on before this round; `before`: right before its runs."""

    ground: WalkWorld
    settings: Mapping[str, Any]
    user: int
    before: Seen
    now: Seen
    agreed: Mapping[str, Any]

    @property
    def archives(self) -> bool:
        return bool(self.settings["on_delete"] == "archive")

    @property
    def tampered(self) -> bool:
        return self.user in self.ground.tampered

    @property
    def left_out(self) -> Mapping[str, LeftOut]:
        """Fields that may differ on the two sides; `_left_out` judges the reasons."""
        key = str(self.user)
        link = self.ground.played.services.store.links.users([key]).get(key)
        return link.left_out if link is not None else {}

    @property
    def is_on_the_list(self) -> bool:
        return bool(self.ground.played.services.store.gone.found(QueueKind.USER, [str(self.user)]))

    def keys(self, contact: dict[str, Any]) -> set[str]:
        return self.ground.played.intercom.company_keys(id=contact["id"])

    def teams_of(self, contact: dict[str, Any]) -> set[str]:
        return self.keys(contact) & {str(team) for team in TEAMS}


def findings_on_user(case: UserCase) -> Iterator[str]:
    row, live = case.now.row, case.now.live
    if row is not None and case.is_on_the_list:
        yield "is in the app and on the list of those who are gone"
    if row is None:
        yield from _gone(case)
    elif live is not None:
        if row["deleted_at"] is not None and case.user in case.ground.unarchived:
            return  # archived once and no more; what changes meanwhile is not sent
        yield from _left_out(case, row, live)
        yield from _who_it_is(case, row, live)
        yield from _plain_fields(case, row, live)
        yield from _memberships(case, live)
        yield from _leads(case, row)
        yield from _two_way_fields(case, row, live)
        yield from _time_zone(case, row)
        yield from _last_seen(case, row, live)
    elif row["deleted_at"] is None:
        yield f"has no live contact: {case.now.contact and case.now.contact['state']}"


def _gone(case: UserCase) -> Iterator[str]:
    live = case.now.live
    if live is None:
        return
    left = case.tampered or case.user in case.ground.unarchived
    if case.archives and not left:
        yield "is gone and its contact is not archived"
    if live["custom_attributes"].get("deleted") is not True:
        yield "is gone and not marked as deleted"
    if kept := case.teams_of(live):
        yield f"is gone and still in {kept}"


def _who_it_is(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    if row["deleted_at"] is not None:
        if case.archives and not case.tampered:
            yield "is deleted and its contact is not archived"
        return
    if live["external_id"] != str(case.user):
        yield f"its contact has the external id {live['external_id']}"
    if row["metadata"].get("intercom_user_id") != live["id"]:
        yield "the app has not the id of its contact"


def _left_out(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    for name, each in case.left_out.items():
        if each.reason is Reason.CONTESTED:
            right = case.ground.edits[case.user, name] >= CONTESTED_TIMES
        elif each.reason is Reason.REFUSED:
            right = _is_refused(case, name, row, live)
        elif each.reason is Reason.UNFIT and name == "tags":
            right = None in map(plain, row[name])
        elif each.reason is Reason.UNFIT:
            right = name == "avatar_url" and not (row[name] or "").startswith("https://")
        elif name == "owner_email":
            right = plain(row[name]) is not None and case.ground.owner(row[name]) is None
        else:
            right = each.reason is Reason.UNWRITABLE and name == "monthly_usage"
        if not right:
            yield f"{name} is left out for no good reason: {each.reason}, {each.why}"


def _is_refused(case: UserCase, name: str, row: dict[str, Any], live: dict[str, Any]) -> bool:
    """A name that is too long; an address that another contact has, and there may be one only."""
    if name == "name":
        return len(plain(row["name"]) or "") > LONGEST
    if name != "email":
        return False
    email = (plain(row["email"]) or "").lower()
    holders = [
        c
        for c in case.ground.played.intercom.contacts()
        if c["role"] == "user" and c["id"] != live["id"] and (c["email"] or "").lower() == email
    ]
    return bool(holders)


def _plain_fields(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    attributes = live["custom_attributes"]
    pairs = {
        "email": ((plain(row["email"]) or "").lower(), (live["email"] or "").lower()),
        "subscription_plan": (row["plan"], attributes.get("subscription_plan")),
        "deleted": (row["deleted_at"] is not None, attributes.get("deleted")),
        "the zone shown": (plain(row["time_zone"]), attributes.get("time_zone")),
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs and name not in case.left_out:
            yield f"{name} is {ours!r} in the app and {theirs!r} in Intercom"


def _memberships(case: UserCase, live: dict[str, Any]) -> Iterator[str]:
    rows = case.ground.played.rows(
        "select team_id::text from memberships where user_id = %s", case.user
    )
    wanted, held = {team for (team,) in rows}, case.teams_of(live)
    if wanted != held:
        yield f"is in the teams {sorted(wanted)} and in the companies {sorted(held)}"
    by_hand = case.keys(live) - {str(team) for team in TEAMS}
    if case.settings["memberships"] == "mirror" and by_hand:
        yield f"is in companies by hand, in spite of mirror: {sorted(by_hand)}"


def _leads(case: UserCase, row: dict[str, Any]) -> Iterator[str]:
    email, created = (row["email"] or "").lower(), _seconds(row["created_at"]) or 0
    if not email or row["deleted_at"] is not None:
        return
    if "email" in case.left_out:
        return  # Intercom merges a lead only into a contact with its address
    contacts = case.ground.played.intercom.contacts()
    left = [c for c in contacts if c["role"] == "lead" and (c["email"] or "").lower() == email]
    if left and case.ground.now().timestamp() - created < YOUNG:
        yield f"{len(left)} leads with its e-mail are left"


def _two_way_fields(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    for name, theirs in TWO_WAY.items():
        policy = case.settings["fields"].get(name, "fill")
        now = plain(row[name]), plain(live[theirs])
        held = _held(case, name, theirs)
        if name in case.left_out:
            if held is not None and now[0] != held.app:
                yield f"{name} ({policy}) is left out, and the app's became {now[0]!r}: {held}"
        elif held is not None and now != (wanted := two_way(policy, name, held)):
            yield f"{name} ({policy}) is {now} and not {wanted}, from {held}"
        elif held is None and now[0] != now[1] and case.settings["clear_unusable"]:
            yield f"{name} ({policy}) is {now[0]!r} in the app and {now[1]!r} in Intercom"


def _held(case: UserCase, name: str, theirs: str | None) -> Held | None:
    """None where it is not told what must come of it."""
    row, contact = case.before.row, case.before.contact
    if row is None or case.tampered or case.user in case.ground.inherited | case.ground.given:
        return None
    if case.before.live is None and (contact is not None or case.ground.may_be_adopted):
        return None
    return Held(
        known=name in case.agreed or contact is None,
        base=case.agreed.get(name),
        app=plain(row[name]),
        intercom=plain(contact[theirs]) if contact and theirs else None,
        oauth=row["oauth_provider"] is not None,
        clears=case.settings["clear_unusable"],
    )


def _time_zone(case: UserCase, row: dict[str, Any]) -> Iterator[str]:
    held = _held(case, "time_zone", None)
    if held is None:
        return
    place = (case.before.live or {}).get("location") or {}
    policy = case.settings["fields"].get("time_zone", "fill")
    located, country = place.get("timezone"), place.get("country_code")
    wanted = zone(policy, held, located, country, case.agreed.get("place"))
    if zone_of(plain(row["time_zone"])) != wanted:
        yield f"time_zone ({policy}) is {row['time_zone']} and not {wanted}, from {held} {place}"


def _last_seen(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    if case.user in case.ground.given:
        return  # a later time of the other person is neither pulled nor lowered
    ours, theirs = _seconds(row["last_request_at"]), live["last_seen_at"]
    if ours != theirs:
        yield f"last seen at {ours} in the app and {theirs} in Intercom"
    if "last_request_at" in case.settings["fields"] or case.tampered or case.before.row is None:
        return
    kept = case.before.contact  # one that is archived comes back with what it held
    there = kept["last_seen_at"] if kept and kept["state"] in ("live", "archived") else None
    meanwhile = case.ground.seen.get(case.user)
    known = (there, meanwhile, _seconds(case.before.row["last_request_at"]))
    times = [t for t in known if t is not None]
    if ours != (latest := max(times, default=None)):
        yield f"last seen at {ours} and not at {latest}"


def _seconds(moment: str | None) -> int | None:
    return None if moment is None else int(datetime.fromisoformat(moment).timestamp() // 1)
