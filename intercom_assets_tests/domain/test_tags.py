"""Which tags are put on, which are taken off, and which are nobody's business. Pure."""

import pytest

from intercom_assets.domain.models import LeftOut, Reason
from intercom_assets.domain.tags import (
    NO_ARRAY,
    NOTE,
    TAGGED_WHY,
    TAGS,
    UNTAGGED_WHY,
    Carried,
    Tagging,
    TagPlan,
    noted,
    noted_tags,
    plan_tags,
    wanted_tags,
)
from intercom_assets.domain.vocabulary import QueueKind

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


def test_a_tag_that_goes_by_two_names_of_ours_stays_while_one_is_wanted() -> None:
    ours = {"vip": "9", "old": "9"}

    assert plan_tags(VIP, ours, KNOWN, carries("9")) == TagPlan(dropped=("old",))


@pytest.mark.parametrize(
    "plan",
    [
        TagPlan(put_on=("vip",)),
        TagPlan(take_off=("vip",)),
        TagPlan(dropped=("vip",)),
        TagPlan(must_list=True),
    ],
)
def test_a_plan_with_anything_to_do_is_not_settled(plan: TagPlan) -> None:
    assert not plan.settled
    assert TagPlan().settled


def test_of_a_contact_that_is_yet_to_be_made_all_is_known() -> None:
    assert plan_tags(VIP, {}, KNOWN, Carried()) == TagPlan(put_on=("vip",))


def test_the_tag_that_asks_for_a_sync_is_left_out_in_any_case() -> None:
    wanted = wanted_tags(["Sync NOW", "vip"], "sync now")

    assert wanted.names == {"vip": "vip"}
    assert wanted.left_out == LeftOut(
        Reason.UNFIT,
        "a tag is that of sync_now_tag, which asks for a sync; the others are put on",
    )
    assert wanted_tags(["sync now"], "other").left_out is None
    blank_too = wanted_tags(["", "sync now"], "sync now").left_out
    assert blank_too == wanted_tags([""]).left_out


def test_the_words_are_these() -> None:
    assert (TAGS, NOTE, NO_ARRAY) == ("tags", "tag: ", "is no array of texts")
    assert TAGGED_WHY == {
        QueueKind.USER: "the app has it among the user's tags",
        QueueKind.TEAM: "the app has it among the team's tags",
    }
    assert UNTAGGED_WHY == "the app dropped it"
    left_out = wanted_tags([""]).left_out
    assert left_out is not None
    assert left_out.why == (
        "a tag is blank, no text or longer than 255 characters; the others are put on"
    )


def tagging(
    wanted: dict[str, str] | None,
    *on: str,
    ours: dict[str, str] | None = None,
    known: dict[str, str] | None = KNOWN,
    undone: frozenset[str] = frozenset(),
    doubted: frozenset[str] = frozenset(),
    complete: bool = True,
) -> Tagging:
    return Tagging(wanted, ours or {}, known, carries(*on, complete=complete), doubted, undone)


def test_nothing_is_done_where_the_app_says_nothing_of_tags_or_none_are_synced() -> None:
    assert tagging(None, "1", ours={"vip": "1"}).plan == TagPlan()
    assert tagging({}, "1", ours={"vip": "1"}, known=None).plan == TagPlan()
    assert tagging({}, "1", ours={"vip": "1"}).plan == TagPlan(take_off=("vip",))
    assert tagging(VIP).plan == TagPlan(put_on=("vip",))


def test_one_that_was_in_doubt_is_put_on_again() -> None:
    ours, doubted = {"vip": "1"}, frozenset({"vip"})

    in_doubt = tagging(VIP, ours=ours, doubted=doubted, complete=False).plan

    assert in_doubt == TagPlan(put_on=("vip",), must_list=True)
    assert tagging(VIP, ours=ours, complete=False).plan == TagPlan()


def test_one_that_an_operator_took_off_stays_off_while_it_is_wanted_and_not_on() -> None:
    undone = frozenset({"vip", "beta"})

    kept_off = tagging(VIP, undone=undone)

    assert kept_off.kept_off == {"vip"}
    assert kept_off.plan == TagPlan()
    assert tagging(VIP, "1", undone=undone).kept_off == frozenset()
    assert tagging(None, undone=undone).kept_off == frozenset()
    assert tagging(VIP, known=None, undone=undone).kept_off == {"vip"}


def test_others_are_those_that_are_on_wanted_and_not_ours() -> None:
    both = {"vip": "VIP", "beta": "beta"}

    assert tagging(both, "1", "2", "7", ours={"beta": "2"}).others == {"1"}
    assert tagging({**both, "new": "New"}, "2").others == {"2"}
    assert tagging(None, "1").others == frozenset()
    assert tagging(both, "1", known=None).others == frozenset()


def test_a_name_leads_to_the_tag_that_is_ours_before_the_one_that_has_it_now() -> None:
    assert tagging(VIP, ours={"vip": "9"}).id_of(" Vip ") == "9"
    assert tagging(VIP).id_of("VIP") == "1"
    assert tagging(VIP, known=None).id_of("VIP") is None
