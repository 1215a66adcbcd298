"""The checker itself: each thing that it counts, in histories made by hand."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intercom_assets_tests.tools.chaos import fill_policy, histories, verdicts
from intercom_assets_tests.tools.chaos.histories import AppChange, Call, Histories, Present, Version
from intercom_assets_tests.tools.chaos.verdicts import Verdicts, judge

ROW: Mapping[str, Any] = {
    "id": 7, "email": "ada@example.com", "name": "Ada", "phone_number": None, "plan": "team",
    "sessions_this_month": 3, "deleted_at": None, "metadata": {"intercom_user_id": "c7"},
}  # fmt: skip
CONTACT: Mapping[str, Any] = {
    "id": "c7", "external_id": "7", "role": "user", "state": "live", "email": "ada@example.com",
    "name": "Ada", "phone": None, "company_ids": [],
    "custom_attributes": {"subscription_plan": "team", "monthly_usage": 3},
}  # fmt: skip
SHOWN: Mapping[str, Any] = {
    "id": "c7", "external_id": "7", "state": "live", "name": "Ada", "phone": None,
    "last_seen_at": None,
}  # fmt: skip


def judged(
    row: Mapping[str, Any] | None = ROW,
    contacts: tuple[Mapping[str, Any], ...] = (CONTACT,),
    *,
    app: tuple[AppChange, ...] = (),
    versions: tuple[Version, ...] = (),
    calls: tuple[Call, ...] = (),
) -> Verdicts:
    present = Present({"7": row} if row else {}, {}, frozenset(), contacts, {}, 0, {})
    born = AppChange(0, 0.0, False, "users", None, dict(ROW))
    answer = Histories([born, *app], [Version(1, 1.0, 1, SHOWN), *versions],
                     {1: put(1), **{call.n: call for call in calls}})  # fmt: skip
    return judge(present, answer)


def put(n: int, *, path: str = "/contacts/c7", body: Mapping[str, Any] | None = None) -> Call:
    return Call(n, float(n), "PUT", path, 200, True, "c7", body)


def changed(at: float, *, ours: bool = False, **values: object) -> AppChange:
    return AppChange(int(at), at, ours, "users", dict(ROW), {**ROW, **values})


def test_two_sides_in_step_are_clean() -> None:
    assert judged() == Verdicts()


@pytest.mark.parametrize(
    ("row", "contact"),
    [
        ({"email": "new@example.com"}, {}),
        ({"plan": "free"}, {}),
        ({"sessions_this_month": 4}, {}),
        ({"metadata": {}}, {}),
        ({"deleted_at": "2026-01-01"}, {}),
        ({"name": "Ada L."}, {}),
        ({}, {"phone": "+441"}),
    ],
)
def test_a_value_that_did_not_arrive_is_lost(
    row: Mapping[str, Any], contact: Mapping[str, Any]
) -> None:
    assert judged({**ROW, **row}, ({**CONTACT, **contact},)).lost


def test_a_user_without_a_contact_is_lost() -> None:
    assert judged(contacts=()).lost


def test_a_user_who_left_the_app_and_is_not_marked_is_lost() -> None:
    assert judged(row=None).lost


def test_a_lead_with_a_users_address_that_was_not_merged_is_lost() -> None:
    lead = {**CONTACT, "id": "l1", "role": "lead", "external_id": None}

    assert judged(contacts=(CONTACT, lead)).lost


def test_an_older_value_on_both_sides_is_lost_too() -> None:
    """A write of an older value over a newer one leaves both sides alike, and wrong."""
    assert judged(app=(changed(2.0, name="Ada L."),)).lost


def test_two_contacts_of_one_user_are_doubled() -> None:
    assert judged(contacts=(CONTACT, {**CONTACT, "id": "c8"})).doubled


def test_a_lead_that_was_merged_twice_is_doubled() -> None:
    merge = {"from": "l1", "into": "c7"}
    calls = [put(n, path="/contacts/merge", body=merge) for n in (2, 3)]

    assert judged(calls=tuple(calls)).doubled


def test_a_phone_of_an_operator_that_nobody_pulled_is_lost() -> None:
    by_hand = Version(2, 2.0, 0, {**SHOWN, "phone": "+441"})
    gone = ({**CONTACT, "phone": "+441"},)

    assert judged(contacts=gone, versions=(by_hand,)).lost


def test_a_phone_of_an_operator_that_was_cleared_unseen_is_raced_and_not_lost() -> None:
    by_hand = Version(2, 2.0, 0, {**SHOWN, "phone": "+441"})
    over = Version(3, 3.0, 3, {**SHOWN, "phone": None})

    printed = judged(versions=(by_hand, over), calls=(put(3),))

    assert (printed.lost, len(printed.raced)) == ([], 1)


def test_a_phone_of_an_operator_that_was_seen_and_cleared_is_overwritten() -> None:
    by_hand = Version(2, 2.0, 0, {**SHOWN, "phone": "+441"})
    look = Call(3, 3.0, "GET", "/contacts/c7", 200, True, "c7", None)
    over = Version(4, 4.0, 4, {**SHOWN, "phone": None})

    printed = judged(versions=(by_hand, over), calls=(look, put(4)))

    assert printed.overwritten
    assert not printed.clean


def test_a_phone_of_an_operator_that_a_late_write_took_is_raced() -> None:
    by_hand = Version(2, 2.0, 0, {**SHOWN, "phone": "+441"})
    look = Call(3, 3.0, "GET", "/contacts/c7", 200, True, "c7", None)
    over = Version(4, 4.0, 4, {**SHOWN, "phone": None})

    printed = judged(versions=(by_hand, over), calls=(look, replace(put(4), late=True)))

    assert (printed.clean, len(printed.raced)) == (True, 1)


@pytest.mark.parametrize("late", [False, True])
def test_a_time_that_a_write_turned_back_is_lost_unless_that_landed_late(late: bool) -> None:
    newer, older = ({**SHOWN, "last_seen_at": at} for at in (1_800, 1_700))
    calls = (put(2), replace(put(3), late=late))

    printed = judged(versions=(Version(2, 2.0, 2, newer), Version(3, 3.0, 3, older)), calls=calls)

    assert (len(printed.lost), len(printed.raced)) == ((0, 1) if late else (1, 0))


def test_a_write_back_over_a_value_of_the_app_is_lost() -> None:
    assert judged({**ROW, "name": "Eve"}, ({**CONTACT, "name": "Eve"},),
                  app=(changed(2.0, ours=True, name="Eve"),)).lost  # fmt: skip


def test_the_checker_imports_nothing_of_the_package() -> None:
    for module in (fill_policy, histories, verdicts):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        named += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert not [name for name in named if name.split(".")[0] == "intercom_assets"]
