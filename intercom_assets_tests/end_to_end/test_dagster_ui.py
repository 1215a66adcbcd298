"""Runs large and small on the demo that is up, started as the UI starts them, by its requests.

Events are there already when these run, which is where batch runs of partitioned assets break.
"""

import pytest

from intercom_assets.demo.probes import without
from intercom_assets.demo.runner import settle
from intercom_assets.demo.scenario import SEARCH
from intercom_assets.supervision.process_groups import wait_until
from intercom_assets_tests.end_to_end.conftest import Demo
from intercom_assets_tests.end_to_end.ui import USER_ASSETS, WAIT_TIMEOUT_S, Ui


@pytest.fixture
def ui(demo: Demo) -> Ui:
    settle(demo.sides)
    return Ui(demo.addresses.webserver)


def calls_but_searches(demo: Demo) -> int:
    calls = demo.sides.intercom.calls_by_endpoint()
    return sum(count for name, count in calls.items() if name != SEARCH)


def test_a_click_materializes_one_users_profile(ui: Ui) -> None:
    run = ui.materialize("reconciled_profiles", "7")

    assert ui.end_of_run(run) == "SUCCESS"
    assert ui.materialized("reconciled_profiles", run) == {"7"}


def test_a_thousand_new_users_are_one_run_with_hardly_a_call_more(demo: Demo, ui: Ui) -> None:
    """Their accounts are older than the time in which leads are looked for, as after an import."""
    sides = demo.sides
    calls = sides.intercom.calls_by_endpoint()

    sides.app.do(
        "insert into users (email, name, created_at) select 'many' || n || '@example.com',"
        " 'Many ' || n, now() - interval '30 days' from generate_series(1, 1000) as n"
    )
    assert wait_until(lambda: many_in_intercom(demo) == 1_000, WAIT_TIMEOUT_S, every=1)
    assert settle(sides)

    made = without(sides.intercom.calls_by_endpoint(), calls)
    assert many_in_runs(demo) == [1_000]
    assert 1_000 <= made["POST /contacts"] + made.get("PUT /contacts/{id}", 0) <= 1_010


def test_a_backfill_of_everybody_ends_well_and_costs_no_call(demo: Demo, ui: Ui) -> None:
    before = calls_but_searches(demo)

    backfill = ui.backfill(USER_ASSETS)

    assert ui.end_of_backfill(backfill) == "COMPLETED_SUCCESS"
    assert len(ui.materialized("reconciled_profiles")) >= 1_200
    assert calls_but_searches(demo) == before


def test_a_batch_that_is_executed_again_handles_the_same_users_without_a_call(
    demo: Demo, ui: Ui
) -> None:
    parent, before = ui.batch_run(), calls_but_searches(demo)

    again = ui.execute_again(parent)

    assert ui.end_of_run(again) == "SUCCESS"
    handled = ui.materialized("reconciled_profiles", again)
    assert handled == ui.materialized("reconciled_profiles", parent)
    assert len(handled) > 100
    assert calls_but_searches(demo) == before


def many_in_runs(demo: Demo) -> list[int]:
    """How many of the thousand each run leased that leased any."""
    leased = demo.sides.app.rows(
        "select count(distinct u.id) from intercom_sync.run_member m"
        " cross join unnest(m.keys) as k (key) join users u on u.id::text = k.key"
        " where m.kind = 'user' and u.email like 'many%%' group by m.run_id order by 1 desc"
    )
    return [int(row["count"]) for row in leased]


def many_in_intercom(demo: Demo) -> int:
    written = demo.sides.app.rows(
        "select count(*) from users where email like 'many%%'"
        " and metadata ->> 'intercom_user_id' is not null"
    )
    return int(written[0]["count"])
