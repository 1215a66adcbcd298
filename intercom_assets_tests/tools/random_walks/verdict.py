"""Both sides read after the runs of a round, and whatever is wrong with them in sentences.

Nothing of the engine is asked but whom it parked and what it left out, and why, and which contact
it links to whom. Who is who, and what was agreed on, is here; the rest in `verdict_on_users` and
`verdict_on_teams`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from intercom_assets_tests.tools.random_walks.expected import place_of, plain
from intercom_assets_tests.tools.random_walks.script import USERS
from intercom_assets_tests.tools.random_walks.verdict_on_carried import (
    OptOuts,
    carried_now,
    findings_on_carried,
)
from intercom_assets_tests.tools.random_walks.verdict_on_tags import TagJudge
from intercom_assets_tests.tools.random_walks.verdict_on_teams import findings_on_teams
from intercom_assets_tests.tools.random_walks.verdict_on_users import (
    TWO_WAY,
    Seen,
    UserCase,
    findings_on_user,
)
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld

EXPECTED_PARKS = re.compile(
    "another user's|belongs to another user|in Intercom and still holds this identity"
    "|is already linked to id|is linked to user|another integration keeps writing"
    "|was merged by hand into"
)


@dataclass
class Judge:
    """`agreed`: what both sides agreed on at the last verdict, by user and field; of `contact_of`.

    `before`: both sides right before the runs of this round.
    """

    ground: WalkWorld
    settings: Mapping[str, Any]
    agreed: dict[int, dict[str, Any]] = field(default_factory=dict)
    before: dict[int, Seen] = field(default_factory=dict)
    contact_of: dict[int, str] = field(default_factory=dict)

    opted_out: dict[int, OptOuts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tags = TagJudge(self.ground)

    def look(self) -> None:
        self.tags.look()
        self.before = {user: self._seen(user) for user in USERS}
        for user, seen in self.before.items():
            self.opted_out.setdefault(user, OptOuts()).look(seen)
        leads = [c for c in self.ground.played.intercom.contacts() if c["role"] == "lead"]
        named = {(lead["email"] or "").lower() for lead in leads if plain(lead["name"])}
        for user, seen in self.before.items():
            email = plain(seen.row["email"]) if seen.row else None
            if email and email.lower() in named:
                self.ground.inherited.add(user)

    def _seen(self, user: int) -> Seen:
        return Seen(self.ground.row(user), self.ground.contact(user))

    def findings(self) -> list[str]:
        parked = self._parked()
        found = [*self._identities(), *self._strangers(), *findings_on_teams(self.ground)]
        found += [
            f"{key} is parked: {why}"
            for key, why in parked.items()
            if not EXPECTED_PARKS.search(why)
        ]
        for user in sorted(self.ground.known):
            now = self._seen(user)
            if str(user) not in parked:
                case = self._case(user, now)
                found += [f"user {user}: {what}" for what in findings_on_user(case)]
                found += [f"user {user}: {what}" for what in findings_on_carried(case)]
                found += [f"user {user}: {what}" for what in self.opted_out[user].findings(case)]
                self._remember(user, now)
        return [*found, *self.tags.findings(parked)]

    def _case(self, user: int, now: Seen) -> UserCase:
        agreed = self.agreed.get(user, {})
        return UserCase(self.ground, self.settings, user, self.before[user], now, agreed)

    def _identities(self) -> Iterator[str]:
        live = [c for c in self.ground.played.intercom.contacts() if c["role"] == "user"]
        held = Counter(c["external_id"] for c in live if c["external_id"])
        for key, many in held.items():
            if many > 1:
                yield f"{many} live contacts have the external id {key}"
        stored = self.ground.played.rows(
            "select metadata ->> 'intercom_user_id' from users where deleted_at is null"
        )
        for contact, many in Counter(contact for (contact,) in stored if contact).items():
            if many > 1:
                yield f"{many} users have the contact {contact}"

    def _strangers(self) -> Iterator[str]:
        for contact, was in self.ground.strangers.items():
            now = self.ground.played.intercom.contact(id=contact)
            if now != was:
                yield f"a stranger's contact was touched: {was} -> {now}"

    def _parked(self) -> dict[str, str]:
        parked = self.ground.played.services.store.queue.parked()
        return {row.key: row.error.message if row.error else "" for row in parked}

    def _remember(self, user: int, now: Seen) -> None:
        """What the next round starts from. Nothing was agreed on with another contact."""
        if now.live is None or now.row is None:
            return
        if self.contact_of.get(user) != now.live["id"]:
            self.agreed.pop(user, None)
        self.contact_of[user] = now.live["id"]
        agreed = self.agreed.setdefault(user, {})
        for name, theirs in TWO_WAY.items():
            if plain(now.row[name]) == plain(now.live[theirs]):
                agreed[name] = plain(now.row[name])
        for name, ours, theirs in carried_now(self.ground, now.row, now.live):
            if ours == theirs:
                agreed[name] = ours
        agreed["time_zone"] = plain(now.row["time_zone"])
        agreed["place"] = place_of(now.live)
