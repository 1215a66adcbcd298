"""Rules 26 to 34 of the replaced job: the plain fields, from the app to Intercom."""

from datetime import UTC, datetime, timedelta

import pytest

from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.database.mappings import rows, run
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
SEEN = datetime(2026, 6, 30, 16, 45, 12, 750_000, tzinfo=UTC)
SELECTED = "sessions_this_month as monthly_usage,"


def test_the_apps_email_is_pushed_over_intercoms(played: SyncWorld) -> None:
    """Rule 26."""
    ada = played.given_user(email="ada@example.com")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), email="typo@example.com")

    played.look(ada)

    assert played.contact(ada)["email"] == "ada@example.com"
    assert played.settles(ada)


def test_the_case_of_an_email_is_no_difference(played: SyncWorld) -> None:
    ada = played.given_user(email="Ada@Example.com")
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), email="ADA@example.COM")

    assert played.settles(ada)


def test_an_email_that_the_app_removed_is_removed_in_intercom(played: SyncWorld) -> None:
    """Intercom answers "" for what was cleared, and null where it never was."""
    ada = played.given_user(email="ada@example.com")
    played.sync(ada)
    played.update_user(ada, email=None)

    played.sync(ada)

    assert played.contact(ada)["email"] == ""
    assert played.settles(ada)


def test_the_sign_up_is_pushed_in_whole_unix_seconds(played: SyncWorld) -> None:
    """Rule 27; rounding up would name a time that never was."""
    ada = played.given_user(created_at=OLD + timedelta(seconds=0.75))

    played.sync(ada)

    assert played.contact(ada)["signed_up_at"] == int(OLD.timestamp())
    assert played.settles(ada)


def test_the_later_last_request_wins_whichever_side_has_it(played: SyncWorld) -> None:
    """Rule 28."""
    ada = played.given_user(email="a@example.com", last_request_at=SEEN)
    bob = played.given_user(email="b@example.com", last_request_at=SEEN)
    played.sync(ada, bob)
    seconds = int(SEEN.timestamp())
    played.intercom.by_hand.edit_contact(str(ada), last_seen_at=seconds + 60)
    played.intercom.by_hand.edit_contact(str(bob), last_seen_at=seconds - 60)

    played.look(ada, bob)

    assert played.contact(ada)["last_seen_at"] == seconds + 60
    assert played.contact(bob)["last_seen_at"] == seconds
    assert played.app_user(bob)["last_request_at"] == SEEN
    assert played.settles(ada, bob)


@pytest.mark.parametrize("app_has", [True, False])
def test_a_last_request_that_one_side_lacks_is_ignored(played: SyncWorld, app_has: bool) -> None:
    """Rule 28: "nils ignored"."""
    seconds = int(SEEN.timestamp())
    ada = played.given_user(last_request_at=SEEN if app_has else None)
    played.sync(ada)
    if not app_has:
        played.intercom.by_hand.edit_contact(str(ada), last_seen_at=seconds)

    played.look(ada)

    assert played.contact(ada)["last_seen_at"] == seconds
    assert int(played.app_user(ada)["last_request_at"].timestamp()) == seconds
    assert played.settles(ada)


def test_a_last_request_that_neither_side_has_is_not_sent(played: SyncWorld) -> None:
    """Rule 28 sent null."""
    ada = played.given_user(last_request_at=None)

    played.sync(ada)

    assert played.contact(ada)["last_seen_at"] is None
    assert played.settles(ada)


def test_the_later_last_request_is_saved_in_the_app(played: SyncWorld) -> None:
    """Rule 29 assigned it in memory and never saved it (weakness 2)."""
    ada = played.given_user(last_request_at=SEEN)
    played.sync(ada)
    later = int(SEEN.timestamp()) + 600
    played.intercom.by_hand.edit_contact(str(ada), last_seen_at=later)

    played.look(ada)

    assert played.app_user(ada)["last_request_at"] == datetime.fromtimestamp(later, UTC)


def test_every_further_column_of_the_select_is_a_custom_attribute(played: SyncWorld) -> None:
    """Rule 30, with an allow-list for its deny list."""
    ada = played.given_user(
        plan="team",
        billing_period="month",
        monthly_price_cents=15_800,
        subscribed_on=OLD.date(),
        sessions_this_month=12,
        minutes_this_month="37.5",
        time_zone="Europe/London",
    )

    played.sync(ada)

    attributes = played.contact(ada)["custom_attributes"]
    assert attributes == {
        "admin_link": f"https://app.example.com/admin/users/{ada}",
        "cobrowsing_link": f"https://app.example.com/cobrowse/{ada}",
        "subscription_plan": "team",
        "billing_period": "month",
        "subscribed_on": int(datetime(2024, 3, 5, tzinfo=UTC).timestamp()),
        "annual_saving": "Annual saving $316",
        "monthly_usage": 12,
        "monthly_minutes": 37.5,
        "time_zone": "Europe/London",
        "deleted": False,
    }
    assert played.settles(ada)


def test_a_live_user_says_that_it_is_not_deleted(played: SyncWorld) -> None:
    """Rule 31."""
    ada = played.given_user()

    played.sync(ada)

    assert played.contact(ada)["custom_attributes"]["deleted"] is False


@pytest.mark.parametrize("nested", ["metadata", "array[1, 2]", "'x'::bytea", "(1, 2)"])
def test_a_nested_value_is_refused_with_its_columns_name(worlds: Worlds, nested: str) -> None:
    """Rule 32: the job failed for each user; here it is said before the first call."""
    world = worlds(Sql(users={SELECTED: f"{SELECTED} {nested} as my_column,"}))
    ada = world.given_user()

    with pytest.raises(MappingError, match=r"users\.sql: my_column is .* single values only"):
        world.sync(ada)

    assert world.wire.requests == []


def test_attributes_that_are_not_selected_stay_as_they_are(played: SyncWorld) -> None:
    """Rule 33."""
    played.intercom.by_hand.create_attribute("nickname")
    ada = played.given_user()
    played.sync(ada)
    played.intercom.by_hand.edit_contact(str(ada), custom_attributes={"nickname": "Countess"})
    played.update_user(ada, plan="business")

    played.sync(ada)

    attributes = played.contact(ada)["custom_attributes"]
    assert (attributes["nickname"], attributes["subscription_plan"]) == ("Countess", "business")
    assert played.settles(ada)


def test_only_what_differs_is_sent_and_nothing_if_nothing_does(played: SyncWorld) -> None:
    """Rule 34 saved everything every time."""
    ada = played.given_user(plan="team", name="Ada")
    played.sync(ada)
    played.update_user(ada, plan="business")

    changed, unchanged = played.sync(ada), played.sync(ada)

    assert changed[ada].changed == ("subscription_plan",)
    assert len(changed.calls) == 1
    assert unchanged.calls == []


# --- values that one side cannot hold, or holds otherwise -----------------------------------------


def test_a_naive_timestamp_is_refused_with_the_columns_name(worlds: Worlds) -> None:
    world = worlds(Sql(users={SELECTED: f"{SELECTED} created_at::timestamp as trial_ends,"}))
    ada = world.given_user()

    with pytest.raises(MappingError, match="trial_ends is a timestamp without time zone"):
        world.sync(ada)

    assert world.wire.requests == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("'NaN'::float8", "finite"),
        ("9007199254740993", "2^53"),
        ("repeat('x', 256)", "256 characters"),
        ("'infinity'::timestamptz", "infinite"),
    ],
)
def test_a_value_that_intercom_cannot_hold_is_left_out_with_the_columns_name(
    worlds: Worlds, value: str, reason: str
) -> None:
    case = f"case when users.name = 'Ada' then {value} end as my_column,"
    world = worlds(Sql(users={SELECTED: f"{SELECTED} {case}"}))
    ada = world.given_user(email="a@example.com", name="Ada")
    bob = world.given_user(email="b@example.com", name="Bob")

    synced = world.sync(ada, bob)

    assert synced[ada].left_out == ("my_column",)
    why = world.link(ada).left_out["my_column"].why
    assert "my_column" in why
    assert reason in why
    assert world.contact(ada)["name"] == "Ada"
    assert world.settles(ada, bob)
    world.update_user(ada, name="Ada L.")
    assert world.sync(ada)[ada].left_out == ()


def test_a_text_too_long_is_shortened_where_the_operator_said_so(worlds: Worlds) -> None:
    label = f"{SELECTED} repeat('x', 300) as my_column,"
    world = worlds(Sql(users={SELECTED: label}), truncate=True)
    ada = world.given_user()

    world.sync(ada)

    assert world.contact(ada)["custom_attributes"]["my_column"] == "x" * 255
    assert world.settles(ada)


@pytest.mark.parametrize("value", ["20.0::numeric", "0.1 + 0.2", "1e300::float8", "-0.0::float8"])
def test_numbers_settle_however_sql_writes_them(worlds: Worlds, value: str) -> None:
    world = worlds(Sql(users={SELECTED: f"{SELECTED} {value} as my_column,"}))
    ada = world.given_user()

    synced = world.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert world.settles(ada)


def test_an_id_is_stored_once_its_row_is_made(database: str, worlds: Worlds) -> None:
    """A profile that the app makes later, at the first log-in say."""
    run(database, "create table profiles (user_id bigint primary key, intercom_id text)")
    played = worlds(
        write_back={"table": "profiles", "key": "user_id", "intercom_id": "intercom_id"}
    )
    ada = played.given_user()
    played.sync(ada)
    assert played.settles(ada)

    run(database, "insert into profiles (user_id) select id from users")
    assert played.sync(ada).calls == []

    stored = rows(database, "select user_id, intercom_id from profiles")
    assert stored == [(ada, played.contact(ada)["id"])]
    assert played.settles(ada)
