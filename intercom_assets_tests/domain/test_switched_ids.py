"""Ids switched for everybody: who is who by e-mail, and how many make it a switch."""

import pytest

from intercom_assets.domain.switched_ids import (
    Ambiguous,
    Identity,
    Matched,
    Sample,
    SwitchedId,
    form_of,
    match,
    shows_a_switch,
    with_more,
)


def test_one_old_and_one_new_id_with_an_email_are_a_pair() -> None:
    matched = match([Identity("7", "a@x")], [Identity("usr_7", "a@x"), Identity("usr_8", "b@x")])

    assert (matched.pairs, matched.ambiguous) == ([SwitchedId("7", "usr_7")], [])
    assert matched.count == 1


def test_of_several_with_an_email_those_that_began_together_are_a_pair() -> None:
    old = [Identity("7", "a@x", 100), Identity("8", "a@x", 200)]
    new = [Identity("u8", "a@x", 200), Identity("u7", "a@x", 100)]

    assert sorted(match(old, new).pairs, key=lambda pair: pair.old) == [
        SwitchedId("7", "u7"),
        SwitchedId("8", "u8"),
    ]


@pytest.mark.parametrize("created_at", [None, 100])
def test_several_that_nothing_tells_apart_are_ambiguous(created_at: int | None) -> None:
    old = [Identity("7", "a@x", created_at), Identity("8", "a@x", created_at)]

    matched = match(old, [Identity("u9", "a@x", created_at)])

    assert matched.pairs == []
    assert matched.ambiguous == [Ambiguous(["7", "8"], ["u9"])]
    assert (matched.count, matched.example) == (1, SwitchedId("7", "u9"))


def test_who_left_before_is_only_a_deleted_row() -> None:
    left = Identity("7", "a@x", left_before=True)

    assert match([left], [Identity("u9", "a@x")]).count == 0
    assert match([left], [Identity("u7", "a@x", deleted=True)]).pairs == [SwitchedId("7", "u7")]


def test_who_left_and_registered_again_is_told_from_the_account_before() -> None:
    old = [Identity("3", "a@x", left_before=True), Identity("9", "a@x")]
    new = [Identity("u3", "a@x", deleted=True), Identity("u9", "a@x")]

    pairs = match(old, new).pairs

    assert {pair.old: pair.new for pair in pairs} == {"3": "u3", "9": "u9"}


@pytest.mark.parametrize(
    ("pairs", "new", "old"),
    [
        ({"1": "usr_1", "2": "usr_2", "31": "usr_31"}, "usr_4", "4"),
        ({"1": "1-1", "2": "1-2", "31": "1-31"}, "1-1-4", "1-4"),
        ({"u1": "1", "u2": "2", "u3": "3"}, "44", "u44"),
        ({"1": "usr_1", "2": "usr_2", "31": "usr_31"}, "cus_4", None),
    ],
)
def test_the_form_of_all_pairs_tells_others(
    pairs: dict[str, str], new: str, old: str | None
) -> None:
    form = form_of([SwitchedId(*pair) for pair in pairs.items()])

    assert form is not None
    assert form.old_of(new) == old


@pytest.mark.parametrize(
    "pairs",
    [
        {"1": "usr_1", "2": "usr_2"},
        {"1": "usr_1", "2": "usr_2", "3": "cus_3"},
        {"1": "0b1f", "2": "77aa", "3": "9c9d"},
    ],
)
def test_without_a_form_of_all_nothing_is_told(pairs: dict[str, str]) -> None:
    assert form_of([SwitchedId(*pair) for pair in pairs.items()]) is None


def test_what_became_clear_is_no_longer_ambiguous() -> None:
    matched = Matched([], [Ambiguous(["7", "8", "9"], ["u7", "u8"]), Ambiguous(["3"], ["u3"])])

    more = with_more(matched, [SwitchedId("7", "u7"), SwitchedId("3", "u3")])

    assert more.ambiguous == [Ambiguous(["8", "9"], ["u8"])]
    assert len(more.pairs) == 2


@pytest.mark.parametrize(
    ("pairs", "new", "shown"), [(10, 20, True), (10, 21, False), (9, 9, False), (500, 999, True)]
)
def test_of_a_batch_ten_pairs_that_are_half_of_the_new_ones_show_it(
    pairs: int, new: int, shown: bool
) -> None:
    assert shows_a_switch(pairs, new) is shown


@pytest.mark.parametrize(
    ("size", "moved", "shown"),
    [(3, 3, True), (5, 3, True), (6, 3, False), (2, 2, False), (200, 10, True), (200, 9, False)],
)
def test_of_those_around_more_than_half_show_it_or_ten(size: int, moved: int, shown: bool) -> None:
    assert Sample(size, moved).shows_a_switch is shown
