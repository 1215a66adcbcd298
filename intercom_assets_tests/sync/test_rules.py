"""The listing is complete: no rule and no weakness is missing, and each named test exists."""

from importlib import import_module

import pytest

from intercom_assets_tests.sync.rules import (
    MANY_RULES,
    MANY_WEAKNESSES,
    RULES,
    WEAKNESSES,
    DoesNotApply,
    Entry,
)

EVERY = {
    **{f"rule {number}": entry for number, entry in RULES.items()},
    **{f"weakness {number}": entry for number, entry in WEAKNESSES.items()},
}


def test_no_rule_and_no_weakness_is_missing() -> None:
    assert list(RULES) == list(range(1, MANY_RULES + 1))
    assert list(WEAKNESSES) == list(range(1, MANY_WEAKNESSES + 1))


@pytest.mark.parametrize("entry", EVERY.values(), ids=EVERY.keys())
def test_each_is_played_by_tests_that_exist_or_has_a_fact_why_it_is_not(entry: Entry) -> None:
    if isinstance(entry, DoesNotApply):
        assert len(entry.fact) > 40
        return
    assert entry.tests
    for name in entry.tests:
        module, _, test = name.rpartition(".")
        found = getattr(import_module(f"intercom_assets_tests.sync.{module}"), test, None)
        assert callable(found), f"there is no {name}"
