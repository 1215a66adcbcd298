"""What is known of a user is frozen: to ask changes nothing, what becomes known is a new state."""

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from intercom_assets.sync.passes.rules import user_rules
from intercom_assets.sync.passes.users.reading import read_users
from intercom_assets.sync.passes.users.state import PLANNED_ON, UserState
from intercom_assets.sync.passes.users.transitions import after_read, forget_contact
from intercom_assets_tests.sync.sync_world import SyncWorld


def _state(played: SyncWorld, user: int) -> UserState:
    [state] = read_users(played.services, [str(user)], user_rules(played.services, {}))
    return state


def test_decisions_are_made_from_nothing_but_what_they_are_kept_by(played: SyncWorld) -> None:
    """Or a pass would go on with decisions that something new has overtaken."""
    ada = played.given_user(name="Ada")
    played.sync(ada)
    asked: set[str] = set()

    class Watched(UserState):
        def __getattribute__(self, name: str) -> Any:
            asked.add(name)
            return super().__getattribute__(name)

    state = _state(played, ada)
    names = [field.name for field in fields(UserState)]
    watched = Watched(**{name: getattr(state, name) for name in names})
    asked.clear()

    assert watched.plan.decisions
    assert asked.intersection(names) == set(PLANNED_ON)


def test_decisions_are_kept_while_only_other_things_become_known(played: SyncWorld) -> None:
    ada = played.given_user(name="Ada")
    played.sync(ada)
    before = _state(played, ada)
    decided = before.plan

    assert replace(before, companies={"7": "c"}).following(before).plan is decided
    assert replace(before, base={}).following(before).plan is not decided


def test_an_answer_makes_another_state_and_leaves_the_one_before_as_it_was(
    played: SyncWorld,
) -> None:
    ada = played.given_user(name="Ada")
    played.sync(ada)
    before = _state(played, ada)
    assert before.contact is not None

    read = after_read(before, replace(before.contact, name="Ada Lovelace"))

    assert read.was_read
    assert not before.was_read
    assert before.contact.name == "Ada"
    assert forget_contact(read).contact is None
    with pytest.raises(FrozenInstanceError):
        read.archived = True  # type: ignore[misc]
