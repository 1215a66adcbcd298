"""A handful of users as a large batch: the sizes from which on bulk is used, lowered for a while.

Sizes are set where the engine reads them, and nothing else is exchanged. Beside that, what tests of
bulk play and count. Must not: a rule about who goes by bulk.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from intercom_assets.sync.engine import bulk, bulk_users, bulk_waves
from intercom_assets.sync.passes import late_jobs
from intercom_assets_tests.sync.sync_world import SyncWorld
from intercom_assets_tests.sync.world import Synced

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)

MODULES = {
    **dict.fromkeys(("LEAST_USERS", "LEAST_TEAMS"), bulk),
    **dict.fromkeys(("ROWS_AT_ONCE", "CHUNKS_AT_ONCE", "WAVE_ROWS", "KEPT_ROWS"), bulk_waves),
    "JOB_LASTS": late_jobs,
    **dict.fromkeys(("LEAST_ITEMS", "AT_ONCE", "FEW_TEAMS"), bulk_users),
}
SMALL: Mapping[str, int] = {"LEAST_USERS": 3, "LEAST_TEAMS": 3, "LEAST_ITEMS": 3}


@contextmanager
def sizes_of_bulk(sizes: Mapping[str, int]) -> Iterator[None]:
    """`sizes`: constant of the engine's -> rows, users, items or teams."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(MODULES[name], name, size)
        yield


def given_users(world: SyncWorld, count: int, **columns: Any) -> list[int]:
    """Who signed up long ago, so that no leads are searched."""
    return [
        world.given_user(email=f"u{n}@example.com", name=f"User {n}", created_at=OLD, **columns)
        for n in range(count)
    ]


def kinds(synced: Synced) -> Counter[str]:
    """The calls, without ids."""
    return Counter(_kind(call) for call in synced.calls)


def _kind(call: str) -> str:
    method, path = call.split(" ", 1)
    parts = [part for part in path.partition("?")[0].split("/") if part]
    known = {"contacts", "companies", "bulk", "search", "scroll", "data_attributes", "me"}
    known |= {"find_by_external_id"}
    return f"{method} /" + "/".join(part if part in known else "*" for part in parts)


class KilledError(Exception):
    """The process is gone."""


def die() -> None:
    raise KilledError


def killed_at(world: SyncWorld, when: str, request: str, *users: int) -> None:
    """A run over these users that ends before or after the first request that fits."""
    (world.just_before if when == "before" else world.just_after)(request, die)
    with pytest.raises(KilledError):
        world.sync(*users)
    world.wire.forget()
