"""What was measured of this workspace where Intercom's documents are silent: `check --probe`.

`None` is "not measured", and whoever asks then has to be right either way. Kept for one workspace:
our tables are about one. Must not: measure, or decide what follows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import StateKey

REFUSED, CLEARS, IGNORED = "refused", "clears", "ignored"
NULL_IN_BULK = (REFUSED, CLEARS, IGNORED)


@dataclass(frozen=True, slots=True)
class Probed:
    """`bulk_offered`: whether this token may call Preview's bulk endpoints at all.
    `items_count_as_calls`: each item of a bulk call against the rate limit.
    `null_in_bulk`: one of `NULL_IN_BULK`.
    `index_lag_s`: seconds until a new contact was found by a search, as seen, not a promise.
    `in_list_limit`: how many values `IN` was seen to take; more may be possible.
    `emails_unique`: a second external id is refused the e-mail of another user.
    `probed_at`: when this was saved; None where nothing was.
    """

    bulk_offered: bool | None = None
    items_count_as_calls: bool | None = None
    attach_creates_companies: bool | None = None
    null_in_bulk: str | None = None
    index_lag_s: float | None = None
    names_escaped: bool | None = None
    in_list_limit: int | None = None
    emails_unique: bool | None = None
    writes_fire_webhooks: bool | None = None
    probed_at: datetime | None = None


NUMBERS = {"index_lag_s": float, "in_list_limit": int}


def read_probed(store: Store) -> Probed:
    """Nothing is known of a workspace that was never probed, or of what cannot be read."""
    found = store.state.get_at(StateKey.PROBED)
    if found is None or not isinstance(found[0], dict):
        return Probed()
    known = _fitting(found[0])
    return Probed(**known, probed_at=found[1].astimezone(UTC))


def write_probed(store: Store, probed: Probed) -> None:
    """Replaces what was known before, as measured now."""
    kept = {name: value for name, value in asdict(probed).items() if name != "probed_at"}
    store.state.put(StateKey.PROBED, kept)


def _fitting(kept: Mapping[str, Any]) -> dict[str, Any]:
    names = [field.name for field in fields(Probed) if field.name != "probed_at"]
    return {name: kept[name] for name in names if name in kept and _fits(name, kept[name])}


def _fits(name: str, value: object) -> bool:
    if name == "null_in_bulk":
        return value in NULL_IN_BULK
    if name in NUMBERS:
        number = isinstance(value, int | NUMBERS[name]) and not isinstance(value, bool)
        return number and value >= 0  # type: ignore[operator]  # a number, as just asked
    return isinstance(value, bool)
