"""The verdicts of a soak: what counts as growth, and what is allowed to grow."""

import pytest

from intercom_assets_tests.tools.soak import Sample, judged, table


def samples(**last: float) -> list[Sample]:
    """Nine alike, but for what the last third has."""
    found = [
        Sample({"daemon": 100.0}, 20, 1.0, {"event_logs": 1_000, "user_link": 200})
        for _ in range(9)
    ]
    for one in found[6:]:
        one.memory["daemon"] = last.get("memory", 100.0)
        one.connections = int(last.get("connections", 20))
        one.queue_age = last.get("queue_age", 1.0)
        one.rows["event_logs"] = int(last.get("event_logs", 1_000))
        one.rows["user_link"] = int(last.get("user_link", 200))
    return found


def test_what_stays_is_green() -> None:
    lines = judged(samples(memory=104.0, queue_age=30.0))

    assert [line.what for line in lines if line.red] == []
    assert "| memory of daemon, MB | 100 | 104 | 104 | flat |" in table(lines)


@pytest.mark.parametrize(
    ("grown", "what"),
    [
        ({"memory": 120.0}, "memory of daemon, MB"),
        ({"connections": 200}, "connections"),
        ({"queue_age": 400.0}, "queue age, s"),
        ({"user_link": 900}, "rows of user_link"),
    ],
)
def test_what_grows_is_red(grown: dict[str, float], what: str) -> None:
    assert [line.what for line in judged(samples(**grown)) if line.red] == [what]


def test_a_table_that_is_pruned_may_grow_till_then() -> None:
    [line] = [x for x in judged(samples(event_logs=5_000)) if x.what == "rows of event_logs"]

    assert (line.red, line.verdict) == (False, "grows; pruned")


def test_too_short_a_soak_says_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        judged([])
