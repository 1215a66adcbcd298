"""The pages of Dagster and of the stand-in Intercom, looked at and clicked on by a real browser.

Waits are for what a page shows, never for time: on a busy machine a page takes a minute. With
SCREENSHOTS=1 the README's pictures are taken anew; look at each before it is committed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from intercom_assets.demo.runner import settle
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets.supervision.processes import clean_environment
from intercom_assets_tests.browser import WAIT_TIMEOUT_S, open_page
from intercom_assets_tests.end_to_end.conftest import Demo
from intercom_assets_tests.end_to_end.ui import Ui
from intercom_assets_tests.readme import README

PICTURES = README.parent / "docs" / "images"
PROFILES = "/assets/reconciled_profiles"
CLICKED, ILL = "137", "148"
"""Users with nothing odd about them, whose ids are part of no other's."""

ONE_COMPANY_TOO_MANY = {
    "kind": "error",
    "endpoint": "POST /contacts/{id}/companies",
    "status": 400,
    "code": "contact_company_limit_exceeded",
    "message": "the contact is in too many companies",
    "count": 1,
}


class Dagster:
    """What an operator sees and does in Dagster's UI."""

    def __init__(self, page: Page, demo: Demo) -> None:
        self.page, self.base, self.demo = page, demo.addresses.webserver, demo

    def go(self, path: str) -> None:
        """Never until the network is idle: these pages hold a socket open and ask again."""
        self.page.goto(f"{self.base}{path}", wait_until="domcontentloaded")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=re.compile(name)).first

    def choose_partitions(self, written: str, chosen: Sequence[str]) -> None:
        """Opens the dialog of Materialize and picks from the list of those that match."""
        self.go(PROFILES)
        self.button("Materialize").click()
        dialog = self.page.get_by_role("dialog").filter(has_text="Launch runs to materialize")
        dialog.get_by_text("Select a partition or create one").click()
        self.page.get_by_placeholder("Filter partitions").fill(written)
        for key in chosen:
            self.page.get_by_role("menuitem", name=key).last.click()
        self.page.keyboard.press("Escape")

    def expect_text(self, text: str, patience: float = WAIT_TIMEOUT_S) -> None:
        expect(self.page.get_by_text(text, exact=True).first).to_be_visible(timeout=patience)

    def partition(self, key: str) -> None:
        self.go(f"{PROFILES}?view=partitions&partition={key}")

    def picture(self, name: str) -> None:
        """For the README, if asked for."""
        if os.environ.get("SCREENSHOTS"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(3_000)
            self.page.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with open_page() as one:
        yield one


@pytest.fixture
def dagster(page: Page, demo: Demo) -> Dagster:
    """A webserver whose code server starved while it was not needed is told to load it again."""
    settle(demo.sides)
    Ui(demo.addresses.webserver).reload()
    return Dagster(page, demo)


def test_the_lineage_is_the_story_of_the_data(dagster: Dagster) -> None:
    dagster.go("/asset-groups")

    for name in ("users", "app_users", "intercom_contacts", "intercom_companies", "sync_health"):
        dagster.expect_text(name)
    dagster.picture("lineage")


def test_one_users_profile_is_materialized_by_a_click(dagster: Dagster) -> None:
    page = dagster.page

    dagster.choose_partitions(CLICKED, [CLICKED])
    dagster.button("^Launch 1 run").click()
    page.get_by_text(re.compile("Launched run [0-9a-f]{8}")).first.wait_for()
    page.get_by_text("View", exact=True).click()

    page.wait_for_url(re.compile("/runs/[0-9a-f-]{8,}"))
    dagster.expect_text("Success")
    dagster.partition(CLICKED)
    dagster.expect_text("Materialized")
    contact = dagster.demo.sides.intercom.contact(external_id=CLICKED)
    assert contact is not None
    link = page.locator(f"a[href$='/users/{contact['id']}']").first
    link.wait_for()
    dagster.picture("partition")
    with page.expect_popup() as opened:
        link.click()
    opened.value.get_by_text(f"external id {CLICKED}").wait_for()
    opened.value.close()


def test_a_backfill_of_a_range_ends_well(dagster: Dagster) -> None:
    """Of neighbours, so that it is one run; those of a backfill run one after another."""
    dagster.choose_partitions("16", ["160", "161", "162", "163"])
    dagster.button("^Launch backfill").click()
    answer = dagster.page.get_by_text(re.compile("Created backfill [a-z]+")).first.inner_text()
    dagster.go(f"/runs/b/{answer.rpartition(' ')[2]}")

    dagster.expect_text("100% completed", 2 * WAIT_TIMEOUT_S)


def test_a_sensors_tick_says_what_it_found(dagster: Dagster) -> None:
    dagster.go("/locations/intercom_assets/sensors/intercom_changes")

    dagster.page.get_by_text("0 runs requested").nth(2).click()

    expect(
        dagster.page.get_by_text(re.compile("touched in Intercom|Webhooks arrive")).first
    ).to_be_visible(timeout=WAIT_TIMEOUT_S)


def test_a_parked_users_partition_is_red_until_it_is_retried(dagster: Dagster) -> None:
    """Intercom refuses a company too many; once somebody made room there, an operator retries."""
    script(dagster.demo, ONE_COMPANY_TOO_MANY)
    dagster.demo.sides.app.do(
        "insert into memberships (user_id, team_id) select %s, id from teams"
        " where id not in (select team_id from memberships where user_id = %s) limit 1",
        ILL,
        ILL,
    )
    assert wait_until(lambda: parked(dagster.demo) == [ILL], WAIT_TIMEOUT_S / 1_000)

    dagster.partition(ILL)
    dagster.expect_text("Failed (1)")
    dagster.expect_text("parked")
    dagster.picture("parked")
    assert retry(dagster.demo, ILL) == 0
    assert wait_until(lambda: parked(dagster.demo) == [], WAIT_TIMEOUT_S / 1_000)
    settle(dagster.demo.sides)

    dagster.partition(ILL)
    dagster.expect_text("Failed (0)")


def test_the_health_checks_are_asked_by_a_click(dagster: Dagster) -> None:
    dagster.go("/assets/sync_health?view=checks")

    dagster.button("Execute all").click()

    expect(dagster.page.get_by_text("Succeeded", exact=True)).to_have_count(
        5, timeout=2 * WAIT_TIMEOUT_S
    )


def test_the_run_numbers_are_plotted_beside_those_of_the_checks(dagster: Dagster) -> None:
    """Once the checks were asked only the description still says "Never materialized"."""
    dagster.go("/assets/sync_health")
    dagster.expect_text("users_due")
    expect(dagster.page.get_by_text("Never materialized")).to_have_count(1, timeout=WAIT_TIMEOUT_S)

    dagster.button("Plots$").click()

    dagster.expect_text("user_calls")
    dagster.picture("numbers")


def test_the_stand_ins_page_shows_a_change_of_the_app(dagster: Dagster) -> None:
    demo, page = dagster.demo, dagster.page
    page.goto(demo.addresses.simulator)
    page.get_by_role("searchbox").fill(CLICKED)

    demo.sides.app.do("update users set name = 'Seen In A Browser' where id = %s", CLICKED)

    dagster.expect_text("Seen In A Browser")


# --- what an operator does elsewhere --------------------------------------------------------------


def script(demo: Demo, fault: dict[str, object]) -> None:
    """The stand-in answers so the next time."""
    with requests.Session() as session:
        session.trust_env = False
        url = f"{demo.addresses.simulator}/_simulator/settings"
        session.post(url, json={"faults": [fault]}, timeout=60).raise_for_status()


def parked(demo: Demo) -> list[str]:
    rows = demo.sides.app.rows("select key from intercom_sync.queue where parked_at is not null")
    return [row["key"] for row in rows]


def retry(demo: Demo, user: str) -> int:
    """The command, in a process and an environment of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "intercom_assets.cli.main", "retry", "--user", user],
        env={
            **clean_environment({}),
            "APP_DATABASE_URL": demo.addresses.app_database,
            "INTERCOM_SYNC_CONFIG": str(demo.place / "mapping"),
        },
        check=False,
    )
    return done.returncode
