"""What a contact carries besides: picture, owner, whether its e-mail is verified, opt-outs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from intercom_assets_tests.tools.random_walks.expected import plain
from intercom_assets_tests.tools.random_walks.verdict_on_users import Seen, UserCase
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld

UNSUBSCRIBED = "unsubscribed_from_emails"
CARRIED = ("avatar_url", "owner_email")


def carried_now(
    ground: WalkWorld, row: dict[str, Any], contact: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Name, what the app says in Intercom's terms, and what Intercom holds."""
    yield "avatar_url", plain(row["avatar_url"]), plain(contact["avatar"])
    named = plain(row["owner_email"])
    yield "owner_email", ground.owner(named) or named, contact["owner_id"]


def findings_on_carried(case: UserCase) -> Iterator[str]:
    row, live = case.now.row, case.now.live
    if row is None or live is None or row["deleted_at"] is not None:
        return
    yield from _filled(case, row, live)
    yield from _verified(case, row, live)


def _filled(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    before = case.before.live
    there = {n: v for n, _, v in carried_now(case.ground, row, before)} if before else {}
    settled = case.user not in case.ground.tampered | case.ground.inherited | case.ground.given
    for name, ours, theirs in carried_now(case.ground, row, live):
        if name in case.left_out:
            continue
        if ours is not None and theirs != ours:
            yield f"{name} is {ours!r} in the app and {theirs!r} in Intercom"
        if ours is None and before and settled and before["id"] == live["id"]:
            cleared = name in case.agreed and case.agreed[name] == there[name]
            if theirs != (wanted := None if cleared else there[name]):
                yield f"{name} is {theirs!r} in Intercom and not {wanted!r}"


def _verified(case: UserCase, row: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    if plain(row["email"]) is None or {"email", "email_verified"} & case.left_out.keys():
        return
    held = case.ground.played.intercom.world.contacts[live["id"]].email_verified
    if held is not row["email_verified"] and not (held is None and case.user in case.ground.given):
        yield f"its e-mail is verified: {row['email_verified']} in the app, {held} in Intercom"


@dataclass
class OptOuts:
    """Whose word it is that somebody is not to be mailed, by what each side held at each look.

    Until something happens after which nobody can tell: then both sides only have to agree.
    """

    by: set[str] = field(default_factory=set)
    last: dict[str, Any] = field(default_factory=dict)
    is_clear: bool = True

    def look(self, seen: Seen) -> None:
        """Right before the runs."""
        self.is_clear = self.is_clear and (seen.contact is None or seen.live is not None)
        now = {
            "app": seen.row["opted_out"] if seen.row else None,
            "intercom": seen.live[UNSUBSCRIBED] if seen.live else None,
        }
        for side, value in now.items():
            if value is False:
                self.by.discard(side)
            elif value is True and self.last.get(side) is not True:
                self.by.add(side)

    def findings(self, case: UserCase) -> Iterator[str]:
        """After them."""
        row, live, ground = case.now.row, case.now.live, case.ground
        same = case.before.contact is None or case.before.contact["id"] == (live or {}).get("id")
        strange = ground.tampered | ground.inherited | ground.given | ground.unarchived
        if row is None or live is None or case.user in strange or not same:
            self.is_clear = False
        if row is None or live is None or row["deleted_at"] is not None:
            self.is_clear = False
            return
        sides = {"app": row["opted_out"], "intercom": live[UNSUBSCRIBED]}
        if (sides["app"] is True) is not (sides["intercom"] is True):
            yield f"is opted out on one side only: {sides}"
        if self.is_clear and (sides["app"] is True) is not bool(self.by):
            yield f"is opted out: {sides}, by {sorted(self.by) or 'nobody'}"
        self.last = sides
