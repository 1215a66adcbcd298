"""The commands run from end to end at a tiny size; nothing here asserts about time."""

import pytest

from intercom_assets.demo.databases import Databases
from intercom_assets_tests.tools.benchmarks import calls, http_calls
from intercom_assets_tests.tools.benchmarks.figures import Figure, rows, table
from intercom_assets_tests.tools.benchmarks.lab import Lab


def test_calls_per_user_are_as_few_as_promised(
    postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Databases(postgres, prefix="intercom_assets_test_bench_") as databases:
        try:
            lab = Lab(databases, tmp_path_factory.mktemp("lab"))
            measured = {figure.what: figure.value for figure in calls.measure(lab, users=8)}
        finally:
            for name in databases.names():
                databases.drop(name)

    assert measured == {
        "calls per new user": 1.0,
        "calls per echo": 0.0,
        "calls per unchanged user": 0.0,
        "calls per changed user, fields of the app": 1.0,
        "calls per echo of a change": 0.0,
        "calls per changed user, present value needed": 2.0,
    }


def test_our_transport_and_a_requests_session_are_called_in_turn() -> None:
    asked: list[str] = []
    programs = {
        "ours": lambda method, path, body: asked.append(f"ours {method} {path}"),
        "theirs": lambda method, path, body: asked.append(f"theirs {method} {path}"),
    }

    measured = {figure.what for figure in http_calls.compare(programs, calls=20)}

    assert asked[:6] == [
        "ours GET /me",
        "ours POST /contacts/search",
        "ours GET /me",
        "theirs GET /me",
        "theirs POST /contacts/search",
        "theirs GET /me",
    ]
    assert "CPU per call, theirs against ours" in measured


def test_the_table_shows_medians_and_spread() -> None:
    repeats = [[Figure("calls", value, "calls", "under 2")] for value in (1.0, 1.5, 4.0)]

    lines = table(rows("calls", 1_000, repeats)).splitlines()

    assert lines[2] == "| calls | 1,000 | calls | 1.50 calls | 1 - 4 | under 2 |  |"
