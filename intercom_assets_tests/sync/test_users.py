"""One user's way through a pass, played through `sync` and read on both sides afterwards."""

from datetime import UTC, datetime, timedelta

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.world import World

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
TODAY = datetime.now(UTC)


def test_a_new_user_is_one_post_and_the_second_pass_makes_no_call(world: World) -> None:
    ada = world.given_user(email="ada@example.com", name="Ada L.", created_at=OLD)

    first, second = world.sync(ada), world.sync(ada)

    assert [call for call in first.writes if "data_attributes" not in call] == ["POST /contacts"]
    assert second.calls == []
    contact = world.contact(ada)
    assert contact["email"] == "ada@example.com"
    assert contact["name"] == "Ada L."
    assert contact["signed_up_at"] == int(OLD.timestamp())
    assert contact["custom_attributes"]["deleted"] is False
    assert world.app_user(ada)["metadata"] == {"intercom_user_id": contact["id"]}


def test_a_changed_field_is_one_put(world: World) -> None:
    ada = world.given_user(name="Ada L.")
    world.sync(ada)
    world.update_user(ada, name="Ada Lovelace")

    synced = world.sync(ada)

    assert len(synced.calls) == 1
    assert synced[ada].changed == ("name",)
    assert world.contact(ada)["name"] == "Ada Lovelace"


def test_a_name_typed_in_intercom_reaches_a_nameless_user(world: World) -> None:
    ada = world.given_user(name=None)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), name="Ada L.")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()

    assert world.app_user(ada)["name"] == "Ada L."
    assert world.sync(ada).calls == []


def test_a_name_that_the_app_cleared_is_cleared_in_intercom_and_not_resurrected(
    world: World,
) -> None:
    ada = world.given_user(name="Ada L.")
    world.sync(ada)
    world.update_user(ada, name=None)

    world.sync(ada)

    assert world.app_user(ada)["name"] is None
    assert world.contact(ada)["name"] is None
    assert world.sync(ada).calls == []


def test_a_user_who_changes_teams_is_attached_and_detached(world: World) -> None:
    ada = world.given_user()
    old, new = world.given_team(domain="old.example"), world.given_team(domain="new.example")
    world.joins(ada, old)
    world.sync_teams(old, new)
    world.sync(ada)
    assert world.intercom.company_keys(external_id=str(ada)) == {str(old)}

    world.leaves(ada, old)
    world.joins(ada, new)
    synced = world.sync(ada)

    assert world.intercom.company_keys(external_id=str(ada)) == {str(new)}
    assert len(synced.calls) == 2
    assert world.sync(ada).calls == []


def test_a_company_is_made_before_a_user_is_attached_to_it(world: World) -> None:
    ada, team = world.given_user(), world.given_team(domain="new.example", owner_id=None)
    world.joins(ada, team)

    world.sync(ada)

    assert world.intercom.company_keys(external_id=str(ada)) == {str(team)}
    company = world.intercom.company(company_id=str(team))
    assert company is not None
    assert company["name"] == "new.example"


def test_every_lead_with_the_email_of_a_new_user_is_merged(world: World) -> None:
    for name in ("one", "two"):
        world.intercom.by_hand.create_contact(role="lead", email="ada@example.com", name=name)
    ada = world.given_user(email="Ada@example.com", created_at=TODAY)

    world.sync(ada)

    assert [c["role"] for c in world.intercom.contacts()] == ["user"]
    assert world.sync(ada).calls == []


def test_leads_of_a_user_older_than_the_window_are_left_alone(world: World) -> None:
    world.intercom.by_hand.create_contact(role="lead", email="ada@example.com")
    ada = world.given_user(email="ada@example.com", created_at=TODAY - timedelta(hours=24))

    world.sync(ada)

    assert len(world.intercom.contacts()) == 2


def test_a_deleted_user_is_marked(world: World) -> None:
    ada = world.given_user()
    world.sync(ada)
    world.delete_user(ada)

    synced = world.sync(ada)

    assert world.contact(ada)["custom_attributes"]["deleted"] is True
    assert len(synced.calls) == 1
    assert world.sync(ada).calls == []


def test_a_user_that_nobody_ever_knew_is_absent(world: World) -> None:
    synced = world.sync(404)

    assert synced[404].status is Status.ABSENT
    assert synced.calls == []


def test_the_later_last_seen_wins_on_both_sides(world: World) -> None:
    seen = datetime(2026, 6, 30, 16, 45, 12, tzinfo=UTC)
    ada = world.given_user(last_request_at=seen)
    world.sync(ada)
    later = int(seen.timestamp()) + 600
    world.intercom.by_hand.edit_contact(str(ada), last_seen_at=later)
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()

    assert world.app_user(ada)["last_request_at"].timestamp() == later
    assert world.contact(ada)["last_seen_at"] == later
    assert world.sync(ada).calls == []


def test_the_zone_of_a_persons_place_fills_the_apps_and_its_attribute(
    world: World,
) -> None:
    ada = world.given_user(time_zone=None)
    world.sync(ada)
    world.intercom.by_hand.edit_contact(str(ada), timezone="America/New_York")
    world.services.store.queue.enqueue(QueueKind.USER, [str(ada)], needs_read=True)

    world.sync_due()

    assert world.app_user(ada)["time_zone"] == "America/New_York"
    assert world.contact(ada)["custom_attributes"]["time_zone"] == "America/New_York"
    assert world.sync(ada).calls == []
