"""The story that the demo plays: eight steps, each with what one side does and the other must show.

Belongs here: steps as data, and the pure functions from what a side shows to the facts that are
compared with literals. A step is held only if its facts were others before it, so that nothing is
proved by a world that looked like this anyway.
Must not: waiting, timing, printing (`play.py`); any import of the sync.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from intercom_assets.demo.probes import Document, Sides, company_keys, without
from intercom_assets.demo.sample_people import (
    EVERYTHING,
    FIRST_DAY,
    MONTHLY_PAYER,
    NAMELESS,
    SEVERAL_TEAMS,
    TEAM_OF_AN_OUTSIDER,
    TEAM_OF_MANY,
    TEAM_OF_NOBODY,
)

Facts: TypeAlias = Mapping[str, object]
Shown: TypeAlias = Mapping[str, Any]
"""What was read of a side for one step, as it came."""

NEWCOMER = "lena@newcomer.example"
INDEX_DELAY_S = 30
"""By how much Intercom's search lags behind in the demo; the real one does by 12 to 120 s."""


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """`act` does it on one side, `read` reads the other, `facts` is pure and compared with
    `expected`. `about`: Intercom's ids of the contacts and companies whose calls are this step's.
    `remark`: of a step that held, what else is to be said; the float is when it was done (Unix s).
    """

    letter: str
    title: str
    expected: Facts
    act: Callable[[Sides], None]
    read: Callable[[Sides], Shown]
    facts: Callable[[Shown], Facts]
    about: Callable[[Shown], Sequence[str]]
    remark: Callable[[Sides, Shown, float], str] = lambda sides, shown, since: ""

    def held(self, shown: Shown) -> bool:
        return self.facts(shown) == self.expected


# --- b: a user changes in the app -----------------------------------------------------------------


def change_a_user(sides: Sides) -> None:
    sides.app.do(
        "update users set email = 'ada@new.example', billing_period = 'month',"
        " updated_at = now() where id = %s",
        EVERYTHING,
    )


def read_changed_user(sides: Sides) -> Shown:
    return {"contact": _contact_of(sides, EVERYTHING)}


def facts_of_changed_user(shown: Shown) -> Facts:
    contact = shown["contact"] or {"email": None, "custom_attributes": {}}
    saving = contact["custom_attributes"].get("annual_saving")
    return {"email": contact["email"], "annual_saving": saving}


# --- c: a name typed in Intercom ------------------------------------------------------------------


def type_a_name(sides: Sides) -> None:
    sides.intercom.operate("edit_contact", contact=str(NAMELESS), name="Nadia Osei")


def read_named_user(sides: Sides) -> Shown:
    rows = sides.app.rows("select id, name from users where id = %s", NAMELESS)
    return {"rows": rows, "contact": _contact_of(sides, NAMELESS)}


def facts_of_named_user(shown: Shown) -> Facts:
    """From the app's row only: Intercom showed the name as soon as it was typed."""
    return {"name in the app": shown["rows"][0]["name"] if shown["rows"] else None}


def remark_of_named_user(sides: Sides, shown: Shown, since: float) -> str:
    """How soon the webhook was taken; by the search alone it would have been the lag at least."""
    taken = [
        sent["at"]
        for sent in sides.intercom.webhooks().get("last", [])
        if sent["about"] in _id_of_contact(shown) and sent["status"] == 200 and sent["at"] >= since
    ]
    lag = f"Intercom's search, which lags, shows it after {INDEX_DELAY_S} s"
    return f"was told by webhook {min(taken) - since:.1f} s after the edit; {lag}" if taken else lag


# --- d: a user joins one team and leaves another --------------------------------------------------


def change_teams(sides: Sides) -> None:
    sides.app.do(
        "with gone as (delete from memberships where user_id = %s and team_id = %s)"
        " insert into memberships (user_id, team_id) values (%s, %s)",
        *(SEVERAL_TEAMS, TEAM_OF_MANY, SEVERAL_TEAMS, TEAM_OF_NOBODY),
    )


def read_companies_of_user(sides: Sides) -> Shown:
    return {"contact": _contact_of(sides, SEVERAL_TEAMS), "companies": sides.intercom.companies()}


def facts_of_companies(shown: Shown) -> Facts:
    return {"companies": " ".join(company_keys(shown["contact"], shown["companies"]))}


def about_changed_teams(shown: Shown) -> Sequence[str]:
    """Also the two companies, whose size is another now."""
    teams = (str(TEAM_OF_MANY), str(TEAM_OF_NOBODY))
    changed = [item["id"] for item in shown["companies"] if item["company_id"] in teams]
    return [*_id_of_contact(shown), *changed]


# --- e: a lead with a new user's e-mail -----------------------------------------------------------


def sign_up_a_lead(sides: Sides) -> None:
    """She wrote in some time before she signed up, so the search knows her."""
    sides.intercom.control("contacts", role="lead", email=NEWCOMER, name="Lena")
    sides.app.do("insert into users (email, name) values (%s, 'Lena Quinn')", NEWCOMER)


def read_newcomer(sides: Sides) -> Shown:
    [user] = sides.app.rows("select max(id)::text as id from users where email = %s", NEWCOMER)
    everybody = sides.intercom.contacts("any")
    with_email = [item for item in everybody if item["email"] == NEWCOMER]
    merged = [entry for entry in everybody if entry["merged_into"] in _ids(with_email)]
    return {"user": user["id"], "contacts": with_email, "merged": merged}


def facts_of_newcomer(shown: Shown) -> Facts:
    """The lead is found by where it went, since a merged contact gives up its e-mail."""
    live = [item for item in shown["contacts"] if item["state"] == "live"]
    users = [
        element for element in live if element["external_id"] == shown["user"] and shown["user"]
    ]
    into = {entry["merged_into"] for entry in shown["merged"] if entry["role"] == "lead"}
    return {
        "contacts with the e-mail": len(live),
        "role": users[0]["role"] if users else None,
        "lead merged into it": bool(users) and into == {users[0]["id"]},
    }


def about_newcomer(shown: Shown) -> Sequence[str]:
    return [*_ids(shown["contacts"]), *_ids(shown["merged"])]


# --- f: a team changes its plan -------------------------------------------------------------------


def change_a_team(sides: Sides) -> None:
    sides.app.do(
        "update teams set plan = 'business', monthly_spend = 158, updated_at = now() where id = %s",
        TEAM_OF_AN_OUTSIDER,
    )


def read_changed_team(sides: Sides) -> Shown:
    key = str(TEAM_OF_AN_OUTSIDER)
    return {"companies": [c for c in sides.intercom.companies() if c["company_id"] == key]}


def facts_of_changed_team(shown: Shown) -> Facts:
    company = shown["companies"][0] if shown["companies"] else {}
    plan = company.get("plan") or {}
    return {"plan": plan.get("name"), "monthly_spend": company.get("monthly_spend")}


# --- g: a user is deleted -------------------------------------------------------------------------


def delete_a_user(sides: Sides) -> None:
    sides.app.do("delete from users where id = %s", FIRST_DAY)


def read_deleted_user(sides: Sides) -> Shown:
    return {"contact": _contact_of(sides, FIRST_DAY)}


def facts_of_deleted_user(shown: Shown) -> Facts:
    contact = shown["contact"] or {"custom_attributes": {}}
    return {"deleted": contact["custom_attributes"].get("deleted")}


# --- a: the first sync of everybody ---------------------------------------------------------------

PAYER = f"user {MONTHLY_PAYER}"
EVERYBODY: Facts = {
    "users paired": 199,
    "teams paired": 60,
    "memberships": 232,
    PAYER: "Annual saving $316",
}
"""Of 200 users one was deleted before anything of the sync was there, and is in one team."""


def read_everybody(sides: Sides) -> Shown:
    return {
        "contacts": sides.intercom.contacts(),
        "companies": sides.intercom.companies(),
        "users": sides.app.rows(
            "select id::text as id, metadata ->> 'intercom_user_id' as intercom_id from users"
        ),
        "teams": sides.app.rows(
            "select id::text as id, metadata ->> 'intercom_company_id' as intercom_id from teams"
        ),
    }


def facts_of_everybody(shown: Shown) -> Facts:
    """A pair counts where the app holds the id of the very contact or company that names it."""
    people = {(entry["external_id"], entry["id"]) for entry in shown["contacts"]}
    teams = {(element["company_id"], element["id"]) for element in shown["companies"]}
    payers = [member for member in shown["contacts"] if member["external_id"] == str(MONTHLY_PAYER)]
    return {
        "users paired": len(people & {(row["id"], row["intercom_id"]) for row in shown["users"]}),
        "teams paired": len(teams & {(row["id"], row["intercom_id"]) for row in shown["teams"]}),
        "memberships": sum(len(item["company_ids"]) for item in shown["contacts"]),
        PAYER: payers[0]["custom_attributes"].get("annual_saving") if payers else None,
    }


# --- h: nothing more happens ----------------------------------------------------------------------

SEARCH = "POST /contacts/search"
SENSORS = ("changed_users", "changed_teams", "intercom_changes")
TICKS = 2
QUIET: Facts = {
    "changes in the app": 0,
    "changes in Intercom": 0,
    "calls but the search": 0,
    "ticks of each sensor": f"{TICKS} or more",
}


def read_quiet(sides: Sides, since: float) -> Shown:
    """`since`: Unix seconds; ticks that began before are not counted."""
    return {
        "app": sides.app.fingerprint(),
        "intercom": [sides.intercom.contacts("any"), sides.intercom.companies()],
        "calls": sides.intercom.calls_by_endpoint(),
        "ticks": sides.dagster.ticks_since(since),
    }


def facts_of_quiet(before: Shown, after: Shown) -> Facts:
    """What happened between two readings."""
    calls = without(after["calls"], before["calls"])
    ticks = fewest_ticks(after["ticks"])
    return {
        "changes in the app": int(before["app"] != after["app"]),
        "changes in Intercom": _differing(before["intercom"], after["intercom"]),
        "calls but the search": sum(n for name, n in calls.items() if name != SEARCH),
        "ticks of each sensor": f"{TICKS} or more" if ticks >= TICKS else str(ticks),
    }


def fewest_ticks(ticks: Mapping[str, int]) -> int:
    return min(ticks.get(sensor, 0) for sensor in SENSORS)


def _differing(before: Sequence[list[Document]], after: Sequence[list[Document]]) -> int:
    first = {item["id"]: item for documents in before for item in documents}
    second = {document["id"]: document for documents in after for document in documents}
    return sum(first.get(key) != second.get(key) for key in first.keys() | second.keys())


# --- reading --------------------------------------------------------------------------------------


def _contact_of(sides: Sides, user: int) -> Document | None:
    return sides.intercom.contact(external_id=str(user))


def _ids(documents: Sequence[Document]) -> list[str]:
    return [document["id"] for document in documents]


def _id_of_contact(shown: Shown) -> list[str]:
    return _ids([shown["contact"]] if shown["contact"] else [])


CHANGES: tuple[ScenarioStep, ...] = (
    ScenarioStep(
        "b", "a user changes in the app",
        {"email": "ada@new.example", "annual_saving": "Annual saving $316"},
        change_a_user, read_changed_user, facts_of_changed_user, _id_of_contact,
    ),
    ScenarioStep(
        "c", "a name typed in Intercom reaches the app", {"name in the app": "Nadia Osei"},
        type_a_name, read_named_user, facts_of_named_user, _id_of_contact, remark_of_named_user,
    ),
    ScenarioStep(
        "d", "a user joins one team and leaves another", {"companies": "2 3 4"},
        change_teams, read_companies_of_user, facts_of_companies, about_changed_teams,
    ),
    ScenarioStep(
        "e", "a lead with a new user's e-mail is merged",
        {"contacts with the e-mail": 1, "role": "user", "lead merged into it": True},
        sign_up_a_lead, read_newcomer, facts_of_newcomer, about_newcomer,
    ),
    ScenarioStep(
        "f", "a team changes its plan", {"plan": "business", "monthly_spend": 158},
        change_a_team, read_changed_team, facts_of_changed_team,
        lambda shown: _ids(shown["companies"]),
    ),
    ScenarioStep(
        "g", "a user is deleted and marked", {"deleted": True},
        delete_a_user, read_deleted_user, facts_of_deleted_user, _id_of_contact,
    ),
)  # fmt: skip
"""Started together: they are about different users and teams."""
