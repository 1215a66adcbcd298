"""Anything happens on both sides, in any order and under any settings; both are judged afterwards.

A few walks of `intercom_assets_tests.walks`, whose command takes as many as one has time for.
"""

from pathlib import Path

import pytest

from intercom_assets_tests.walks.script import a_walk
from intercom_assets_tests.walks.walking import Broken, take


@pytest.mark.parametrize("seed", [5, 49, 54])
def test_after_a_walk_both_sides_are_as_the_policies_say(
    database: str, tmp_path: Path, seed: int
) -> None:
    """These seeds found something once."""
    take(a_walk(seed), database, tmp_path / "mapping")


def test_the_judge_finds_what_the_engine_was_kept_from_doing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom_assets.sync.users.second_calls", lambda *_: None)

    with pytest.raises(Broken):
        take(a_walk(5, rounds=1), database, tmp_path / "mapping")
