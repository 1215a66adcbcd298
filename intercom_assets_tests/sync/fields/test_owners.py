"""Who owns a contact: a teammate, whom the app names by e-mail or by Intercom's id."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from intercom_assets.domain.models import Reason
from intercom_assets.domain.vocabulary import Action
from intercom_assets.mapping.problems import MappingError
from intercom_assets.sync.context.admins import KEPT_FOR
from intercom_assets.sync.context.outcomes import Status
from intercom_assets.sync.engine.plan import plan_users
from intercom_assets.sync.feeders.sweep import sweep_users
from intercom_assets.sync.operator.preview import previewing
from intercom_assets.sync.operator.undo.engine import undo
from intercom_assets.sync.preflight.check_intercom import check_owners
from intercom_assets.sync.preflight.findings import Severity
from intercom_assets_tests.sync.conftest import Worlds
from intercom_assets_tests.sync.sync_world import Sql, SyncWorld

OLD = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
COLUMN = "    updated_at,                                 -- read, never sent\n"
ADMINS = "GET /admins"


def selecting(column: str) -> Sql:
    return Sql(users={COLUMN: f"{COLUMN}    {column},\n"})


@pytest.fixture(autouse=True)
def _columns_for_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("alter table users add column owner_email text")
        connection.execute("alter table users add column owner_id bigint")


@pytest.fixture
def world(worlds: Worlds) -> SyncWorld:
    return worlds(selecting("owner_email"))


@pytest.fixture
def teammate(world: SyncWorld) -> str:
    return world.intercom.by_hand.create_admin("Pat", "Pat@Example.com")


def test_an_e_mail_is_looked_up_among_the_teammates_and_goes_with_the_one_call(
    world: SyncWorld, teammate: str
) -> None:
    world.sync(world.given_user(email="first@example.com"))
    ada = world.given_user(owner_email="pat@example.com ", created_at=OLD)

    assert world.sync(ada).calls == ["POST /contacts"]
    assert world.contact(ada)["owner_id"] == teammate
    entry = next(r.entry for r in world.journal(ada) if r.entry.field == "owner_email")
    assert (entry.action, entry.new) == (Action.PUSHED, teammate)
    assert world.settles(ada)


def test_a_teammates_id_may_be_a_number_in_the_app(worlds: Worlds) -> None:
    world = worlds(selecting("owner_id"))
    teammate = world.intercom.by_hand.create_admin("Pat", "pat@example.com")
    ada = world.given_user(owner_id=int(teammate))

    world.sync(ada)

    assert world.contact(ada)["owner_id"] == teammate
    assert world.settles(ada)


def test_the_teammates_are_read_once_a_run_and_once_a_day(world: SyncWorld) -> None:
    users = [world.given_user(owner_email="nobody@example.com") for _ in range(3)]

    assert world.sync(*users).calls.count(ADMINS) == 1
    world.update_user(users[0], name="Ada L.")
    assert ADMINS not in world.sync(users[0]).calls
    world.times.later += KEPT_FOR + 60
    assert world.sync(users[0]).calls.count(ADMINS) == 1


@pytest.mark.parametrize("column", ["owner_email", "owner_id"])
def test_one_whom_nobody_knows_is_left_out_in_one_sentence_and_nothing_else_is(
    worlds: Worlds, column: str
) -> None:
    world = worlds(selecting(column))
    named = 4711 if column == "owner_id" else "gone@example.com"
    ada, bob = (world.given_user(name=n, **{column: named}) for n in ("Ada", "Bob"))

    synced = world.sync(ada, bob)

    assert [synced[u].status for u in (ada, bob)] == [Status.CHANGED, Status.CHANGED]
    assert (world.contact(ada)["name"], world.contact(ada)["owner_id"]) == ("Ada", None)
    left_out = world.link(ada).left_out[column]
    assert left_out.reason is Reason.UNWRITABLE
    assert left_out.why.endswith("of no teammate of the workspace")
    assert str(named) not in left_out.why
    [counted] = world.services.store.linked.left_out()
    assert (counted.field, counted.count) == (column, 2)
    assert world.settles(bob)


def test_who_waits_for_a_teammate_is_synced_once_there_is_one(world: SyncWorld) -> None:
    ada = world.given_user(owner_email="new@example.com", created_at=OLD)
    other = world.given_user()
    world.sync(ada, other)
    new = world.intercom.by_hand.create_admin("New", "new@example.com")
    world.times.later += KEPT_FOR + 60
    world.update_user(other, name="Somebody")

    world.run_all_due()
    world.run_all_due()

    assert world.contact(ada)["owner_id"] == new
    assert world.look(ada).writes == []


def test_who_is_named_by_an_operator_is_looked_up_anew(world: SyncWorld) -> None:
    ada = world.given_user(owner_email="new@example.com")
    world.sync(ada)
    new = world.intercom.by_hand.create_admin("New", "new@example.com")

    world.sync(ada, by_hand=True)

    assert world.contact(ada)["owner_id"] == new


def test_an_owner_whom_the_app_does_not_name_stays(world: SyncWorld, teammate: str) -> None:
    ada = world.given_user(owner_email=None)
    world.intercom.by_hand.create_contact(role="user", external_id=str(ada), owner_id=teammate)

    world.look(ada)

    assert world.contact(ada)["owner_id"] == teammate
    assert world.settles(ada)


def test_an_owner_whom_the_app_takes_away_is_taken_away(world: SyncWorld, teammate: str) -> None:
    ada = world.given_user(owner_email="pat@example.com")
    world.sync(ada)
    world.update_user(ada, owner_email=None)

    world.sync(ada)

    assert world.contact(ada)["owner_id"] is None
    assert world.settles(ada)


def _fails(world: SyncWorld, status: int, code: str) -> None:
    fault = {"kind": "error", "status": status, "code": code, "endpoint": ADMINS, "count": None}
    world.intercom.set(faults=[fault])


def _is_away(world: SyncWorld) -> None:
    _fails(world, 500, "odd")


def _is_forbidden(world: SyncWorld) -> None:
    _fails(world, 403, "forbidden")


@pytest.mark.parametrize("fails", [_is_away, _is_forbidden])
def test_a_list_that_cannot_be_read_keeps_back_the_owner_only(
    world: SyncWorld, teammate: str, fails: Callable[[SyncWorld], None]
) -> None:
    fails(world)
    ada = world.given_user(name="Ada", owner_email="pat@example.com")

    synced = world.sync(ada)

    assert synced[ada].status is Status.CHANGED
    assert (world.contact(ada)["name"], world.contact(ada)["owner_id"]) == ("Ada", None)
    why = world.link(ada).left_out["owner_email"].why
    assert why.startswith("the workspace's teammates could not be read: ")
    [finding] = check_owners(world.services.intercom, "owner_email")
    assert finding.verdict is Severity.BAD
    world.intercom.reset("faults")
    world.times.later += 120
    world.sync(ada)
    assert world.contact(ada)["owner_id"] == teammate
    assert world.settles(ada)


def test_a_plan_asks_who_the_teammates_are_and_keeps_nothing(
    world: SyncWorld, teammate: str
) -> None:
    ada = world.given_user(owner_email="pat@example.com")

    with previewing(world.services, [str(ada)], ask=True) as seen:
        [planned] = plan_users(seen.services, [str(ada)], contacts_now=seen.contacts_now)

    assert ("owner_email", teammate) in [(c.field, c.new) for c in planned.changes]
    assert planned.left_out == {}
    [unasked] = plan_users(world.services, [str(ada)])
    assert unasked.left_out == {"owner_email": "the workspace's teammates were not read yet"}


def test_an_undo_gives_it_back_to_the_owner_before(world: SyncWorld, teammate: str) -> None:
    other = world.intercom.by_hand.create_admin("Kim", "kim@example.com")
    ada = world.given_user(owner_email="pat@example.com")
    world.sync(ada)
    world.update_user(ada, owner_email="kim@example.com")
    world.sync(ada)
    assert world.contact(ada)["owner_id"] == other
    run = world.journal(ada)[-1].run_id

    assert list(undo(world.services, f"undo-{run}", run))

    assert world.contact(ada)["owner_id"] == teammate
    assert world.sync(ada).writes == []


def test_a_sweep_finds_nobody_who_is_in_step(world: SyncWorld, teammate: str) -> None:
    users = [world.given_user(owner_email=e) for e in (None, "pat@example.com", "no@example.com")]
    world.sync(*users)

    assert sweep_users(world.services).queued == 0


def test_both_columns_are_refused_and_so_is_a_write_back(worlds: Worlds) -> None:
    with pytest.raises(MappingError, match="owner_email and owner_id both name"):
        worlds(selecting("owner_email, owner_id")).sync()
    stored = {"table": "users", "key": "id", "columns": {"owner_email": "owner_email"}}
    with pytest.raises(MappingError, match="owner_email is of no use"):
        worlds(selecting("owner_email"), write_back=stored).sync()


def test_no_address_of_a_teammate_is_kept(world: SyncWorld, teammate: str) -> None:
    world.sync(world.given_user())

    [[kept]] = world.rows("select value::text from intercom_sync.workspace where key = 'admins'")

    assert teammate in kept
    assert "example.com" not in kept
