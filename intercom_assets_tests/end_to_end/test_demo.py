"""The demo, on real processes: its story, its exit codes, and that it is a world of its own."""

import re
from collections.abc import Iterator

import pytest

from intercom_assets.demo.groups import wait_until
from intercom_assets.demo.sample_people import EVERYTHING
from intercom_assets_tests.end_to_end.conftest import Canary, Demo
from intercom_assets_tests.readme import README, block

PATIENCE = 60


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
    demo.sides.app.do(
        "update users set email = 'ada@lantern.example', billing_period = 'year' where id = %s",
        EVERYTHING,
    )
    assert wait_until(lambda: _email(demo) == "ada@lantern.example", PATIENCE)
    return demo


@pytest.fixture
def unwatched(unplayed: Demo) -> Iterator[Demo]:
    """Nobody notices what changes in the app's users, until the test is over."""
    unplayed.sides.app.do("alter table users disable trigger user")
    yield unplayed
    unplayed.sides.app.do("alter table users enable trigger user")
    unplayed.sides.app.do("update users set updated_at = now() where id = %s", EVERYTHING)
    assert wait_until(lambda: _email(unplayed) == "ada@new.example", PATIENCE)


def test_a_step_whose_feature_is_off_is_red(unwatched: Demo) -> None:
    done = unwatched.play("b", patience=4)

    assert done.returncode == 1
    assert "NOT HELD" in done.stdout
    assert "ada@lantern.example" in done.stdout
    assert "1 of 1 steps did not hold: b." in done.stdout


def test_the_same_step_with_its_feature_on_is_green(unplayed: Demo) -> None:
    done = unplayed.play("b")

    assert (done.returncode, "The step held." in done.stdout) == (0, True), done.stdout


def test_a_step_that_was_played_already_proves_nothing(demo: Demo) -> None:
    done = demo.play("g")

    assert done.returncode == 1
    assert "proves nothing" in re.sub(r"\W+", " ", done.stdout)


def _email(demo: Demo) -> str | None:
    contact = demo.sides.intercom.contact(external_id=str(EVERYTHING))
    return contact["email"] if contact else None


def _without_numbers(printed: str) -> str:
    """The two columns of numbers, and the count in the last line, as #."""
    rows = re.sub(r" +[\d.,]+ │ +[\d,]+ │$", " # │ # │", printed, flags=re.MULTILINE)
    return re.sub(r"made \d+ searches", "made # searches", rows)
