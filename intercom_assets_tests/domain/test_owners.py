"""Which teammate the app means: by address or by id, and nobody else."""

import pytest

from intercom_assets.domain.models import Admin, LeftOut, Reason
from intercom_assets.domain.owners import Admins, admins_of, stands_for, with_owner

PAT, KIM, SILENT = Admin("11", "Pat@Example.com"), Admin("12", "kim@example.com"), Admin("13")
KNOWN = admins_of(iter([PAT, KIM, SILENT]))
VALUES = {"email": "ada@example.com", "owner_email": "pat@example.com"}


def test_teammates_are_known_by_id_and_by_what_stands_for_their_addresses() -> None:
    assert KNOWN.ids == {"11", "12", "13"}
    assert KNOWN.unread is None
    assert KNOWN.by_email == {
        stands_for("pat@example.com"): "11",
        stands_for("kim@example.com"): "12",
    }


@pytest.mark.parametrize("spelled", ["pat@example.com", " PAT@example.COM ", "Pat@Example.com"])
def test_an_address_is_known_in_every_spelling_and_cannot_be_read_back(spelled: str) -> None:
    assert KNOWN.owner("owner_email", spelled) == "11"
    assert "pat" not in stands_for(spelled)
    assert len(stands_for(spelled)) == 32


@pytest.mark.parametrize(
    ("column", "named", "owner"),
    [
        ("owner_email", "kim@example.com", "12"),
        ("owner_email", "nobody@example.com", None),
        ("owner_email", "11", None),
        ("owner_id", "13", "13"),
        ("owner_id", "14", None),
        ("owner_id", "pat@example.com", None),
    ],
)
def test_an_owner_is_a_teammate_or_nobody(column: str, named: str, owner: str | None) -> None:
    assert KNOWN.owner(column, named) == owner


def test_without_addresses_nobody_is_found_by_one() -> None:
    assert Admins(frozenset({"11"})).owner("owner_email", "pat@example.com") is None


def test_the_rows_owner_becomes_intercoms_id() -> None:
    assert with_owner("owner_email", VALUES, KNOWN) == ({**VALUES, "owner_email": "11"}, {})
    assert with_owner("owner_id", {"owner_id": "12"}, KNOWN) == ({"owner_id": "12"}, {})


@pytest.mark.parametrize("values", [{}, {"owner_email": None}])
def test_a_row_that_names_nobody_is_left_as_it_is(values: dict[str, None]) -> None:
    assert with_owner("owner_email", values, None) == (values, {})


@pytest.mark.parametrize(
    ("column", "admins", "why"),
    [
        ("owner_email", KNOWN, "owner_email is the address of no teammate of the workspace"),
        ("owner_id", KNOWN, "owner_id is the id of no teammate of the workspace"),
        ("owner_email", None, "the workspace's teammates were not read yet"),
        ("owner_id", Admins(frozenset({"99"}), unread="no answer"), "no answer"),
    ],
)
def test_one_whom_nobody_knows_is_taken_out_with_the_reason(
    column: str, admins: Admins | None, why: str
) -> None:
    values = {"email": "ada@example.com", column: "99"}

    kept, left_out = with_owner(column, values, admins)

    assert kept == {"email": "ada@example.com"}
    assert left_out == {column: LeftOut(Reason.UNWRITABLE, why)}
