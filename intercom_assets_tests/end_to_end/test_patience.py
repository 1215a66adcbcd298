"""The demo waits as long as anything moves, and names a busy machine where nothing does."""

import os

import pytest

from intercom_assets.demo.runner import Patience, busy_machine


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_lasts_as_long_as_something_moves() -> None:
    clock = Clock()
    patience = Patience(120, clock)

    for progress in range(50):
        clock.now += 119
        assert patience.goes_on(progress)


def test_it_ends_when_nothing_moves_any_more() -> None:
    clock = Clock()
    patience = Patience(120, clock)
    assert patience.goes_on("some")

    clock.now += 119
    assert patience.goes_on("some")
    clock.now += 1
    assert not patience.goes_on("some")


@pytest.mark.parametrize(("load", "busy"), [(0.5, False), (4.0, False), (4.1, True)])
def test_a_busy_machine_is_named(monkeypatch: pytest.MonkeyPatch, load: float, busy: bool) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)

    assert busy_machine() == ("the machine is busy: a load of 4.1 on 4 processors" if busy else "")
