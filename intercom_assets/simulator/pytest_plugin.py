"""A fixture for tests of other projects: a fresh stand-in on a port of its own for each test.

In a `conftest.py`: `pytest_plugins = ["intercom_assets.simulator.pytest_plugin"]`. pytest is no
dependency of ours: whoever imports this has it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """`url` goes where `https://api.intercom.io` stood, `token` where the access token stood.

    `simulator` is the stand-in itself: `seed`, `set`, `by_hand`, `contact`, `stats`.
    """

    url: str
    token: str
    simulator: Simulator


@pytest.fixture
def intercom_simulator() -> Iterator[RunningSimulator]:
    simulator = Simulator()
    with serving(simulator) as url:
        yield RunningSimulator(url, simulator.settings.token, simulator)
