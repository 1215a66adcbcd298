"""The pass over a whole batch before its first write: counts what would be done, calls nothing.

The same code as `plan`. Past a guard the batch stops here. Users found gone are admitted or held
all together, so that a mass deletion is seen before its first chunk is marked. A batch of one chunk
needs no pass of its own: it is smaller than any guard, and its gone are looked at together anyway.
"""

from collections.abc import Sequence

from intercom_assets.domain.guards import Counts, Limits, accepts, breaches, plan_id
from intercom_assets.sync.plan import plan_users
from intercom_assets.sync.services import Services
from intercom_assets.sync.users import hold_gone


class GuardStopped(Exception):
    """The batch would do more than the guards allow. One sentence; nothing was written."""


def check_users(services: Services, keys: Sequence[str], accepted: str | None = None) -> None:
    """Raises `GuardStopped` if these users are past a guard and no such plan was accepted."""
    if len(keys) <= services.settings.chunk_size:
        return
    counts, gone = Counts(), []
    for user in plan_users(services, keys):
        counts = counts.plus(user.counts)
        if user.is_gone:
            gone.append(user.user_id)
    hold_gone(services, gone)
    version = services.app.mapping_version
    found = breaches(counts, _limits(services), services.store.count_linked())
    if found and not (accepted and accepts(accepted, counts, version)):
        raise GuardStopped(
            f"Nothing was written: this batch {' and '.join(found)}. If that is meant, run: "
            f"intercom-assets sync --all --accept {plan_id(counts, version)}; "
            "guards in sync.yaml has the limits."
        )


def _limits(services: Services) -> Limits:
    guards = services.settings.guards
    return Limits(
        above=guards.above,
        creates=guards.creates,
        archives=guards.archives,
        detaches=guards.detaches,
        changed_share=guards.changed_share,
    )
