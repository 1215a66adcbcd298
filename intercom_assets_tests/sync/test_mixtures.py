"""Any mixture of edits on both sides, and of faults between, ends with both sides in step.

One world for all examples, since a world costs more than an example: each has a user of its own.
Few examples, through the real engine; the domain's properties (`domain/`) see thousands.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from intercom_assets_tests.sync.sync_world import SyncWorld

FAULTS: list[dict[str, Any]] = [
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503, "when": "after"},
    {"kind": "lost_reply"},
    {"kind": "dropped_connection"},
    {"kind": "rate_limit"},
]
TEXTS = st.sampled_from([None, "", "A", "Ada", "Ada L.", "Lady A."])
PHONES = st.sampled_from([None, "", "+441", "+442"])
ZONES = st.sampled_from(["Europe/London", "Asia/Tokyo", "+1000", None])
STEPS = st.one_of(
    st.tuples(st.just("app"), st.fixed_dictionaries({}, optional={
        "name": TEXTS, "phone_number": PHONES, "plan": st.sampled_from(["free", "team"])})),
    st.tuples(st.just("operator"), st.fixed_dictionaries({}, optional={
        "name": TEXTS, "phone": PHONES, "timezone": ZONES})),
    st.tuples(st.just("joins"), st.integers(0, 1)),
    st.tuples(st.just("leaves"), st.integers(0, 1)),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS)),
    st.tuples(st.just("deleted"), st.booleans()),
    st.tuples(st.just("sync"), st.none()),
)  # fmt: skip
few = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NUMBERS = count()


@few
@given(steps=st.lists(STEPS, min_size=3, max_size=8))
def test_both_sides_are_in_step_after_anything(
    played: SyncWorld, steps: list[tuple[str, Any]]
) -> None:
    ada = played.given_user(email=f"u{next(NUMBERS)}@example.com", name=None)
    teams = _two_teams(played)
    for kind, what in steps:
        _STEPS[kind](played, ada, teams, what)
    played.intercom.reset("faults")
    played.run_all_due()
    _look_if_known(played, ada)

    assert played.services.store.queue.parked() == []
    contact, row = played.contact(ada), played.app_user(ada)
    attributes = contact["custom_attributes"]
    assert (contact["name"] or None) == (row["name"] or None)
    assert (contact["phone"] or None) == (row["phone_number"] or None)
    assert attributes.get("time_zone") == row["time_zone"]
    assert attributes["subscription_plan"] == row["plan"]
    assert attributes["deleted"] is (row["deleted_at"] is not None)
    assert row["metadata"]["intercom_user_id"] == contact["id"]
    wanted = played.rows("select team_id::text from memberships where user_id = %s", ada)
    assert played.teams_of(ada) == {team for (team,) in wanted}
    assert played.settles(ada)


def _two_teams(world: SyncWorld) -> list[int]:
    known = [team for (team,) in world.rows("select id from teams order by id")]
    return known or [world.given_team(domain=f"{name}.example") for name in ("one", "two")]


def _look_if_known(world: SyncWorld, user: int) -> None:
    """What was edited in Intercom is found by a look; a user that left unseen has no contact."""
    if world.app_user(user)["deleted_at"] is not None and not _contacts(world, user):
        world.update_user(user, deleted_at=None)
    world.look(user)
    world.run_all_due()


def _contacts(world: SyncWorld, user: int) -> list[dict[str, Any]]:
    return [c for c in world.intercom.contacts() if c["external_id"] == str(user)]


# --- the steps ------------------------------------------------------------------------------------


def _app(world: SyncWorld, user: int, teams: list[int], what: dict[str, Any]) -> None:
    if what:
        world.update_user(user, **what)


def _operator(world: SyncWorld, user: int, teams: list[int], what: dict[str, Any]) -> None:
    if what and _contacts(world, user):
        world.intercom.by_hand.edit_contact(str(user), **what)


def _joins(world: SyncWorld, user: int, teams: list[int], what: int) -> None:
    world.leaves(user, teams[what])
    world.joins(user, teams[what])


def _leaves(world: SyncWorld, user: int, teams: list[int], what: int) -> None:
    world.leaves(user, teams[what])


def _fault(world: SyncWorld, user: int, teams: list[int], what: dict[str, Any]) -> None:
    world.intercom.set(faults=[{**what, "endpoint": "* /contacts*"}])


def _deleted(world: SyncWorld, user: int, teams: list[int], what: bool) -> None:
    world.run("update users set deleted_at = case when %s then now() end where id = %s", what, user)


def _sync(world: SyncWorld, user: int, teams: list[int], what: None) -> None:
    world.sync(user)


_STEPS: dict[str, Callable[[SyncWorld, int, list[int], Any], None]] = {
    "app": _app,
    "operator": _operator,
    "joins": _joins,
    "leaves": _leaves,
    "fault": _fault,
    "deleted": _deleted,
    "sync": _sync,
}
