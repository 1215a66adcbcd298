"""Rules 42 to 48 of the replaced job: teams become companies, whoever owns them."""

from datetime import UTC, datetime

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.outcomes import Status
from intercom_assets_tests.sync.sync_world import SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)


def test_a_team_is_synced_by_itself_and_without_an_owner(played: SyncWorld) -> None:
    """Rule 42 reached owned teams only, through their owner (weakness 12)."""
    team = played.given_team(domain="one.example", owner_id=None)

    synced = played.sync_teams(team)

    assert synced.writes.count("POST /companies") == 1
    assert played.company(team)["name"] == "one.example"
    played.update_team(team, domain="two.example")
    played.run_all_due()
    assert played.company(team)["name"] == "two.example"


def test_owning_a_team_is_not_being_in_it(played: SyncWorld) -> None:
    """Rule 43."""
    ada = played.given_user()
    team = played.given_team(owner_id=ada)

    played.sync(ada)
    played.sync_teams(team)

    assert played.teams_of(ada) == set()
    assert played.company(team)["custom_attributes"]["owner_admin_link"].endswith(f"/users/{ada}")
    assert played.settles(ada)


def test_a_team_is_one_upsert_known_to_intercom_or_not(played: SyncWorld) -> None:
    """Rule 44 looked, created, saved: two or three calls."""
    new, known = played.given_team(domain="new.example"), played.given_team(domain="kn.example")
    company = played.intercom.by_hand.create_company(str(known), name="Typed by hand")

    synced = played.sync_teams(new, known)

    made = [call for call in synced.calls if call.startswith("POST /companies")]
    assert [c for c in synced.calls if "data_attributes" not in c and c != "GET /me"] == made
    assert len(made) == 2
    assert played.company(known)["id"] == company
    assert played.company(known)["name"] == "kn.example"
    assert played.sync_teams(new, known).calls == []


def test_name_creation_and_spend_of_a_team_reach_its_company(played: SyncWorld) -> None:
    """Rule 45."""
    team = played.given_team(domain="one.example", created_at=OLD, monthly_spend="79.40")

    played.sync_teams(team)

    company = played.company(team)
    assert company["name"] == "one.example"
    assert company["remote_created_at"] == int(OLD.timestamp())
    assert company["monthly_spend"] == 79
    played.update_team(team, monthly_spend="79.45")
    assert played.sync_teams(team).calls == []


def test_only_the_further_columns_of_a_team_are_its_attributes(played: SyncWorld) -> None:
    """Rule 46 sent domain and spend twice, and `deleted`, which is the users' attribute."""
    team = played.given_team(domain="one.example")

    played.sync_teams(team)

    attributes = played.company(team)["custom_attributes"]
    assert attributes == {
        "company_deleted": False,
        "creation_source": "api",  # Intercom's own
        "team_admin_link": f"https://app.example.com/admin/teams/{team}",
    }


def test_the_companys_id_is_stored_in_one_key_of_the_teams_metadata(played: SyncWorld) -> None:
    """Rule 47 replaced the whole hash; and the store is no change that wakes anybody."""
    team = played.given_team()
    played.run("update teams set metadata = %s::jsonb", '{"beta": true}')
    played.run_all_due()

    assert played.app_team(team)["metadata"] == {
        "beta": True,
        "intercom_company_id": played.company(team)["id"],
    }
    assert played.services.app.read_log(10) == []
    before = played.app_team(team)
    played.update_team(team, domain="two.example", updated_at=before["updated_at"])
    played.sync_teams(team)
    assert played.app_team(team)["metadata"] == before["metadata"]


def test_the_companys_id_is_stored_also_where_the_row_was_held_by_the_app(
    played: SyncWorld,
) -> None:
    team = played.given_team()
    with played.row_locked(team, "teams"):
        assert played.sync_teams(team)[team].status is Status.RETRY
    assert played.app_team(team)["metadata"] == {}

    synced = played.sync_teams(team)

    assert synced.calls == []
    assert played.app_team(team)["metadata"]["intercom_company_id"] == played.company(team)["id"]


def test_a_refused_field_of_one_team_stops_neither_it_nor_another(played: SyncWorld) -> None:
    """Rule 48."""
    bad, good = played.given_team(domain="x" * 300), played.given_team(domain="good.example")

    synced = played.sync_teams(bad, good)

    assert synced[bad].left_out == ("name",)
    assert synced[good].status is Status.CHANGED
    assert played.company(good)["name"] == "good.example"
    assert played.company(bad)["monthly_spend"] == played.company(good)["monthly_spend"]
    assert played.sync_teams(bad, good).calls == []

    played.update_team(bad, domain="better.example")
    assert played.sync_teams(bad)[bad].left_out == ()
    assert played.company(bad)["name"] == "better.example"


def test_what_was_typed_over_a_company_is_set_right_with_the_teams_next_change(
    played: SyncWorld,
) -> None:
    team = played.given_team(domain="one.example", plan="team")
    played.sync_teams(team)
    played.intercom.by_hand.edit_company(str(team), name="Typed by hand")
    played.update_team(team, plan="business")

    synced = played.sync_teams(team)

    assert synced.calls == ["POST /companies"] * 2
    assert played.company(team)["name"] == "one.example"
    assert synced[team].overruled == ("name",)
    assert "overruled" in played.actions(team, QueueKind.TEAM)
    assert played.sync_teams(team).calls == []


def test_a_company_that_was_deleted_comes_back_whole_with_the_teams_next_change(
    played: SyncWorld,
) -> None:
    ada, team = played.given_user(), played.given_team(domain="one.example")
    played.joins(ada, team)
    played.run_all_due()
    played.intercom.by_hand.delete_company(str(team))
    played.update_team(team, plan="business")

    played.run_all_due()

    assert played.company(team)["name"] == "one.example"
    assert played.company(team)["size"] == 1
    assert "overruled" not in played.actions(team, QueueKind.TEAM)  # nobody edited anything
    assert played.teams_of(ada) == {str(team)}
    assert played.sync_teams(team).calls == []
    assert played.settles(ada)


def test_a_gone_teams_company_is_marked_also_after_an_outage(played: SyncWorld) -> None:
    """Found by a walk: the second failure in a row forgot which company was the team's."""
    team = played.given_team(domain="one.example")
    played.sync_teams(team)
    company = played.company(team)["id"]
    played.delete_team(team)
    played.intercom.set(
        faults=[{"kind": "error", "status": 500, "endpoint": "* /companies*", "count": None}]
    )
    for _ in range(3):
        assert played.sync_teams(team)[team].status is Status.RETRY
    played.intercom.reset("faults")

    played.sync_teams(team)

    assert played.company(team)["id"] == company
    assert played.company(team)["custom_attributes"]["company_deleted"] is True
    assert played.sync_teams(team).calls == []


def test_a_company_that_moves_under_two_writes_comes_again(played: SyncWorld) -> None:
    team = played.given_team(domain="one.example", plan="team", monthly_spend=79)
    played.sync_teams(team)
    played.update_team(team, plan="business")
    by_hand = played.intercom.by_hand
    by_hand.edit_company(str(team), name="Typed by hand")
    played.just_before("POST /companies", lambda: None)
    played.just_before("POST /companies", lambda: by_hand.edit_company(str(team), monthly_spend=5))

    synced = played.sync_teams(team)

    assert synced[team].status is Status.RETRY
    assert "still apart after two writes: monthly_spend" in (synced[team].problem or "")
    played.run_all_due()
    assert played.company(team)["monthly_spend"] == 79
    assert played.sync_teams(team).calls == []


# --- refusals that are nobody's fault -------------------------------------------------------------

RACE = {
    "kind": "error",
    "endpoint": "POST /companies",
    "status": 400,
    "code": "unique_company_constraint",
}


@pytest.mark.parametrize("times", [1, 3])
def test_a_race_for_a_company_is_tried_again_at_once(played: SyncWorld, times: int) -> None:
    played.intercom.set(faults=[{**RACE, "count": times}])
    team = played.given_team(domain="one.example")

    synced = played.sync_teams(team)

    assert synced[team].status is Status.CHANGED
    assert played.company(team)["name"] == "one.example"


@pytest.mark.parametrize(
    "fault", [RACE, {**RACE, "status": 404, "code": "company_not_found"}], ids=["race", "lost"]
)
def test_a_company_that_cannot_be_had_just_now_is_no_attempt_and_delays_its_memberships_only(
    played: SyncWorld, fault: dict[str, object]
) -> None:
    ada, team = played.given_user(name="Ada"), played.given_team(domain="one.example")
    played.joins(ada, team)
    played.intercom.set(faults=[{**fault, "count": None}])
    for _ in range(10):
        assert played.sync_teams(team)[team].status is Status.RETRY
    played.sync(ada)

    assert played.contact(ada)["name"] == "Ada"
    assert {row[0] for row in played.rows("select attempts from intercom_sync.queue")} == {0}
    played.intercom.reset("faults")
    played.run_all_due()
    assert played.teams_of(ada) == {str(team)}


def test_one_company_that_is_gone_holds_up_no_other_membership(played: SyncWorld) -> None:
    world = played
    ada = world.given_user()
    teams = [world.given_team(domain=f"t{n}.example") for n in range(3)]
    world.sync(ada)
    world.sync_teams(*teams)
    world.intercom.by_hand.delete_company(str(teams[1]))
    for team in teams:
        world.joins(ada, team)

    synced = world.sync(ada)

    assert world.teams_of(ada) == {str(teams[0]), str(teams[2])}
    assert synced[ada].status is Status.RETRY
    world.run_all_due()
    assert world.teams_of(ada) == set(map(str, teams))
