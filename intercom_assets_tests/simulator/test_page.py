"""The page: all of it in one file, fed by one answer, harmless whatever a contact is called."""

import re
import subprocess
from pathlib import Path

import pytest

from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.browser import FLAGS, browser
from intercom_assets_tests.simulator.asking import Api

DUMP = ("--headless", *FLAGS, "--virtual-time-budget=2000")
HOSTILE = "<img src=x onerror=\"document.body.id='owned'\">"


def page(simulator: Simulator) -> str:
    answer = simulator.handle("GET", "/", {})
    assert answer.status == 200
    return answer.body.decode()


def test_the_page_needs_no_token_and_is_not_counted(simulator: Simulator) -> None:
    assert "<title>Simulated Intercom</title>" in page(simulator)
    assert simulator.stats()["calls"] == 0


@pytest.mark.parametrize("screen", ["users/6a0000000000000000000001", "companies/6a01"])
def test_the_addresses_of_intercoms_own_screens_lead_to_the_page(
    simulator: Simulator, screen: str
) -> None:
    answer = simulator.handle("GET", f"/a/apps/abc123/{screen}", {})

    assert (answer.status, answer.body.decode()) == (200, page(simulator))


def test_nothing_is_loaded_from_elsewhere_and_a_header_forbids_it(simulator: Simulator) -> None:
    policy = simulator.handle("GET", "/", {}).headers["Content-Security-Policy"]

    assert re.findall(r"https?://", page(simulator)) == []
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy


def test_markup_is_never_made_from_data(simulator: Simulator) -> None:
    script = page(simulator)

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_one_answer_holds_all_that_the_page_shows(api: Api, simulator: Simulator) -> None:
    simulator.seed(
        [
            {"external_id": "7", "email": "ada@b.c", "companies": ["t1"]},
            {"external_id": "8", "email": "grace@b.c"},
        ]
    )
    api.get("/contacts/nobody")
    simulator.set(faults="lost_reply", latency_ms=3)

    def overview(search: str) -> dict[str, object]:
        answer = simulator.handle("GET", f"/_simulator/overview?search={search}", {})
        document: dict[str, object] = answer.json()
        return document

    everything = overview("")
    assert [person["external_id"] for person in everything["people"]] == ["8", "7"]  # type: ignore[attr-defined]
    assert everything["people"][1]["company_names"] == ["t1"]  # type: ignore[index]
    assert everything["calls"][0]["status"] == 404  # type: ignore[index]
    assert everything["faults"][0]["kind"] == "lost_reply"  # type: ignore[index]
    assert everything["windows"][-1]["used"] == 1  # type: ignore[index]
    [company] = simulator.companies()
    for search in (
        company["id"],
        "7",
        "ada%40b.c",
        "ADA@B.C",
        "ada",
        str(simulator.contacts()[0]["id"]),
    ):
        people = overview(search)["people"]
        assert [person["external_id"] for person in people] == ["7"], search  # type: ignore[attr-defined]
    assert overview("nobody")["people"] == []


def test_a_browser_shows_hostile_names_as_text(simulator: Simulator, tmp_path: Path) -> None:
    simulator.seed({"external_id": "7", "name": HOSTILE, "custom_attributes": {"a": HOSTILE}})
    with serving(simulator) as url:
        shown = subprocess.run(
            [browser(), *DUMP, f"--user-data-dir={tmp_path}", "--dump-dom", f"{url}/"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    assert "&lt;img src=x onerror=" in shown
    assert "<img" not in shown.replace("&lt;img", "")
    assert 'id="owned"' not in shown
    assert re.search(r'id="alive" class="">as of', shown)
