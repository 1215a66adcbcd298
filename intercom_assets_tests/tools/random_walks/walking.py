"""Takes a walk in a world of its own, and raises `Broken` where a verdict finds something."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import yaml

from intercom_assets.domain.vocabulary import Cause, QueueKind, StateKey
from intercom_assets.intercom.errors import IntercomError
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.sync.engine.initial_listing import list_workspace
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets.sync.feeders.audit import audit
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.sync.small_bulk import KilledError, die, sizes_of_bulk
from intercom_assets_tests.sync.sync_world import (
    Event,
    Sql,
    SyncWorld,
    a_mapping,
    a_played_world,
)
from intercom_assets_tests.tools.random_walks.app_moves import APP_MOVES
from intercom_assets_tests.tools.random_walks.intercom_moves import (
    INTERCOM_MOVES,
    see_meanwhile,
    write_over,
)
from intercom_assets_tests.tools.random_walks.script import (
    TEAMMATES,
    TEAMS,
    USERS,
    Meanwhile,
    Round,
    Walk,
)
from intercom_assets_tests.tools.random_walks.verdict import Judge
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld
from intercom_assets_tests.tools.random_walks.webhooks import WebhooksOfAWalk

MOVES = {**APP_MOVES, **INTERCOM_MOVES}
WAIT_TIMEOUT_S, SOON = 16, 9
"""Turns until all must be quiet; and without waiting for anything."""
AT_WORK = 6
"""Turns more, in which a job that nobody saw the end of may still be at work."""
SEARCH_EVERY = 2
"""Turns: webhooks tell of most changes before."""
LAG = 130.0
EVERYBODY = tuple(map(str, USERS))
DEFAULTS: Mapping[str, Any] = {"on_delete": "mark", "memberships": "app", "clear_unusable": True}


FURTHER_COLUMNS = (
    "alter table users add avatar_url text, add owner_email text, add email_verified boolean,"
    " add opted_out boolean, add tags text[];"
    "alter table teams add tags text[]"
)
_BEFORE = "    updated_at,                                 -- read, never sent\n"
_FURTHER = "avatar_url, owner_email, email_verified, opted_out as unsubscribed_from_emails, tags,"
SELECTED = Sql(
    users={_BEFORE: f"{_BEFORE}    {_FURTHER}\n"}, teams={_BEFORE: f"{_BEFORE}    tags,\n"}
)
STORED: Mapping[str, Any] = {
    **yaml.safe_load((SAMPLE / "sync.yaml").read_text())["write_back"],
    "columns": {
        **{name: name for name in ("name", "phone_number", "time_zone", "last_request_at")},
        "unsubscribed_from_emails": "opted_out",
    },
}


class Broken(AssertionError):
    """What the verdict on a round found."""


def take(walk: Walk, url: str, folder: Path) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(FURTHER_COLUMNS)
    mapping = a_mapping(folder, SELECTED, lease="300d", write_back=STORED, **walk.settings)
    with sizes_of_bulk(walk.bulk), a_played_world(url, mapping) as played:
        played.intercom.set(**walk.simulated)
        feed_from_intercom(played.services)
        by_hand = played.intercom.by_hand
        teammates = {email: by_hand.create_admin(name, email) for email, name in TEAMMATES.items()}
        ground = WalkWorld(played, WebhooksOfAWalk(played.intercom), teammates=teammates)
        _strangers_are_there(ground)
        judge = Judge(ground, {"fields": {}, **DEFAULTS, **walk.settings})
        for number, each in enumerate(walk.rounds):
            _take_round(ground, judge, number, each)


def _strangers_are_there(ground: WalkWorld) -> None:
    """Contacts of other people, one of them with the e-mail of a user."""
    intercom = ground.played.intercom
    for key in ("stranger", "u4"):
        contact = intercom.by_hand.create_contact(
            role="user", external_id=f"x-{key}", email=f"{key}@example.com", name="A Stranger"
        )
        ground.strangers[contact] = intercom.contact(id=contact) or {}


def _take_round(ground: WalkWorld, judge: Judge, number: int, each: Round) -> None:
    ground.tampered.clear()
    ground.inherited.clear()
    ground.seen.clear()
    for step in each.steps:
        MOVES[step.kind](ground, step)
    judge.look()
    found = _run_to_quiet(ground, each)
    found += judge.findings()
    found += _passes_again(ground.played)
    if found:
        raise Broken(f"round {number}: " + "; ".join(found))


def _run_to_quiet(ground: WalkWorld, each: Round) -> list[str]:
    more = AT_WORK if ground.played.services.settings.bulk != "off" else 0
    played, soon = ground.played, SOON + more + max(ground.contests.values(), default=0)
    for one in each.meanwhile:
        played.wire.expect(Event(one.request, partial(_happens, ground, one), after=one.after))
    if each.faults:
        played.intercom.set(faults=[dict(fault) for fault in each.faults])
    for turn in range(WAIT_TIMEOUT_S + more):
        if turn == 3:
            played.intercom.reset("faults")
            played.wire.forget()
        if turn >= 3 and ground.needs_everybody:
            _queue_everybody(ground)
        if _one_turn(ground, searches=turn % SEARCH_EVERY == SEARCH_EVERY - 1):
            played.intercom.reset("faults")
            played.wire.forget()
            return [f"quiet only after {turn} turns"] if turn > soon else []
    waiting = played.rows("select kind, key, last_error from intercom_sync.queue")
    return [f"never quiet: {waiting}"]


def _happens(ground: WalkWorld, one: Meanwhile) -> None:
    ground.has_happened = True
    if one.step is None:
        die()
        return
    ground.meanwhile |= {("user", one.step.user), ("team", one.step.other)}
    MOVES[one.step.kind](ground, one.step)


def _one_turn(ground: WalkWorld, searches: bool) -> bool:
    """Everything that the sensors and the audit would do; whether nothing was left to do.

    `searches`: it is time to look for Intercom's changes too, beside what webhooks tell.
    """
    played, quiet = ground.played, not +ground.contests
    ground.has_happened = False
    write_over(ground)
    fed = feed_from_app(played.services)
    played.times.sleep(LAG)
    try:
        quiet = ground.webhooks.hand_over(played.services.store) == 0 and quiet
        quiet = searches and feed_from_intercom(played.services).users == 0 and quiet
        if ground.needs_audit:
            audit(played.services)
            ground.needs_audit, quiet = False, False
    except (IntercomError, KilledError):
        quiet = False
    if ground.to_be_seen:
        see_meanwhile(ground)
        quiet = False
    quiet = quiet and not ground.needs_everybody
    played.run("update intercom_sync.queue set due_at = now() where parked_at is null")
    outcomes = 0
    for kind in (QueueKind.TEAM, QueueKind.USER):
        try:
            outcomes += len(played.run_due(kind).outcomes)
        except (IntercomError, KilledError):
            quiet = False  # the workspace could not be listed; the run ends and comes again
    return quiet and not (fed.users or fed.teams or outcomes or ground.has_happened)


def _queue_everybody(ground: WalkWorld) -> None:
    ground.needs_everybody = False
    queue = ground.played.services.store.queue
    queue.enqueue(QueueKind.USER, EVERYBODY, cause=Cause.INTERCOM, needs_read=True)
    teams = [str(team) for team in TEAMS if ground.has_team(team)]
    queue.enqueue(QueueKind.TEAM, teams, cause=Cause.WEBHOOK, needs_read=True)


def _passes_again(played: SyncWorld) -> list[str]:
    """A further pass over everybody makes no call and no write; a look at everybody only reads."""
    before = _whole_app(played)
    found: list[str] = []
    if played.services.store.state.get(StateKey.INITIAL_LISTING) is None:
        list_workspace(played.services)  # it met a fault, and would be due again in this pass
    teams = played.sync_teams(*TEAMS)
    users = played.sync(*EVERYBODY)
    if calls := _other_than_lists([*teams.calls, *users.calls]):
        found.append(f"a further pass calls {calls}")
    links = played.services.store.links.users(EVERYBODY)
    parked = {row.key for row in played.services.store.queue.parked()}
    looked = played.look(*(k for k, link in links.items() if link.contact_id and k not in parked))
    if writes := [call for call in looked.writes if call != "POST /contacts/search"]:
        found.append(f"a look writes {writes}")
    if _whole_app(played) != before:
        found.append("a further pass writes to the app")
    if again := _other_than_lists(played.sync(*EVERYBODY).calls):
        found.append(f"a pass after a look calls {again}")
    return found


def _other_than_lists(calls: Sequence[str]) -> list[str]:
    """Attributes, teammates and tags are kept for a day, which may be over by now."""
    lists = ("GET /admins", "GET /tags")
    return [c for c in calls if "data_attributes" not in c and c not in lists]


def _whole_app(played: SyncWorld) -> list[Any]:
    return [
        played.rows("select to_jsonb(u) from users u order by id"),
        played.rows("select to_jsonb(t) from teams t order by id"),
    ]
