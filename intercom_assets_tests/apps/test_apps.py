"""Three apps, each with a schema of its own, from `check` to settled: both sides are read."""

from intercom_assets.demo.sample_app import create_sample_app, seed
from intercom_assets_tests.apps.stage import APPS, a_stage, create_app
from intercom_assets_tests.roles import a_role

ADA, BEN, CLEO, DAN, ELI = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 6))


def test_the_sample_app(empty_database: str) -> None:
    create_sample_app(empty_database)
    seed(empty_database, users=20, teams=5)
    with a_stage(empty_database, None) as stage:
        stage.run("init-db")
        stage.run("install-capture")
        stage.check_plan_and_sync()
        assert len(stage.contacts()) == 19
        assert len(stage.companies()) == 5
        stored = "select count(*) from users where metadata ? 'intercom_user_id'"
        assert stage.app_has(stored) == [(19,)]
        stage.noticed()

        stage.app_does("update users set plan = 'business' where id = 3; delete from memberships")
        stage.app_does("update teams set domain = 'renamed.example' where id = 2")
        users, teams = stage.noticed()
        assert "3" in users
        assert "2" in teams
        stage.run("sync", "--all")

        assert stage.contacts()["3"]["custom_attributes"]["subscription_plan"] == "business"
        assert stage.companies()["2"]["name"] == "renamed.example"
        assert all(stage.teams_of(user) == set() for user in stage.contacts())
        assert stage.is_settled()


def test_an_app_as_django_makes_it(empty_database: str) -> None:
    create_app(empty_database, "django")
    with a_stage(empty_database, APPS / "django" / "mapping") as stage:
        stage.run("init-db")
        stage.run("install-capture")
        stage.check_plan_and_sync()

        contacts = stage.contacts()
        assert set(contacts) == {ADA, BEN, CLEO, DAN}
        assert contacts[ADA]["name"] == "Ada Byron"
        assert contacts[ADA]["phone"] == "+442071838750"
        assert contacts[ADA]["custom_attributes"] == {
            "username": "ada",
            "marketing_ok": True,
            "subscription_state": "active",
            "subscription_plan": "Professional",
            "monthly_price": 49.5,
            "renews_on": 1798761600,
            "time_zone": "Europe/London",
            "deleted": False,
        }
        assert stage.teams_of(BEN) == {"1", "2"}
        assert stage.companies()["1"]["size"] == 2
        assert "pbkdf2" not in str(contacts)
        ids = {user: contacts[user]["id"] for user in (ADA, BEN, CLEO)}
        stored = stage.app_has("select user_id::text, intercom_id from accounts_profile")
        assert dict(stored) == ids
        stage.noticed()

        stage.intercom.by_hand.edit_contact(ids[BEN], phone="+14155550123")
        stage.app_does("update billing.plan set label = 'Pro' where code = 'pro'")
        stage.app_does("update accounts_profile set marketing_ok = true where timezone = ''")
        stage.app_does(f"update auth_user set is_active = false where id = '{CLEO}'")
        stage.app_does("delete from auth_user_groups where group_id = 2")
        assert stage.noticed() == ({ADA, BEN, CLEO}, {"2"})
        stage.run("sync", "--all")

        contacts = stage.contacts()
        assert contacts[ADA]["custom_attributes"]["subscription_plan"] == "Pro"
        assert contacts[BEN]["custom_attributes"]["marketing_ok"] is True
        assert contacts[CLEO]["custom_attributes"]["deleted"] is True
        assert stage.teams_of(BEN) == {"1"}
        phone = f"select phone from accounts_profile where user_id = '{BEN}'"
        assert stage.app_has(phone) == [("+14155550123",)]
        assert stage.is_settled()


def test_an_app_behind_views_that_may_only_be_read(empty_database: str) -> None:
    create_app(empty_database, "views")
    rights = ("usage on schema export", "select on all tables in schema export")
    with (
        a_role(empty_database, *rights) as reader,
        a_stage(empty_database, APPS / "views" / "mapping", APP_DATABASE_URL=reader) as stage,
    ):
        stage.run("init-db")
        stage.check_plan_and_sync()

        contacts = stage.contacts()
        assert set(contacts) == {"P-001", "P-002"}
        assert contacts["P-001"]["email"] == "Ana@Views.example"
        assert contacts["P-001"]["custom_attributes"] == {"tier": "gold", "deleted": False}
        assert contacts["P-001"]["signed_up_at"] == 1672567200
        assert stage.companies()["10"]["monthly_spend"] == 1201
        assert stage.teams_of("P-002") == {"10"}
        assert stage.noticed() == (set(), set())

        stage.intercom.by_hand.edit_contact(contacts["P-002"]["id"], name="Bo Of Intercom")
        now = "modified = now() at time zone 'UTC'"
        stage.app_does(f"update legacy.person set tier = 'gold', {now} where person_no = 'P-002'")
        stage.app_does(
            f"update legacy.person set gone = '2026-01-01', {now} where person_no = 'P-001'"
        )
        stage.app_does(
            f"update legacy.account set title = 'Far South', {now} where account_no = 20"
        )
        assert stage.noticed() == ({"P-001", "P-002"}, {"20"})
        stage.run("sync", "--all")

        contacts = stage.contacts()
        assert contacts["P-002"]["custom_attributes"]["tier"] == "gold"
        assert contacts["P-002"]["name"] == "Bo Of Intercom"
        assert contacts["P-001"]["custom_attributes"]["deleted"] is True
        assert stage.companies()["20"]["name"] == "Far South"
        assert stage.app_has("select full_name from legacy.person where person_no = 'P-002'") == [
            (None,)
        ]
        assert stage.is_settled()
