"""The pass over a whole batch before its first write: counts what would be done, calls nothing.

The same code as `plan`, where counts of our own tables cannot rule a breach out. Past a guard the
batch stops here. Users found gone are admitted or held all together, so that a mass deletion is
seen before its first chunk is marked. A batch of one chunk that is too small to be guarded needs no
pass of its own; only ids that are new to us are looked at in any batch (`switched_ids.py`).
"""

from collections.abc import Sequence

from intercom_assets.domain.guards import (
    Counts,
    GuardStopped,
    Limits,
    accepts,
    breaches,
    plan_id,
)
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.gone import hold_gone_among
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.switched_ids import Switch, accept, find_switch
from intercom_assets.sync.engine.plan import count, plan_users

MOST_COMPANIES = 1_000
"""Companies of one contact (docs/dev/intercom-facts.md#companies)."""


def check_users(services: Services, keys: Sequence[str], accepted: str | None = None) -> None:
    """Raises `GuardStopped` if these users are past a guard and no such plan was accepted."""
    switch = find_switch(services, QueueKind.USER, keys)
    if switch is not None:
        counts = count(plan_users(services, keys)).plus(switch.counts)
        _require_accepted(services, switch, counts, accepted)
    settings = services.settings
    if len(keys) <= min(settings.chunk_size, settings.guards.above):
        return
    linked = services.store.linked.among(keys)
    hold_gone_among(services, QueueKind.USER, linked)
    most = _at_most(services, keys, linked)
    if switch is not None or (accepted and accepts(accepted, most, services.app.mapping_version)):
        return
    if past_guards(services, most):
        _check_size(services, keys, accepted)


def _require_accepted(
    services: Services, switch: Switch, counts: Counts, accepted: str | None
) -> None:
    """Who accepts a plan with a switch accepts all of its size."""
    version = services.app.mapping_version
    if accepted and accepts(accepted, counts, version):
        accept(services, switch)
        return
    raise GuardStopped(
        f"Nothing was written: {switch.finding}. {switch.way_on(plan_id(counts, version))}; "
        "intercom-assets plan shows it for everybody."
    )


def _check_size(services: Services, keys: Sequence[str], accepted: str | None) -> None:
    counts = count(plan_users(services, keys))
    version = services.app.mapping_version
    found = past_guards(services, counts)
    if found and not (accepted and accepts(accepted, counts, version)):
        other = f" and is more, or of another mapping, than plan {accepted}" if accepted else ""
        raise GuardStopped(
            f"Nothing was written: this batch {' and '.join(found)}{other}. If that is meant, run: "
            f"intercom-assets sync --all --accept {plan_id(counts, version)}; "
            "guards in sync.yaml has the limits."
        )


def check_teams(services: Services, keys: Sequence[str], accepted: str | None = None) -> None:
    """Raises `GuardStopped` if these teams seem to have had other ids. Holds teams that are gone,
    if they are too many, before the first company is marked."""
    switch = find_switch(services, QueueKind.TEAM, keys)
    if switch is not None:
        _require_accepted(services, switch, switch.counts, accepted)
    if len(keys) > services.settings.chunk_size:
        links = services.store.links.teams(keys)
        linked = [key for key, link in links.items() if link.company_id is not None]
        hold_gone_among(services, QueueKind.TEAM, linked)


def past_guards(services: Services, counts: Counts) -> list[str]:
    """One clause for each guard that a batch of this size is past."""
    return breaches(counts, _limits(services), services.store.links.count())


def _at_most(services: Services, keys: Sequence[str], linked: Sequence[str]) -> Counts:
    """What this batch could do at the very most, from counts alone: most need no closer look."""
    settings = services.settings
    unknown = MOST_COMPANIES * len(linked) if settings.memberships == "mirror" else 0
    return Counts(
        users=len(keys),
        creates=len(keys) - len(linked),
        changes=len(linked),
        archives=len(linked) if settings.on_delete == "archive" else 0,
        detaches=services.store.linked.count_edges(linked) + unknown,
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
