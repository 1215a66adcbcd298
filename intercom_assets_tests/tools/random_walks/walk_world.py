"""Where a walk goes: the world, and what its judge may not forget of what was done to it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from intercom_assets_tests.sync.sync_world import SyncWorld
from intercom_assets_tests.tools.random_walks.webhooks import WebhooksOfAWalk


@dataclass
class WalkWorld:
    """`tampered`: users whose identity was changed by hand in this round; `unarchived`: users whose
    contact once was taken out of the archive by hand, or by a login; `inherited`: users whose
    contact may take values of a lead; `given`: users who ever got another's contact, of which
    nothing is pulled until it changes. `by_hand`: teams whose company was edited since the app
    changed the team. `strangers`: contacts that are nobody's of the app, as they were. `known`:
    users that ever were in the app. `needs_audit`: something that no search shows was done.
    `to_be_seen`: users whom the Messenger sees once Intercom's changes were looked for, just before
    the runs, and how long ago by its clock; `seen`: when it did in this round. `contests`: user and
    field that another integration writes over before each of the next so many runs, and their look
    at Intercom's changes; `edits`: how often each user's field was written over there, ever.
    `teammates`: e-mail -> id. `has_happened`: something did in this turn, while a run was at work.
    `meanwhile`: users and teams to whom that ever happened.
    `needs_everybody`: something was done that nothing tells of, so that an operator syncs all.
    """

    played: SyncWorld
    webhooks: WebhooksOfAWalk
    strangers: dict[str, dict[str, Any]] = field(default_factory=dict)
    tampered: set[int] = field(default_factory=set)
    unarchived: set[int] = field(default_factory=set)
    inherited: set[int] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    by_hand: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    to_be_seen: list[tuple[int, int]] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    contests: Counter[tuple[int, str]] = field(default_factory=Counter)
    edits: Counter[tuple[int, str]] = field(default_factory=Counter)
    teammates: dict[str, str] = field(default_factory=dict)
    needs_audit: bool = False
    needs_everybody: bool = False
    meanwhile: set[tuple[str, int]] = field(default_factory=set)
    may_be_adopted: bool = False
    has_happened: bool = False

    def row(self, user: int) -> dict[str, Any] | None:
        found = self.played.rows("select to_jsonb(u) from users u where id = %s", user)
        return found[0][0] if found else None

    def has_team(self, team: int) -> bool:
        return bool(self.played.rows("select 1 from teams where id = %s", team))

    def contact(self, user: int) -> dict[str, Any] | None:
        """The contact that our tables link to the user, whatever became of it; else by its id.

        A user that is gone and was never linked has none: who holds its id is somebody else.
        """
        links = self.played.services.store.links.users([str(user)])
        link = links.get(str(user))
        if link is not None and link.contact_id is not None:
            return self.played.intercom.contact(id=link.contact_id)
        if self.row(user) is None:
            return None
        return self.played.intercom.contact(external_id=str(user))

    def owner(self, email: str | None) -> str | None:
        """The teammate whom the app names; None for nobody of the workspace."""
        return self.teammates.get((email or "").strip().lower())

    def now(self) -> datetime:
        return datetime.fromtimestamp(int(self.played.times.theirs()), UTC)
