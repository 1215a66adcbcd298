"""Taking a run back, and erasing a person."""

from datetime import UTC, datetime

from intercom_assets.sync.erase import erase_user
from intercom_assets.sync.sweep import sweep_users
from intercom_assets.sync.undo import State, plan_undo, undo
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def test_what_a_run_pushed_is_put_back_unless_somebody_changed_it_since(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada", phone_number="+1", created_at=OLD)
    world.sync(ada)
    world.update_user(ada, name="Wrong", phone_number="+2")
    world.sync(ada)
    run_id = world.services.store.explain(str(ada))[0].run_id
    world.intercom.by_hand.edit_contact(str(ada), phone="+3")

    steps = plan_undo(world.services, run_id)
    done = undo(world.services, f"undo-{run_id}", steps)

    assert {step.field: step.state for step in steps} == {
        "name": State.DUE,
        "phone_number": State.MOVED,
    }
    assert [step.field for step in done] == ["name"]
    assert world.contact(ada)["name"] == "Ada"
    assert world.contact(ada)["phone"] == "+3"


def test_what_a_run_pulled_into_the_app_is_put_back(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name=None, created_at=OLD)
    there = world.intercom.by_hand.create_contact(role="user", external_id=str(ada), name="Ada L.")
    world.sync(ada)
    assert world.app_user(ada)["name"] == "Ada L."
    run_id = world.services.store.explain(str(ada))[0].run_id

    undo(world.services, "undo-1", plan_undo(world.services, run_id))

    assert world.app_user(ada)["name"] is None
    assert world.contact(ada)["id"] == there


def test_an_erased_person_is_gone_on_both_look_ups_and_never_made_again(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada Lovelace", created_at=OLD)
    world.sync(ada)

    receipt = erase_user(world.services, str(ada))
    world.update_user(ada, name="Ada Again")
    world.sync(ada)
    sweep_users(world.services)
    world.sync_due()

    assert receipt.complete
    assert receipt.deleted
    assert receipt.requests
    assert world.intercom.contacts() == []
    assert world.services.store.explain(str(ada)) == []


def test_erasing_twice_finds_nothing_the_second_time(world: World) -> None:
    ada = world.given_user(email="ada@example.com", created_at=OLD)
    world.sync(ada)
    erase_user(world.services, str(ada))

    again = erase_user(world.services, str(ada))

    assert again.complete
    assert not again.deleted
