"""The panel as an agent sees it: beside a contact on the stand-in's page, in a real browser.

With SCREENSHOTS=1 the pictures of docs/inbox-panel.md are taken anew; look at each before it is
committed.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

import pytest
import requests
from playwright.sync_api import FloatRect, Locator, Page, expect

from intercom_assets.database.records import Failure
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import JournalEntry, Side
from intercom_assets.domain.vocabulary import Action, Cause, QueueKind
from intercom_assets.inbound import inbox as routes
from intercom_assets.inbound.canvas import HIGHEST
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.browser import open_page
from intercom_assets_tests.inbound.listening import SECRET, listening
from intercom_assets_tests.inbound.standings import given_a_user, given_given_up_on
from intercom_assets_tests.readme import README

TOP: FloatRect = {"x": 0, "y": 0, "width": 1500, "height": 620}
PICTURES = README.parent / "docs" / "images"
PEOPLE = {
    "7": "Ada Lantern",
    "8": "Grace Otieno",
    "9": "Nadia Osei",
    "10": "Lena Quinn",
    "11": "Somebody Else",
}
FULL = Failure("no more companies", code="contact_company_limit_exceeded")


@dataclass(frozen=True)
class Inbox:
    """The stand-in's page with the panel on it."""

    page: Page
    simulator: Simulator

    def open(self, name: str) -> Locator:
        """The canvas beside this contact's conversation, once it is drawn."""
        self.page.locator(".person").filter(has_text=name).click()
        expect(self.page.locator("#whose")).to_have_text(name)
        canvas = self.page.locator("#canvas:not(.busy)")
        canvas.wait_for()
        return canvas

    def picture(self, name: str) -> None:
        if os.environ.get("SCREENSHOTS"):
            self.page.locator("#canvas").screenshot(path=PICTURES / f"panel-{name}.png")

    def picture_of_all(self) -> None:
        if os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=PICTURES / "panel.png", clip=TOP)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with open_page() as one:
        yield one


@pytest.fixture
def inbox(page: Page, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    monkeypatch.setattr(routes, "ANSWER_WITHIN_S", 20.0)
    simulator = Simulator()
    for user_id, name in PEOPLE.items():
        email = f"{name.split()[0].lower()}@example.com"
        simulator.seed({"id": f"6a{user_id}", "external_id": user_id, "name": name, "email": email})
    with (
        listening(store, dagster_url="http://127.0.0.1:3000") as listener,
        serving(simulator) as url,
    ):
        app = {"url": f"{listener.url}/inbox", "secret": SECRET.decode()}
        requests.post(f"{url}/_simulator/inbox", json=app, timeout=30).raise_for_status()
        page.goto(url)
        yield Inbox(page, simulator)


def given_edits_that_lost(store: Store, user_id: str) -> None:
    lost = [
        JournalEntry(QueueKind.USER, user_id, Action.OVERRULED, field, Side.INTERCOM, policy="app")
        for field in ("email", "annual_saving", "annual_saving", "seats", "country")
    ]
    store.journal.add("run", lost)
    given_time_passes(store, 7_300)
    given_time_passes(store, 12, "user_link")


def given_time_passes(store: Store, seconds: int, *tables: str) -> None:
    """What is written down was so many seconds ago."""
    for table in tables or ("journal", "queue", "user_link"):
        store.pool.transact(lambda cursor, name=table: cursor.execute(EARLIER[name], (seconds,)))  # type: ignore[misc]


EARLIER: dict[str, LiteralString] = {
    "journal": "update intercom_sync.journal set at = at - make_interval(secs => %s)",
    "queue": "update intercom_sync.queue set first_at = first_at - d, parked_at = parked_at - d"
    " from make_interval(secs => %s) as d",
    "user_link": "update intercom_sync.user_link set shadow_read_at = shadow_read_at - d,"
    " memory = '{}' from make_interval(secs => %s) as d",
}


def test_in_step(inbox: Inbox, store: Store) -> None:
    given_a_user(store, "7", "6a7")
    given_time_passes(store, 12)

    canvas = inbox.open("Ada Lantern")

    expect(canvas.get_by_text(re.compile(r"^In step, \d+ s ago$"))).to_be_visible()
    expect(canvas.get_by_text("User 7 of the app")).to_be_visible()
    inbox.picture("in-step")


def test_waiting(inbox: Inbox, store: Store) -> None:
    given_a_user(store, "8", "6a8")
    store.queue.enqueue(QueueKind.USER, ["8"], cause=Cause.APP)
    given_time_passes(store, 3)

    canvas = inbox.open("Grace Otieno")

    expect(canvas.get_by_text("Something changed in the app")).to_be_visible()
    inbox.picture("waiting")


def test_given_up_on(inbox: Inbox, store: Store) -> None:
    given_a_user(store, "9", "6a9")
    given_given_up_on(store, "9", FULL)
    given_time_passes(store, 7_300)

    canvas = inbox.open("Nadia Osei")

    expect(canvas.get_by_text("Remove it from companies")).to_be_visible()
    inbox.picture("needs-help")


def test_edits_that_lost(inbox: Inbox, store: Store) -> None:
    given_a_user(store, "10", "6a10")
    given_edits_that_lost(store, "10")

    canvas = inbox.open("Lena Quinn")

    expect(canvas.get_by_text("the app owns it").first).to_be_visible()
    inbox.picture("put-back")
    inbox.picture_of_all()


def test_a_contact_that_is_nobody_s(inbox: Inbox) -> None:
    canvas = inbox.open("Somebody Else")

    assert canvas.inner_text() == "The app does not know this contact."
    inbox.picture("unknown")


def test_the_button_queues_and_refresh_shows_what_became_of_it(inbox: Inbox, store: Store) -> None:
    given_a_user(store, "7", "6a7")
    canvas = inbox.open("Ada Lantern")

    canvas.get_by_role("button", name="Sync now").click()
    expect(canvas.get_by_text("press Refresh")).to_be_visible()
    assert store.queue.due(QueueKind.USER).sole_key == "7"

    store.tombstones.forget_user("7")
    given_a_user(store, "7", "6a7")
    canvas.get_by_role("button", name="Refresh").click()
    expect(canvas.get_by_text(re.compile("^In step"))).to_be_visible()


def test_the_partition_is_a_link_and_opens_beside(inbox: Inbox, store: Store) -> None:
    given_a_user(store, "7", "6a7")

    link = inbox.open("Ada Lantern").get_by_role("link", name="Details in Dagster")

    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute(
        "href", "http://127.0.0.1:3000/assets/reconciled_profiles?view=partitions&partition=7"
    )


@pytest.mark.parametrize("failure", [None, FULL, Failure("x", field="*_[a](b)", code="y")])
def test_it_is_at_most_400_pixels_high_whatever_there_is_to_say(
    inbox: Inbox, store: Store, failure: Failure | None
) -> None:
    given_a_user(store, "7", "6a7")
    given_edits_that_lost(store, "7")
    store.queue.enqueue(QueueKind.USER, ["7"], cause=Cause.APP)
    if failure is not None:
        given_given_up_on(store, "7", failure)

    canvas = inbox.open("Ada Lantern")

    box = canvas.bounding_box()
    assert box is not None
    assert box["height"] <= HIGHEST
    expect(canvas.get_by_text("put back in the last week")).to_be_visible()
    if failure is not None and failure.field:
        expect(canvas.get_by_text("has for *_[a](b).")).to_be_visible()


def test_at_the_contact_s_own_address_the_panel_is_open_at_once(
    inbox: Inbox, store: Store, page: Page
) -> None:
    given_a_user(store, "7", "6a7")

    page.goto(f"{page.url}a/apps/sim1w0rk/users/6a7")

    expect(page.locator("#canvas").get_by_text(re.compile("^In step"))).to_be_visible()


def test_an_app_that_is_down_is_said_to_be(page: Page) -> None:
    simulator = Simulator()
    simulator.seed({"id": "6a7", "name": "Ada Lantern"})
    with serving(simulator) as url:
        app = {"url": "http://127.0.0.1:9/inbox", "secret": "x"}
        requests.post(f"{url}/_simulator/inbox", json=app, timeout=30).raise_for_status()
        page.goto(url)
        Inbox(page, simulator).open("Ada Lantern")
        expect(page.locator("#canvas")).to_have_text(
            "Something went wrong: the app does not answer."
        )
