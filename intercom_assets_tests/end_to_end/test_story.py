"""The demo's checks see red where a feature did nothing, and green only where it did its work.

Pure: each check gets what a side shows as literals, in the form in which the side shows it.
"""

from typing import Any

import pytest

from intercom_assets.demo.probes import Document
from intercom_assets.demo.runner import concerns
from intercom_assets.demo.scenario import (
    CHANGES,
    EVERYBODY,
    QUIET,
    SENSORS,
    ScenarioStep,
    Shown,
    facts_of_everybody,
    facts_of_quiet,
)

STEPS = {step.letter: step for step in CHANGES}


def a_person(**fields: Any) -> dict[str, Any]:
    usual: Document = {
        "id": "c1", "external_id": "1", "role": "user", "state": "live", "merged_into": None,
        "email": "ada@lantern.example", "custom_attributes": {}, "company_ids": [],
    }  # fmt: skip
    return usual | fields


COMPANIES = [{"id": f"co{key}", "company_id": str(key)} for key in range(1, 6)]
LEAD = a_person(id="l1", role="lead", external_id="f3b1-lead", email="lena@newcomer.example")
NEWCOMER = a_person(id="c201", external_id="201", email="lena@newcomer.example")

NOTHING_HAPPENED: dict[str, Document] = {
    "b": {"contact": a_person(custom_attributes={"annual_saving": None})},
    "c": {"rows": [{"id": 2, "name": None}], "contact": a_person(name="Nadia Osei")},
    "d": {"contact": a_person(company_ids=["co1", "co2", "co3"]), "companies": COMPANIES},
    "e": {"user": "201", "contacts": [LEAD], "merged": []},
    "f": {
        "companies": [
            {"id": "co3", "company_id": "3", "plan": {"name": "starter"}, "monthly_spend": 29}
        ]
    },
    "g": {"contact": a_person(custom_attributes={"deleted": False})},
}
HALF_DONE: dict[str, list[Document]] = {
    "b": [
        {"contact": a_person(email="ada@new.example")},
        {"contact": a_person(custom_attributes={"annual_saving": "Annual saving $316"})},
    ],
    "c": [{"rows": [{"id": 2, "name": "Nadia"}], "contact": None}],
    "d": [
        {"contact": a_person(company_ids=["co1", "co2", "co3", "co4"]), "companies": COMPANIES},
        {"contact": a_person(company_ids=["co2", "co3"]), "companies": COMPANIES},
    ],
    "e": [
        {"user": "201", "contacts": [LEAD, NEWCOMER], "merged": []},
        {"user": "201", "contacts": [NEWCOMER], "merged": []},
        {"user": "201", "contacts": [NEWCOMER], "merged": [LEAD | {"merged_into": "c9"}]},
    ],
    "f": [
        {
            "companies": [
                {"id": "co3", "company_id": "3", "plan": {"name": "business"}, "monthly_spend": 29}
            ]
        }
    ],
    "g": [{"contact": a_person(custom_attributes={"deleted": None})}],
}
NOBODY_THERE: dict[str, Document] = {
    "b": {"contact": None},
    "c": {"rows": [], "contact": None},
    "d": {"contact": None, "companies": []},
    "e": {"user": None, "contacts": [], "merged": []},
    "f": {"companies": []},
    "g": {"contact": None},
}
DONE: dict[str, Document] = {
    "b": {
        "contact": a_person(
            email="ada@new.example", custom_attributes={"annual_saving": "Annual saving $316"}
        )
    },
    "c": {"rows": [{"id": 2, "name": "Nadia Osei"}], "contact": None},
    "d": {"contact": a_person(company_ids=["co4", "co3", "co2"]), "companies": COMPANIES},
    "e": {
        "user": "201",
        "contacts": [NEWCOMER],
        "merged": [LEAD | {"state": "merged", "email": None, "merged_into": "c201"}],
    },
    "f": {
        "companies": [
            {"id": "co3", "company_id": "3", "plan": {"name": "business"}, "monthly_spend": 158}
        ]
    },
    "g": {"contact": a_person(custom_attributes={"deleted": True})},
}


@pytest.mark.parametrize("step", CHANGES, ids=STEPS)
def test_a_step_whose_feature_did_nothing_is_not_held(step: ScenarioStep) -> None:
    assert not step.held(NOTHING_HAPPENED[step.letter])


@pytest.mark.parametrize("step", CHANGES, ids=STEPS)
def test_a_step_is_not_held_where_nobody_is_there_at_all(step: ScenarioStep) -> None:
    assert not step.held(NOBODY_THERE[step.letter])


@pytest.mark.parametrize("step", CHANGES, ids=STEPS)
def test_a_step_of_which_only_a_part_was_done_is_not_held(step: ScenarioStep) -> None:
    assert [step.held(shown) for shown in HALF_DONE[step.letter]] == [False] * len(
        HALF_DONE[step.letter]
    )


@pytest.mark.parametrize("step", CHANGES, ids=STEPS)
def test_a_step_that_was_done_is_held(step: ScenarioStep) -> None:
    assert step.held(DONE[step.letter])


def test_no_two_steps_are_about_the_same_contact_or_company() -> None:
    """They are played at once, and their calls are counted apart."""
    shown: dict[str, Document] = {
        "b": {"contact": a_person(id="c1")},
        "c": {"contact": a_person(id="c2")},
        "d": {"contact": a_person(id="c7"), "companies": COMPANIES},
        "e": DONE["e"],
        "f": DONE["f"],
        "g": {"contact": a_person(id="c15")},
    }
    about = [each for letter, what in shown.items() for each in STEPS[letter].about(what)]

    assert len(about) == len(set(about)) == 9


@pytest.mark.parametrize(
    ("path", "about", "counted"),
    [
        ("/contacts/c7", "c7", True),
        ("/contacts/c7/companies?page=1", "", True),
        ("/contacts", "c7", True),
        ("/companies", "co3", False),
        ("/contacts/search", "", False),
        ("/contacts/c70", "c70", False),
    ],
)
def test_a_call_is_a_steps_by_its_path_or_its_answer(path: str, about: str, counted: bool) -> None:
    assert concerns({"path": path, "about": about}, ["c7"]) is counted


# --- a: everybody ---------------------------------------------------------------------------------


def everybody(users: int = 199, paired: bool = True, memberships: int = 232) -> Document:
    people = [
        a_person(id=f"c{n}", external_id=str(n), custom_attributes={}) for n in range(1, users + 1)
    ]
    for person in people:
        if person["external_id"] == "14":
            person["custom_attributes"] = {"annual_saving": "Annual saving $316"}
    for number in range(memberships):
        people[number % len(people)]["company_ids"].append(f"co{number}")
    return {
        "contacts": people,
        "companies": [{"id": f"co{n}", "company_id": str(n)} for n in range(1, 61)],
        "users": [
            {"id": str(n), "intercom_id": f"c{n}" if paired else None} for n in range(1, 201)
        ],
        "teams": [{"id": str(n), "intercom_id": f"co{n}"} for n in range(1, 61)],
    }


def test_everybody_is_paired_where_the_app_holds_each_contacts_id() -> None:
    assert facts_of_everybody(everybody()) == EVERYBODY


@pytest.mark.parametrize(
    "shown",
    [
        everybody(users=198),
        everybody(paired=False),
        everybody(memberships=231),
        everybody() | {"companies": []},
        everybody() | {"teams": [{"id": str(n), "intercom_id": None} for n in range(1, 61)]},
        {"contacts": [], "companies": [], "users": [], "teams": []},
    ],
    ids=[
        "one is missing",
        "ids not stored",
        "an edge is missing",
        "no companies",
        "company ids not stored",
        "nobody",
    ],
)
def test_a_first_sync_that_left_something_out_is_not_held(shown: Shown) -> None:
    assert facts_of_everybody(shown) != EVERYBODY


# --- h: quiet -------------------------------------------------------------------------------------

BEFORE: Document = {
    "app": "d41d8",
    "intercom": [[a_person()], COMPANIES],
    "calls": {"POST /contacts/search": 7, "PUT /contacts/{id}": 4},
    "ticks": {},
}
STILL: Document = BEFORE | {
    "calls": {"POST /contacts/search": 9, "PUT /contacts/{id}": 4},
    "ticks": dict.fromkeys(SENSORS, 2),
}


def test_two_ticks_of_every_sensor_without_a_change_are_quiet() -> None:
    assert facts_of_quiet(BEFORE, STILL) == QUIET


@pytest.mark.parametrize(
    "after",
    [
        STILL | {"app": "other"},
        STILL | {"intercom": [[a_person(name="else")], COMPANIES]},
        STILL | {"intercom": [[a_person(), LEAD], COMPANIES]},
        STILL | {"intercom": [[], COMPANIES]},
        STILL | {"calls": {"POST /contacts/search": 7, "PUT /contacts/{id}": 5}},
        STILL | {"calls": {"POST /contacts/search": 7, "GET /me": 1, "PUT /contacts/{id}": 4}},
        STILL | {"ticks": {"changed_users": 2, "changed_teams": 2}},
        STILL | {"ticks": dict.fromkeys(SENSORS, 1)},
        BEFORE,
    ],
    ids=[
        "app changed", "contact changed", "contact made", "contact gone", "a write", "a read",
        "a sensor is dead", "one tick", "no time has passed",
    ],
)  # fmt: skip
def test_anything_that_happens_is_not_quiet(after: Shown) -> None:
    assert facts_of_quiet(BEFORE, after) != QUIET
