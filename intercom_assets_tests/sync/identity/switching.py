"""Mappings that select other ids than before, and whom they are tried on.

Belongs here: what the tests of switched ids share. Must not: what comes of it.
"""

from typing import Any

from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

ID = "    id,                                         -- becomes the "
SWITCHED = Sql(
    users={ID + "contact's": "    'usr_' || id as id,   -- the "},
    memberships={"    user_id,": "    'usr_' || user_id as user_id,"},
)
TEAMS_SWITCHED = Sql(
    teams={ID + "company's": "    't_' || id as id,   -- the "},
    memberships={"    team_id,": "    't_' || team_id as team_id,"},
)
NO_WRITES: dict[str, Any] = {"write_back": False}
"""The table's key is still the old id."""


def given_users(played: SyncWorld, many: int, first: int = 0) -> list[int]:
    """Users with e-mails of their own, in step."""
    users = [played.given_user(email=f"U{n}@Example.com") for n in range(first, first + many)]
    played.sync(*users)
    return users


def switched(users: list[int]) -> list[str]:
    return [f"usr_{user}" for user in users]


def some_switched(users: list[int]) -> Sql:
    """These users only."""
    named = ", ".join(map(str, users))
    new = f"    case when id in ({named}) then 'usr_' || id else id::text end as id,   -- the "
    return Sql(users={ID + "contact's": new})


def writes(played: SyncWorld) -> int:
    return int(played.intercom.stats()["writes"])
