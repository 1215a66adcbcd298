"""The fixture that other projects use, and the page that tells of it."""

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:  # pytest imports it itself, as a plugin, and wants to be the first
    from intercom_assets.simulator.pytest_plugin import RunningSimulator

pytest_plugins = ["intercom_assets.simulator.pytest_plugin"]


def headers(running: "RunningSimulator") -> dict[str, str]:
    return {"Authorization": f"Bearer {running.token}", "Intercom-Version": "2.16"}


def test_a_script_meets_what_a_test_seeded(intercom_simulator: "RunningSimulator") -> None:
    intercom_simulator.simulator.seed({"external_id": "7", "name": "Ada"})

    answer = requests.get(
        f"{intercom_simulator.url}/contacts/find_by_external_id/7",
        headers=headers(intercom_simulator),
        timeout=30,
    )

    assert answer.json()["name"] == "Ada"


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_has_a_workspace_of_its_own(
    intercom_simulator: "RunningSimulator", run: int
) -> None:
    assert intercom_simulator.simulator.contacts() == []
    intercom_simulator.simulator.seed({"external_id": str(run)})
    intercom_simulator.simulator.set(fail_next={"kind": "rate_limit"})

    contacts = f"{intercom_simulator.url}/contacts"
    asked = [
        requests.get(contacts, headers=headers(intercom_simulator), timeout=30).status_code
        for _ in range(2)
    ]

    assert asked == [429, 200]
