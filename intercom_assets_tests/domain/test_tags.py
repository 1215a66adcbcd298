"""Which tags are put on, which are taken off, and which are nobody's business. Pure."""

import pytest

from intercom_assets.domain.models import Reason
from intercom_assets.domain.tags import Carried, TagPlan, noted, noted_tags, plan_tags, wanted_tags

KNOWN = {"vip": "1", "beta": "2"}
VIP = {"vip": "VIP"}


def carries(*ids: str, complete: bool = True) -> Carried:
    return Carried(frozenset(ids), complete)


@pytest.mark.parametrize(
    ("why", "wanted", "ours", "carried", "plan"),
    [
        ("not there", VIP, {}, carries(), TagPlan(put_on=("vip",))),
        ("by hand", VIP, {}, carries("1"), TagPlan()),
        ("ours", VIP, {"vip": "1"}, carries("1"), TagPlan()),
        ("ours, taken off by hand", VIP, {"vip": "1"}, carries(), TagPlan(put_on=("vip",))),
        ("ours, renamed there", VIP, {"vip": "9"}, carries("9"), TagPlan()),
        ("ours once, by hand now", VIP, {"vip": "9"}, carries("1"), TagPlan(dropped=("vip",))),
        ("dropped", {}, {"vip": "1"}, carries("1"), TagPlan(take_off=("vip",))),
        ("dropped, gone already", {}, {"vip": "1"}, carries(), TagPlan(dropped=("vip",))),
        ("dropped, by hand", {}, {}, carries("1"), TagPlan()),
        ("the same under another name", {"beta": "b"}, {"old": "2"}, carries("2"),
         TagPlan(dropped=("old",))),
        ("new to the workspace", {"new": "New"}, {}, carries(),
         TagPlan(put_on=("new",), to_make=("new",))),
    ],
)  # fmt: skip
def test_what_the_app_wants_meets_what_the_contact_carries(
    why: str, wanted: dict[str, str], ours: dict[str, str], carried: Carried, plan: TagPlan
) -> None:
    assert plan_tags(wanted, ours, KNOWN, carried) == plan, why


def test_a_list_that_is_cut_off_proves_presence_only() -> None:
    cut = carries("7", complete=False)

    assert plan_tags(VIP, {}, KNOWN, cut) == TagPlan(put_on=("vip",), must_list=True)
    assert plan_tags(VIP, {"vip": "1"}, KNOWN, cut).settled
    assert plan_tags({}, {"vip": "1"}, KNOWN, cut) == TagPlan(take_off=("vip",))
    in_doubt = plan_tags(VIP, {"vip": "1"}, KNOWN, cut, frozenset({"vip"}))
    assert in_doubt == TagPlan(put_on=("vip",), must_list=True)


def test_what_is_noted_is_read_back_and_nothing_else_of_the_note_is() -> None:
    note = noted(["vip", "new"], KNOWN)

    assert noted_tags({**note, "name": "Ada", "run: 1": "[]"}) == {"vip": "1"}


def test_names_are_wanted_once_in_the_first_spelling() -> None:
    wanted = wanted_tags([" VIP ", "vip", "Beta"])

    assert (wanted.names, wanted.left_out) == ({"vip": "VIP", "beta": "Beta"}, None)


@pytest.mark.parametrize("name", ["", "  ", None, 7, "x" * 256])
def test_what_is_no_name_is_left_out_in_a_sentence_without_it(name: object) -> None:
    wanted = wanted_tags(["ok", name])

    assert wanted.names == {"ok": "ok"}
    assert wanted.left_out is not None
    assert wanted.left_out.reason is Reason.UNFIT
    assert wanted_tags(["x" * 255]).left_out is None
