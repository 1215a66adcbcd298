"""What the app does, and time: rows come, change and go. Nothing that cannot be done is done."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.feeders.sweep import sweep
from intercom_assets_tests.tools.random_walks.script import Step
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld

OLD, YOUNG = timedelta(days=400), timedelta(hours=1)
DAY = 86_400
LONG = 300


def _update(ground: WalkWorld, user: int, **columns: Any) -> None:
    if ground.row(user) is not None:
        ground.played.update_user(user, **columns)


def _insert(ground: WalkWorld, step: Step) -> None:
    if ground.row(step.user) is not None:
        return
    ground.known.add(step.user)
    created = ground.now() - (YOUNG if step.value else OLD)
    email = f"u{step.user}@example.com"
    ground.played.given_user(id=step.user, email=email, name=None, created_at=created)


def _set(column: str) -> Callable[[WalkWorld, Step], None]:
    return lambda ground, step: _update(ground, step.user, **{column: step.value})


def _app_long_name(ground: WalkWorld, step: Step) -> None:
    """Longer than Intercom holds."""
    _update(ground, step.user, name=step.value * LONG)


def _app_tags(ground: WalkWorld, step: Step) -> None:
    _update(ground, step.user, tags=None if step.value is None else list(step.value))


def _app_team_tags(ground: WalkWorld, step: Step) -> None:
    if ground.has_team(step.other):
        tags = None if step.value is None else list(step.value)
        ground.played.update_team(step.other, tags=tags)


def _app_seen(ground: WalkWorld, step: Step) -> None:
    seen = ground.now() - timedelta(seconds=step.value, milliseconds=250)
    _update(ground, step.user, last_request_at=seen)


def _app_email_case(ground: WalkWorld, step: Step) -> None:
    row = ground.row(step.user)
    if row and row["email"]:
        _update(ground, step.user, email=row["email"].swapcase())


def _app_email_of(ground: WalkWorld, step: Step) -> None:
    other = ground.row(step.user % 4 + 1)
    if other is not None:
        _update(ground, step.user, email=other["email"])


def _swap_emails(ground: WalkWorld, step: Step) -> None:
    one, other = step.user, step.user % 4 + 1
    ground.played.run(
        "update users set email = (select o.email from users o where o.id = %s + %s - users.id),"
        " updated_at = now() where id in (%s, %s)"
        " and 2 = (select count(*) from users where id in (%s, %s))",
        one, other, one, other, one, other,
    )  # fmt: skip


def _soft_delete(ground: WalkWorld, step: Step) -> None:
    _update(ground, step.user, deleted_at=ground.now())


def _restore(ground: WalkWorld, step: Step) -> None:
    _update(ground, step.user, deleted_at=None)


def _hard_delete(ground: WalkWorld, step: Step) -> None:
    ground.played.delete_user(step.user)


def _join(ground: WalkWorld, step: Step) -> None:
    ground.played.run(
        "insert into memberships (user_id, team_id) select u.id, t.id from users u, teams t"
        " where u.id = %s and t.id = %s on conflict do nothing",
        step.user,
        step.other,
    )


def _leave(ground: WalkWorld, step: Step) -> None:
    ground.played.leaves(step.user, step.other)


def _team_insert(ground: WalkWorld, step: Step) -> None:
    if not ground.has_team(step.other):
        ground.played.given_team(id=step.other, domain=f"team{step.other}.example")


def _team_delete(ground: WalkWorld, step: Step) -> None:
    ground.played.delete_team(step.other)


def _team_rename(ground: WalkWorld, step: Step) -> None:
    changed = ground.played.rows(
        "update teams set domain = %s where id = %s and domain <> %s returning id",
        step.value,
        step.other,
        step.value,
    )
    if changed:
        ground.by_hand.discard(step.other)


def _team_owner(ground: WalkWorld, step: Step) -> None:
    owner = step.user if ground.row(step.user) is not None and step.user != 4 else None
    if ground.has_team(step.other):
        ground.played.update_team(step.other, owner_id=owner)


def _mistake(ground: WalkWorld, step: Step) -> None:
    """A WHERE clause hid everybody for a while, and the next sweep sees them again.

    What is left of it is the list of those held; `value`: an operator took it for the truth.
    """
    services = ground.played.services
    users = [key for (key,) in ground.played.rows("select id::text from users")]
    services.store.gone.admit(QueueKind.USER, users, most=-1)
    if step.value:
        services.store.gone.release()
    sweep(services)


def _skip(ground: WalkWorld, step: Step) -> None:
    ground.played.times.sleep(step.value)


def _skip_day(ground: WalkWorld, step: Step) -> None:
    ground.played.times.sleep(DAY)


APP_MOVES: Mapping[str, Callable[[WalkWorld, Step], None]] = {
    "insert": _insert,
    "app_name": _set("name"),
    "app_long_name": _app_long_name,
    "app_phone_number": _set("phone_number"),
    "app_time_zone": _set("time_zone"),
    "app_plan": _set("plan"),
    "app_seen": _app_seen,
    "app_oauth": _set("oauth_provider"),
    "app_picture": _set("avatar_url"),
    "app_owner": _set("owner_email"),
    "app_verified": _set("email_verified"),
    "app_tags": _app_tags,
    "app_team_tags": _app_team_tags,
    "app_opt_out": _set("opted_out"),
    "app_email": _set("email"),
    "app_email_case": _app_email_case,
    "app_email_of": _app_email_of,
    "app_email_none": _set("email"),
    "swap_emails": _swap_emails,
    "soft_delete": _soft_delete,
    "restore": _restore,
    "hard_delete": _hard_delete,
    "join": _join,
    "leave": _leave,
    "team_insert": _team_insert,
    "team_delete": _team_delete,
    "team_rename": _team_rename,
    "team_owner": _team_owner,
    "mistake": _mistake,
    "skip": _skip,
    "skip_day": _skip_day,
}
