"""A simulator with a clock of the test's own, and the official file's eye on every answer.

With INTERCOM_OPENAPI set each answer that a test of this folder sees is held against the file,
and a skip counts as a failure; without it the tests that need the file are skipped.
"""

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets_tests.simulator.asking import Api, Clock, Exchange
from intercom_assets_tests.simulator.schemas import Schemas

FILE = "INTERCOM_OPENAPI"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(clock=clock)


@pytest.fixture(scope="session")
def known_schemas() -> Schemas | None:
    path = os.environ.get(FILE)
    return Schemas(path) if path else None


@pytest.fixture(scope="session")
def openapi(known_schemas: Schemas | None) -> Schemas:
    if known_schemas is None:
        pytest.skip(f"{FILE} names no OpenAPI file")
    return known_schemas


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def api(
    simulator: Simulator, exchanges: list[Exchange], known_schemas: Schemas | None
) -> Iterator[Api]:
    yield Api(simulator, exchanges.append)
    if known_schemas is not None:
        faults = {str(exchange): known_schemas.check(exchange) for exchange in exchanges}
        assert {call: fault for call, fault in faults.items() if fault} == {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get(FILE) and "openapi" in getattr(item, "fixturenames", ()):
        report.outcome = "failed"
        report.longrepr = f"{FILE} is set, so nothing that needs it may be skipped"
    return report
