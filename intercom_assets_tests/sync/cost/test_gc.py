"""A large batch does not look through all of Python's modules again and again."""

import gc
from collections.abc import Generator

import pytest

from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.gc import frozen_collector
from intercom_assets.sync.engine.batch import run_batch
from intercom_assets.sync.engine.chunk_source import Batch
from intercom_assets_tests.sync.world import World


def test_what_was_there_is_spared_meanwhile_and_not_afterwards() -> None:
    def broken() -> None:
        with frozen_collector():
            assert gc.get_freeze_count() > 10_000
            raise KeyError

    with pytest.raises(KeyError):
        broken()

    assert gc.get_freeze_count() == 0


def test_what_is_made_meanwhile_is_collected() -> None:
    class Node:
        def __init__(self) -> None:
            self.itself = self

    def alive() -> int:
        return sum(isinstance(each, Node) for each in gc.get_objects())

    with frozen_collector():
        Node()
        assert alive() == 1
        gc.collect()
        assert alive() == 0


@pytest.mark.parametrize("ends", ["whole", "cut short"])
def test_a_batch_spares_what_was_there(world: World, ends: str) -> None:
    keys = tuple(str(world.given_user(email=f"u{n}@example.com")) for n in range(3))
    reports = run_batch(world.services, Batch(QueueKind.USER, keys=keys), "run-1")

    assert isinstance(reports, Generator)
    next(reports)
    assert gc.get_freeze_count() > 10_000

    if ends == "whole":
        list(reports)
    else:
        reports.close()
    assert gc.get_freeze_count() == 0
