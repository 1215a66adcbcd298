"""Links as JSON documents: what comes back is what went in, also across versions."""

import json
from dataclasses import replace

import pytest

from intercom_assets.database.store.encoding import (
    document,
    record,
    team_document,
    team_link,
    user_document,
    user_link,
)
from intercom_assets.domain.models import (
    Company,
    Contact,
    EdgeState,
    Membership,
    TeamLink,
    UserLink,
)

CONTACT = Contact(
    id="c1",
    role="user",
    external_id="7",
    name="Ada",
    last_seen_at=1_700_000_000,
    custom_attributes={"plan": "pro", "seats": 3, "share": 1.0, "trial": False},
    company_ids=("x", "y"),
)
LINK = UserLink(
    user_id="7",
    contact_id="c1",
    row_hash="h",
    shadow=CONTACT,
    shadow_read_at=1_700_000_001,
    base={"name": "Ada", "seats": 3, "share": 1.0},
    accepted={"phone_number": ("+1 555", "+1555")},
    refused={"name": "x"},
    overwritten={"plan": (1, 2)},
    archived=True,
    lead_email="a@b.example",
    synced_at=5,
)


def there_and_back(link: UserLink) -> UserLink:
    stored = json.loads(document(user_document(link, in_flight=link.in_flight)))
    row = {**stored, "user_id": stored["id"], "contact_id": stored["other_id"], "edges": None}
    return user_link(row)


def test_a_link_comes_back_as_it_went_in() -> None:
    back = there_and_back(LINK)

    assert replace(back, overwritten={"plan": (1, 2)}) == LINK
    assert list(back.overwritten["plan"]) == [1, 2]
    assert isinstance(back.base["share"], float)
    assert isinstance(back.base["seats"], int)


def test_a_link_of_which_little_is_known_stores_little() -> None:
    assert user_document(UserLink("7"), in_flight={})["memory"] == {}
    assert there_and_back(UserLink("7")) == UserLink("7")


def test_edges_come_back_by_team() -> None:
    row = {**user_document(UserLink("7"), in_flight={}), "user_id": "7", "contact_id": None}

    back = user_link({**row, "edges": {"t1": ["x", "attaching"]}})

    assert back.edges == {"t1": Membership("t1", "x", EdgeState.ATTACHING)}


def test_a_teams_link_comes_back_as_it_went_in() -> None:
    link = TeamLink("3", "x", "h", Company("x", size=3), 9, {"name": "A"}, {"size": (3.0, 3)}, 4)
    stored = json.loads(document(team_document(link)))

    assert team_link({**stored, "team_id": "3", "company_id": "x"}) == link


def test_what_another_version_stored_is_read_without_what_is_unknown_here() -> None:
    stored = {"id": "c1", "role": "user", "from_the_future": 1}

    assert record(Contact, stored) == Contact("c1", "user")


@pytest.mark.parametrize("odd", ["nul\x00here", "half \ud83d pair"])
def test_text_that_postgresql_cannot_hold_is_cleaned(odd: str) -> None:
    text = document([{"name": odd, "kept": "\\u0000 é", "deep": (odd,)}])

    text.encode("utf-8")
    [stored] = json.loads(text)
    assert stored["kept"] == "\\u0000 é"
    assert "\x00" not in stored["name"]
    assert stored["name"].replace(" ", "") in ("nulhere", "halfpair")


def test_a_number_that_json_cannot_carry_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="JSON"):
        document({"x": float("nan")})
