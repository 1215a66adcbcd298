"""A stand-in Intercom without sockets and without waiting, and the real client in front of it.

Time passes only when somebody sleeps, for the client and for Intercom alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from intercom_assets.intercom.client import IntercomClient
from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.in_process import InProcess

STARTED = 1_800_000_003.5


@dataclass
class Moment:
    """`now`: seconds since the test began, which is also the monotonic clock."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return STARTED + self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def intercom(moment: Moment) -> Simulator:
    return Simulator(clock=moment.wall)


NewClient = Callable[..., IntercomClient]


@pytest.fixture
def new_client(intercom: Simulator, moment: Moment) -> NewClient:
    """Builds clients of this Intercom; keyword arguments as `IntercomClient` takes them."""
    network = InProcess(intercom.handle, moment.sleep)

    def build(token: str = "demo-token", **settings: object) -> IntercomClient:
        known = {
            "transport": network,
            "clock": moment.clock,
            "wall": moment.wall,
            "sleep": moment.sleep,
        }
        return IntercomClient(token, **(known | settings))  # type: ignore[arg-type]

    return build


@pytest.fixture
def client(new_client: NewClient) -> IntercomClient:
    return new_client()
