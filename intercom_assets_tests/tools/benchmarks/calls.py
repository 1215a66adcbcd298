"""Calls per user, as Intercom counts them: new, unchanged, changed, echo, and a first contact.

No clock is read here, so a busy machine changes nothing. Must not: speed.
"""

from collections.abc import Iterator

import psycopg

from intercom_assets.database.store.schema import apply_schema
from intercom_assets.sync.context.attributes import AttributeBook
from intercom_assets.sync.engine.initial_listing import list_workspace
from intercom_assets.sync.feeders.app_changes import feed_from_app
from intercom_assets.sync.feeders.intercom_changes import feed_from_intercom
from intercom_assets_tests.tools.benchmarks.figures import Figure
from intercom_assets_tests.tools.benchmarks.lab import CHANGE_EVERYBODY, Lab, World, execute
from intercom_assets_tests.tools.benchmarks.simulated import NO_LIMIT
from intercom_assets_tests.tools.benchmarks.work import services_of, sync_all, sync_queue

SEARCH = "POST /contacts/search"
AN_HOUR = 3_600.0
SEARCH_APART = "the search for Intercom's changes apart"
UNUSABLE = "X"
"""A name in Intercom that the app cannot use: it is cleared, after a look."""


def measure(lab: Lab, users: int) -> Iterator[Figure]:
    """Without teams; attributes exist and the workspace was listed, as on any but the first day."""
    with lab.world(users, **NO_LIMIT) as world:
        _get_acquainted(world)
        yield _figure("calls per new user", _of_sync(world), users, "1.00")
        yield _figure("calls per echo", _of_queue(world), users, "0", SEARCH_APART)
        yield _figure("calls per unchanged user", _of_sync(world), users, "0")
        execute(world.url, CHANGE_EVERYBODY)
        yield _figure("calls per changed user, fields of the app", _of_queue(world), users, "1.00")
        yield _figure("calls per echo of a change", _of_queue(world), users, "0", SEARCH_APART)
        changed = _change_what_needs_a_look(world)
        yield _figure(
            "calls per changed user, present value needed",
            _of_queue(world),
            changed,
            "at most 2.00",
        )


def measure_first_contact(lab: Lab, users: int) -> Iterator[Figure]:
    """A workspace that has contacts and companies, unchanged for an hour, and tables of ours that
    know nothing of it."""
    with lab.world(users, teams=max(4, users // 100), **NO_LIMIT) as world:
        _of_sync(world)
        _forget(world)
        calls = _of_sync(world, ahead=AN_HOUR)
        what = "calls per user, first sync onto the same workspace"
        yield _figure(what, calls, users, "under 0.02")


def _figure(what: str, calls: int, users: int, target: str, note: str = "") -> Figure:
    return Figure(what, calls / users, "calls", target, note)


def _get_acquainted(world: World) -> None:
    """What happens once: the workspace is listed, and the attributes are made."""
    with services_of(world) as services:
        list_workspace(services)
        AttributeBook(services).ensure(lambda: services.intercom)


def _of_sync(world: World, ahead: float = 0.0) -> int:
    before = world.simulator.asked()
    sync_all(world, ahead=ahead)
    return world.simulator.asked().since(before).calls


def _of_queue(world: World) -> int:
    """What both feeders find is synced; the search itself is not counted."""
    before = world.simulator.asked()
    with services_of(world) as services:
        while feed_from_app(services).users:
            pass
        feed_from_intercom(services)
    sync_queue(world)
    asked = world.simulator.asked().since(before)
    return asked.calls - asked.by_endpoint.get(SEARCH, 0)


def _change_what_needs_a_look(world: World) -> int:
    """The app clears names, and another field changes; what Intercom shows by then is no name.

    How many users that is: those from OAuth, or without a name, are left out.
    """
    with psycopg.connect(world.url) as connection:
        changed = connection.execute(
            "update users set name = null, sessions_this_month = sessions_this_month + 1"
            " where name is not null and oauth_provider is null returning id::text"
        ).fetchall()
    for (user,) in changed:
        edit = {"do": "edit_contact", "contact": user, "name": UNUSABLE}
        world.simulator.control("operator", edit)
    return len(changed)


def _forget(world: World) -> None:
    execute(
        world.url,
        "drop schema intercom_sync cascade",
        "update users set metadata = '{}'",
        "update teams set metadata = '{}'",
    )
    apply_schema(world.url)
