"""Links moved to switched ids: contacts, memberships and companies stay; nothing is made twice."""

from collections.abc import Callable
from typing import Any

import pytest

from intercom_assets.database.store.switched_ids import SwitchedIdStore
from intercom_assets.domain.models import EdgeState, Membership
from intercom_assets.domain.switched_ids import SwitchedId
from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.intercom.errors import Unauthorized
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets.sync.operator.relink import Relinked, RelinkState, find_switched, relink
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.identity.switching import (
    NO_WRITES,
    SWITCHED,
    given_users,
    switched,
    writes,
)
from intercom_assets_tests.sync.sync_world import SyncWorld


def _relinked(played: SyncWorld, stopped: Callable[[], bool] = lambda: False) -> list[Relinked]:
    pairs = find_switched(played.services).pairs
    return [each for batch in relink(played.services, "relink-1", pairs, stopped) for each in batch]


def _states(relinked: list[Relinked]) -> dict[str, RelinkState]:
    return {each.ids.old: each.state for each in relinked}


def _by_id(played: SyncWorld) -> dict[str, str]:
    """External id -> Intercom's id."""
    return {c["external_id"]: c["id"] for c in played.intercom.contacts()}


def _switch(played: SyncWorld) -> None:
    played.remap(SWITCHED, **NO_WRITES)


@pytest.mark.parametrize("many", [1, 3, 8, 300])
def test_everybody_keeps_the_contact_and_the_memberships(worlds: Worlds, many: int) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, many)
    team = played.given_team(domain="one.example")
    played.joins(users[0], team)
    played.sync(*users)
    before = _by_id(played)
    row = played.app_user(users[0])
    _switch(played)

    relinked = _relinked(played)
    sweep(played.services)
    played.run_all_due()

    assert {each.state for each in relinked} == {RelinkState.MOVED}
    assert _by_id(played) == {f"usr_{old}": contact for old, contact in before.items()}
    assert not any(c["custom_attributes"]["deleted"] for c in played.intercom.contacts())
    assert played.intercom.company_keys(external_id=f"usr_{users[0]}") == {str(team)}
    assert len(played.intercom.companies()) == 1
    assert played.app_user(users[0]) == row
    assert played.sync(*switched(users)).calls == []
    sweep(played.services)
    assert played.sync_due().calls == []
    assert find_switched(played.services).count == 0


def test_what_is_remembered_goes_with_the_link_and_the_journal_tells(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 3)
    team = played.given_team(domain="one.example")
    played.joins(users[0], team)
    played.sync(*users)
    old, new = str(users[0]), f"usr_{users[0]}"
    before = played.services.store.links.users([old])[old]
    _switch(played)

    _relinked(played)

    links = played.services.store.links.users([old, new])
    assert list(links) == [new]
    moved = links[new]
    assert (moved.contact_id, moved.base, moved.shadow) == (
        before.contact_id,
        before.base,
        before.shadow,
    )
    company = before.edges[str(team)].company_id
    assert moved.edges == {str(team): Membership(str(team), company, EdgeState.ATTACHED)}
    assert moved.needs_read
    entry = played.services.store.journal.of_key(new)[0].entry
    assert (entry.action, entry.old, entry.new) == ("relinked", old, new)
    assert f"user {old}" in entry.why
    assert entry.request_id
    queued = played.rows("select key, cause, claim_token from intercom_sync.queue")
    assert sorted(queued) == [(key, "relinked", None) for key in switched(users)]


def test_each_link_costs_two_calls(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    given_users(played, 5)
    _switch(played)
    before = len(played.wire.requests)

    _relinked(played)

    assert sorted(call.split()[0] for call in played.wire.requests[before:]) == 5 * ["GET"] + 5 * [
        "PUT"
    ]


def test_cut_short_between_intercom_and_our_tables_it_is_run_again(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 4)
    before = _by_id(played)
    _switch(played)

    def killed(*_: object, **__: object) -> frozenset[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SwitchedIdStore, "move_user_links", killed)
        with pytest.raises(KeyboardInterrupt):
            _relinked(played)
    assert set(_by_id(played)) == set(switched(users))
    written = writes(played)

    assert set(_states(_relinked(played)).values()) == {RelinkState.MOVED}
    assert writes(played) == written
    played.run_all_due()
    assert _by_id(played) == {f"usr_{old}": contact for old, contact in before.items()}


def test_a_token_that_is_refused_in_mid_work_ends_it_and_nothing_is_lost(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    given_users(played, 4)
    _switch(played)
    played.just_before("PUT /contacts/*", lambda: played.intercom.set(token="another"))

    with pytest.raises(Unauthorized):
        _relinked(played)

    played.intercom.set(token="demo-token")
    assert set(_states(_relinked(played)).values()) == {RelinkState.MOVED}


def test_the_form_of_the_ids_tells_those_whose_email_does_not(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    given_users(played, 3)
    unclear = [played.given_user(email="family@example.com") for _ in range(2)]
    unclear += [played.given_user(email=None, name="No E-mail")]
    played.sync(*unclear)
    before = _by_id(played)
    _switch(played)

    matched = find_switched(played.services)
    _relinked(played)
    played.run_all_due()

    assert (len(matched.pairs), matched.ambiguous) == (6, [])
    assert _by_id(played) == {f"usr_{old}": contact for old, contact in before.items()}


def test_an_email_of_several_is_left_and_named(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    clear = given_users(played, 2)
    same = [played.given_user(email="family@example.com") for _ in range(2)]
    played.sync(*same)
    _switch(played)

    matched = find_switched(played.services)
    relinked = _relinked(played)

    assert set(_states(relinked)) == set(map(str, clear))
    assert [(set(e.old), set(e.new)) for e in matched.ambiguous] == [
        (set(map(str, same)), set(switched(same)))
    ]
    assert {str(user) for user in same} <= set(_by_id(played))


def test_a_link_that_a_run_is_at_work_on_is_busy_and_stays(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 3)
    played.services.store.queue.enqueue(QueueKind.USER, [str(users[0])], cause=Cause.APP)
    _switch(played)
    before = played.rows("select * from intercom_sync.queue where key = %s", str(users[0]))

    with played.lease_of(users[0]):
        first = _states(_relinked(played))
    again = _states(_relinked(played))

    assert first.pop(str(users[0])) is RelinkState.BUSY
    assert set(first.values()) == {RelinkState.MOVED}
    assert again == {str(users[0]): RelinkState.MOVED}
    assert len(before) == 1


def test_a_contact_that_got_another_id_meanwhile_is_left(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 4)
    _switch(played)
    other, taken, gone = users[:3]
    played.intercom.by_hand.edit_contact(str(other), external_id="by-hand")
    played.intercom.by_hand.create_contact(external_id=f"usr_{taken}", role="user")
    played.intercom.by_hand.delete_contact(str(gone))

    states = {
        each.ids.old: each.why for each in _relinked(played) if each.state is RelinkState.LEFT
    }

    assert "another external id" in states[str(other)]
    assert f"has the id usr_{taken} already" in states[str(taken)]
    assert "deleted" in states[str(gone)]
    assert len(states) == 3
    left = played.rows("select key from intercom_sync.queue")
    assert left == [(f"usr_{users[3]}",)]


def test_who_was_marked_by_mistake_just_before_is_taken_back(worlds: Worlds) -> None:
    played = worlds(**NO_WRITES)
    users = given_users(played, 2)
    _switch(played)
    played.sync(*users)
    assert all(c["custom_attributes"]["deleted"] for c in played.intercom.contacts())

    assert len(_relinked(played)) == 2
    played.run_all_due()

    assert not any(c["custom_attributes"]["deleted"] for c in played.intercom.contacts())
    assert len(played.intercom.contacts()) == 2


def test_an_archived_contact_comes_back_with_the_new_id(worlds: Worlds) -> None:
    settings: dict[str, Any] = {**NO_WRITES, "on_delete": "archive"}
    played = worlds(**settings)
    users = given_users(played, 2)
    played.remap(SWITCHED, **settings)
    played.sync(*users)
    assert played.intercom.contacts() == []

    assert len(_relinked(played)) == 2
    played.run_all_due()

    assert set(_by_id(played)) == set(switched(users))


def test_the_app_moved_to_uuids(worlds: Worlds) -> None:
    """The table's own key changed its type, and the triggers' keys with it."""
    played = worlds(**NO_WRITES)
    users = given_users(played, 12)
    before = _by_id(played)
    played.run("alter table memberships drop constraint if exists memberships_user_id_fkey")
    played.run("alter table teams drop constraint if exists teams_owner_id_fkey")
    played.run("alter table users alter column id drop identity if exists")
    played.run("alter table users alter column id drop default")
    played.run("alter table users alter column id type uuid using md5(id::text)::uuid")
    played.run(
        "alter table memberships alter column user_id type uuid using md5(user_id::text)::uuid"
    )
    played.remap(None, **NO_WRITES)
    sweep(played.services)

    pairs = find_switched(played.services).pairs
    relinked = _relinked(played)
    played.run_all_due()

    assert len(relinked) == 12
    assert SwitchedId(str(users[0]), _uuid(played, users[0])) in pairs
    assert sorted(_by_id(played).values()) == sorted(before.values())
    sweep(played.services)
    assert played.sync_due().calls == []


def _uuid(played: SyncWorld, user: int) -> str:
    return str(played.rows("select md5(%s)::uuid", str(user))[0][0])
