"""The demo, on real processes: its story, its exit codes, and that it is a world of its own."""

import re

import pytest

from intercom_assets.demo.runner import settle
from intercom_assets.demo.sample_people import EVERYTHING
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.end_to_end.conftest import Canary, Demo
from intercom_assets_tests.readme import README, block

WAIT_TIMEOUT_S = 300


def test_every_step_of_the_story_held(demo: Demo) -> None:
    assert "All 8 steps held." in demo.story
    assert "NOT HELD" not in demo.story


def test_the_readme_shows_what_it_prints(demo: Demo) -> None:
    """But for seconds, calls and the number of searches, which differ from run to run."""
    shown = _without_numbers(block(README.read_text(), "story"))

    assert shown
    assert shown in _without_numbers(demo.story)


def test_hostile_variables_lead_nowhere(demo: Demo, canary: Canary) -> None:
    """Those of the environment and those of an .env file where it was started."""
    assert canary.app.fingerprint() == canary.fingerprint
    assert canary.intercom.stats()["calls"] == 0
    assert list(canary.dagster_home.iterdir()) == []
    mine = {canary.variables["APP_DATABASE_URL"], canary.variables["INTERCOM_BASE_URL"]}
    assert mine.isdisjoint({demo.addresses.app_database, demo.addresses.simulator})


def test_it_prints_its_three_addresses_and_who_wins(demo: Demo) -> None:
    for address in (
        demo.addresses.webserver, demo.addresses.simulator, demo.addresses.app_database
    ):  # fmt: skip
        assert address in demo.story
    assert "Users: who wins" in demo.story


def test_nothing_of_it_listens_to_other_machines(demo: Demo) -> None:
    for address in (demo.addresses.webserver, demo.addresses.simulator):
        assert address.startswith("http://127.0.0.1:")
    assert "@127.0.0.1:" in demo.addresses.app_database
    [row] = demo.sides.app.rows("select current_setting('listen_addresses') as addresses")
    assert row["addresses"] == "127.0.0.1"


# --- a step with its feature off ------------------------------------------------------------------


@pytest.fixture
def unplayed(demo: Demo) -> Demo:
    """Step b can be played again: both sides are as they were before it."""
    undo_step_b(demo)
    assert wait_until(lambda: email_in_intercom(demo) == "ada@lantern.example", WAIT_TIMEOUT_S)
    assert settle(demo.sides)
    return demo


def test_a_step_is_red_while_its_feature_is_off_and_green_once_it_is_on(unplayed: Demo) -> None:
    """Off: nobody notices what changes in the app's users."""
    unplayed.sides.app.do("alter table users disable trigger user")
    try:
        off = unplayed.play("b", patience=4)
        undo_step_b(unplayed)
    finally:
        unplayed.sides.app.do("alter table users enable trigger user")
    on = unplayed.play("b")

    assert off.returncode == 1
    assert "NOT HELD" in off.stdout
    assert "ada@lantern.example" in off.stdout
    assert "1 of 1 steps did not hold: b." in off.stdout
    assert (on.returncode, "The step held." in on.stdout) == (0, True), on.stdout


def test_a_step_that_was_played_already_proves_nothing(demo: Demo) -> None:
    done = demo.play("g")

    assert done.returncode == 1
    assert "proves nothing" in re.sub(r"\W+", " ", done.stdout)


def undo_step_b(demo: Demo) -> None:
    demo.sides.app.do(
        "update users set email = 'ada@lantern.example', billing_period = 'year' where id = %s",
        EVERYTHING,
    )


def email_in_intercom(demo: Demo) -> str | None:
    contact = demo.sides.intercom.contact(external_id=str(EVERYTHING))
    return contact["email"] if contact else None


def _without_numbers(printed: str) -> str:
    """The two columns of numbers, and the count in the last line, as #."""
    rows = re.sub(r" +[\d.,]+ │ +[\d,]+ │$", " # │ # │", printed, flags=re.MULTILINE)
    rows = re.sub(r"webhook [\d.]+ s after", "webhook # s after", rows)
    return re.sub(r"made \d+ searches", "made # searches", rows)
