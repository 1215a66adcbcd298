"""Canonical forms: what two sides show as one value is one value; what is ambiguous is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom_assets.domain.models import Kind, Value
from intercom_assets.domain.values import (
    InvalidValue,
    canonical,
    canonical_email,
    count_of,
    dialled,
    digest,
    shown,
)
from intercom_assets_tests.domain.strategies import MOMENTS, RAW, VALUES, quick

ID = UUID("12345678-1234-5678-1234-567812345678")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def unfit(kind: Kind, raw: object) -> str:
    with pytest.raises(InvalidValue) as refusal:
        canonical(kind, raw)
    return str(refusal.value)


@pytest.mark.parametrize("kind", Kind)
def test_nothing_is_nothing_whatever_its_kind(kind: Kind) -> None:
    assert canonical(kind, None) is None


@pytest.mark.parametrize("kind", [Kind.STRING, Kind.INTEGER, Kind.FLOAT])
@pytest.mark.parametrize("blank", ["", " ", " \t\n", "\u00a0"])
def test_a_blank_text_is_nothing(kind: Kind, blank: str) -> None:
    assert canonical(kind, blank) is None


@pytest.mark.parametrize("kind", Kind)
def test_a_canonical_value_is_its_own_canonical_form(kind: Kind) -> None:
    @quick
    @given(RAW[kind])
    def is_idempotent(raw: object) -> None:
        once = canonical(kind, raw)
        again = canonical(kind, once)
        assert (again, type(again)) == (once, type(once))

    is_idempotent()


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Kind.STRING, "  Ada Lovelace ", "Ada Lovelace"),
        (Kind.STRING, "a  b", "a  b"),
        (Kind.STRING, "ADA", "ADA"),
        (Kind.STRING, 12, "12"),
        (Kind.STRING, ID, "12345678-1234-5678-1234-567812345678"),
        (Kind.STRING, "x" * 300, "x" * 300),
        (Kind.INTEGER, 20, 20),
        (Kind.INTEGER, 20.0, 20),
        (Kind.INTEGER, Decimal("20.00"), 20),
        (Kind.INTEGER, " 20 ", 20),
        (Kind.INTEGER, 2**53, 2**53),
        (Kind.INTEGER, -(2**53), -(2**53)),
        (Kind.FLOAT, 20, 20.0),
        (Kind.FLOAT, Decimal("0.1"), 0.1),
        (Kind.FLOAT, "0.1", 0.1),
        (Kind.BOOLEAN, True, True),
        (Kind.BOOLEAN, False, False),
        (Kind.DATE, NOON, 1782907200),
        (Kind.DATE, date(2026, 7, 1), 1782864000),
        (Kind.DATE, date(1970, 1, 1), 0),
        (Kind.DATE, 1782907200, 1782907200),
        (Kind.DATE, -1, -1),
    ],
)
def test_a_value_has_one_form_of_one_type(kind: Kind, raw: object, value: Value) -> None:
    found = canonical(kind, raw)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("zero", [-0.0, Decimal("-0"), "-0", "-0.0"])
def test_zero_and_minus_zero_are_one_value(zero: object) -> None:
    assert digest(canonical(Kind.FLOAT, zero)) == digest(canonical(Kind.FLOAT, 0))


class TestTimes:
    def test_a_fraction_of_a_second_is_cut_off_never_rounded_up(self) -> None:
        """A rounded-up time never was, and would differ from what the other side floors."""
        assert canonical(Kind.DATE, NOON.replace(microsecond=999_999)) == 1782907200

    def test_before_1970_too_the_second_that_had_begun_counts(self) -> None:
        assert canonical(Kind.DATE, datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC)) == -1

    def test_a_far_future_loses_no_second_to_the_precision_of_floats(self) -> None:
        late = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

        assert canonical(Kind.DATE, late) == 253402300799

    def test_one_moment_told_in_two_zones_is_one_value(self) -> None:
        elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))

        assert canonical(Kind.DATE, elsewhere) == canonical(Kind.DATE, NOON)

    @quick
    @given(MOMENTS)
    def test_every_moment_is_its_own_second(self, moment: datetime) -> None:
        seconds = canonical(Kind.DATE, moment)

        assert isinstance(seconds, int)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        assert timedelta(0) <= since - timedelta(seconds=seconds) < timedelta(seconds=1)

    def test_a_time_without_its_zone_is_refused(self) -> None:
        reason = unfit(Kind.DATE, datetime(2026, 7, 1, 12))  # noqa: DTZ001 - naive is the point

        assert reason == "is a time without time zone; cast it, as in: at time zone 'UTC'"


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        (Kind.STRING, {"a": 1}, "is an object, and Intercom holds single values only"),
        (Kind.STRING, [1], "is an array, and Intercom holds single values only"),
        (Kind.STRING, (1,), "is an array, and Intercom holds single values only"),
        (Kind.STRING, {1}, "is an array, and Intercom holds single values only"),
        (Kind.STRING, frozenset((1,)), "is an array, and Intercom holds single values only"),
        (Kind.STRING, b"a", "is binary data, and Intercom holds single values only"),
        (Kind.STRING, memoryview(b"a"), "is binary data, and Intercom holds single values only"),
        (Kind.STRING, "a\x00b", "holds a NUL character"),
        (Kind.INTEGER, "twelve", "is text that is not a number"),
        (Kind.INTEGER, 20.5, "is not a whole number"),
        (Kind.INTEGER, True, "is true or false, not a number"),
        (Kind.INTEGER, ID, "is a uuid, not a number"),
        (Kind.INTEGER, [1], "is an array, not a number"),
        (Kind.INTEGER, NOON, "is a value of type datetime, not a number"),
        (Kind.INTEGER, 2**53 + 1, "is above 2^53, which JSON does not carry exactly"),
        (Kind.INTEGER, -(2**53) - 1, "is above 2^53, which JSON does not carry exactly"),
        (Kind.FLOAT, "1e999", "is above 2^53, which JSON does not carry exactly"),
        (Kind.FLOAT, False, "is true or false, not a number"),
        *(
            (Kind.FLOAT, raw, "is not a finite number (NaN or infinity), which JSON cannot carry")
            for raw in (float("nan"), float("-inf"), Decimal("NaN"), Decimal("sNaN"), "infinity")
        ),
        (Kind.BOOLEAN, 1, "is a value of type int, not true or false"),
        (Kind.BOOLEAN, "true", "is a value of type str, not true or false"),
        (Kind.DATE, "2026-07-01", "is a value of type str, not a time"),
        (Kind.DATE, True, "is a value of type bool, not a time"),
        (Kind.DATE, 1.5, "is a value of type float, not a time"),
    ],
)
def test_what_cannot_be_carried_unchanged_is_refused_with_its_reason(
    kind: Kind, raw: Any, reason: str
) -> None:
    assert unfit(kind, raw) == reason


def test_a_refusal_does_not_repeat_the_value() -> None:
    """It goes to logs and to Dagster's event log, where no personal data belongs."""
    assert "secret" not in unfit(Kind.INTEGER, "secret") + unfit(Kind.STRING, ["secret"])


@pytest.mark.parametrize(
    ("raw", "value"),
    [(" Ada@Example.COM ", "ada@example.com"), ("  ", None), ("", None), ("STRASSE", "strasse")],
)
def test_email_addresses_have_no_case(raw: str, value: str | None) -> None:
    assert canonical_email(raw) == value


@pytest.mark.parametrize(
    ("written", "as_dialled"),
    [
        ("+44 (20) 7946-0000", "+442079460000"),
        ("+44.20/7946\u20110000", "+442079460000"),
        ("020 7946 0000", "02079460000"),
        ("+442079460000", "+442079460000"),
        ("7946 ext. 5", "7946 ext. 5"),
        ("44+20", "44+20"),
        ("(-)", "(-)"),
        ("+", "+"),
        ("", ""),
    ],
)
def test_a_phone_number_is_as_it_is_dialled(written: str, as_dialled: str) -> None:
    assert dialled(written) == as_dialled
    assert dialled(as_dialled) == as_dialled


class TestDigest:
    def test_a_digest_is_for_good(self) -> None:
        """Another one would make every row of every installation look changed after an upgrade."""
        values: dict[str, object] = {"name": "Ada", "n": 3, "f": 0.1, "t": None, "b": True}

        assert digest("v", values | {"\u00e9": "\u00c9"}, ("1", "22"), False) == (
            "c6a7a52d85e8d2aa4809f80a038e93fb"
        )

    def test_a_key_that_is_no_text_has_a_digest_for_good_too(self) -> None:
        assert digest({1: "a", 2: ("b",)}) == "79cd847b3efa28f65ecee4af59182e07"

    def test_what_is_of_another_type_has_a_digest_of_its_own(self) -> None:
        others = [Decimal(1), Decimal(2), date(2026, 7, 1), Kind.STRING]

        assert len({digest(other) for other in [*others, "1", 1, Kind.STRING.value]}) == 7

    def test_values_of_different_types_have_different_digests(self) -> None:
        values = [1, 1.0, True, "1", None, "None", "", 0, False]

        assert len({digest(value) for value in values}) == len(values)

    def test_where_a_part_ends_is_part_of_the_digest(self) -> None:
        parts: list[tuple[object, ...]] = [
            ("a", "b"),
            ("ab",),
            (["a", "b"],),
            (["a"], ["b"]),
            (["a"], "b"),
            ([["a"], "b"],),
        ]
        parts += [({"a": "b"},), ([{"a": "b"}],), ({"a": ["b"]},), (["ab"],), ({"a", "b"},)]

        assert len({digest(*each) for each in parts}) == len(parts)

    def test_a_key_is_not_a_value(self) -> None:
        assert digest({"a": "b"}) != digest({"b": "a"})
        assert digest({"a": "b", "c": "d"}) != digest({"a": "d", "c": "b"})

    def test_keys_that_only_look_the_same_are_two_keys(self) -> None:
        assert digest({1: "a", "1": "b"}) != digest({1: "b", "1": "a"})

    def test_a_list_and_a_tuple_of_the_same_are_one(self) -> None:
        assert digest(["a", 1]) == digest(("a", 1))

    def test_text_of_any_script_and_half_a_character_have_a_digest(self) -> None:
        assert len({digest("é"), digest("\ud83d"), digest("\\ud83d")}) == 3

    def test_the_order_in_a_list_counts(self) -> None:
        assert digest(["a", "b"]) != digest(["b", "a"])

    @quick
    @given(st.dictionaries(st.text(max_size=3), VALUES), st.randoms())
    def test_the_order_of_keys_is_of_no_account(self, values: dict[str, Value], dice: Any) -> None:
        keys = list(values)
        dice.shuffle(keys)

        assert digest({key: values[key] for key in keys}) == digest(values)

    @quick
    @given(st.lists(st.text(max_size=3), unique=True), st.randoms())
    def test_the_order_of_a_set_is_of_no_account(self, items: list[str], dice: Any) -> None:
        shuffled = dice.sample(items, len(items))

        assert digest(frozenset(shuffled)) == digest(set(items))

    @quick
    @given(st.dictionaries(st.text("ab", max_size=2), VALUES, max_size=3), st.data())
    def test_a_changed_value_changes_the_digest(
        self, values: dict[str, Value], data: st.DataObject
    ) -> None:
        other = data.draw(st.dictionaries(st.text("ab", max_size=2), VALUES, max_size=3))
        same = [(k, type(v), v) for k, v in sorted(values.items())] == [
            (k, type(v), v) for k, v in sorted(other.items())
        ]

        assert (digest(values) == digest(other)) == same

    def test_the_digest_is_the_same_on_every_machine_and_day(self) -> None:
        """It is stored: another form means that every row of every user looks changed once."""
        assert digest("v1", {"plan": "team", "seats": 3}, {"7", "12"}) == PINNED


@pytest.mark.parametrize(
    ("number", "sentence"), [(0, "0 users"), (1, "1 user"), (2, "2 users"), (2_000, "2,000 users")]
)
def test_a_number_of_things_is_told_as_people_say_it(number: int, sentence: str) -> None:
    assert count_of(number, "user") == sentence


PINNED = "b607871eaeab12ab6ac6b0486ce609b1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Ada [bold] 🦀 é", "Ada [bold] 🦀 é"),
        ("1\nuser 2: done", "1\\nuser 2: done"),
        ("a\x1b[31mb\x07", "a\\x1b[31mb\\x07"),
        ("turned \u202e round\u2028", "turned \\u202e round\\u2028"),
    ],
)
def test_what_is_shown_stays_on_its_line_and_moves_nothing(text: str, sentence: str) -> None:
    assert shown(text) == sentence
