"""What both sides should hold, from what happened: lost, doubled, raced, overwritten.

Belongs here: the policies of the sample mapping, said once more and independently: app-owned fields
are the app's; name and phone are the app's if it has one, else the last that somebody put into
Intercom since. Imports nothing of the package. Must not: reading (`histories.py`), printing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from intercom_assets_tests.tools.chaos.fill_policy import Fill, Finding, fill_of
from intercom_assets_tests.tools.chaos.histories import Document, Histories, Present

FILLS = {"name": "name", "phone_number": "phone"}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Sentences, one for each case; the numbers that count are their lengths."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    raced: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.overwritten)


def judge(present: Present, histories: Histories) -> Verdicts:
    """Everything; whoever is not settled yet is lost as far as this can tell."""
    verdicts = Verdicts(doubled=list(_doubled(present, histories)))
    holders = _holders(present)
    for user_id in sorted(_everybody(present, histories), key=int):
        contacts = holders.get(user_id, [])
        row = present.users.get(user_id)
        verdicts.lost.extend(_presence(user_id, row, contacts, histories))
        if row is not None and row["deleted_at"] is None and len(contacts) == 1:
            verdicts.lost.extend(_user(user_id, row, contacts[0], present))
            _fills(verdicts, row, contacts[0], histories)
    verdicts.lost.extend(_teams(present))
    verdicts.lost.extend(_leads(present))
    verdicts.lost.extend(_app_overwritten(histories))
    verdicts.lost.extend(_turned_back(histories, late=False))
    verdicts.raced.extend(_turned_back(histories, late=True))
    return verdicts


def apart(present: Present) -> int:
    """How many users and teams are not in step, and leads not merged; cheap, for waiting."""
    holders = _holders(present)
    users = 0
    for user_id, row in present.users.items():
        contacts = holders.get(user_id, [])
        if row["deleted_at"] is None:
            users += len(contacts) != 1 or any(_user(user_id, row, contacts[0], present))
            users += len(contacts) == 1 and any(
                text(row[column]) != text(contacts[0][name]) for column, name in FILLS.items()
            )
        else:
            users += any(not _marked(contact) for contact in contacts)
    return users + sum(1 for _ in _teams(present)) + sum(1 for _ in _leads(present))


# --- users ----------------------------------------------------------------------------------------


def _holders(present: Present) -> dict[str, list[Document]]:
    """Live contacts by the app's id."""
    found: dict[str, list[Document]] = {}
    for contact in present.contacts:
        if contact["state"] == "live" and contact["role"] == "user" and contact["external_id"]:
            found.setdefault(str(contact["external_id"]), []).append(contact)
    return found


def _everybody(present: Present, histories: Histories) -> set[str]:
    return {*present.users, *histories.by_user}


def _presence(
    user_id: str, row: Document | None, contacts: list[Document], histories: Histories
) -> Iterator[str]:
    gone = row is None or row["deleted_at"] is not None
    if gone:
        if any(not _marked(contact) for contact in contacts):
            yield f"user {user_id} is gone from the app and not marked in Intercom"
    elif not contacts and not _archived_last(user_id, histories):
        yield f"user {user_id} has no live contact"


def _marked(contact: Document) -> bool:
    return contact["custom_attributes"].get("deleted") is True


def _archived_last(user_id: str, histories: Histories) -> bool:
    """Somebody archived the contact after the app's last change: only an audit notices that."""
    changed = [c.at for c in histories.by_user.get(user_id, []) if not c.ours]
    ends = [v for v in histories.versions if v.shown["external_id"] == user_id]
    by_hand = bool(ends) and ends[-1].call == 0 and ends[-1].shown["state"] == "archived"
    return by_hand and ends[-1].at > max(changed, default=0.0)


def _user(user_id: str, row: Document, contact: Document, present: Present) -> Iterator[str]:
    custom = contact["custom_attributes"]
    for what, app, intercom in (
        ("email", text(row["email"], fold=True), text(contact["email"], fold=True)),
        ("plan", row["plan"], custom.get("subscription_plan")),
        ("sessions", row["sessions_this_month"], custom.get("monthly_usage")),
        ("deleted", False, bool(custom.get("deleted"))),
        ("Intercom's id", row["metadata"].get("intercom_user_id"), contact["id"]),
        ("teams", _teams_of(user_id, present), _companies_of(contact, present)),
    ):
        if app != intercom:
            yield f"user {user_id}: {what} is {app!r} in the app and {intercom!r} in Intercom"


def _teams_of(user_id: str, present: Present) -> list[str]:
    return sorted(team for user, team in present.memberships if user == user_id)


def _companies_of(contact: Document, present: Present) -> list[str]:
    known = {company["id"]: key for key, company in present.companies.items()}
    held = (known.get(each, each) for each in contact["company_ids"])
    return sorted(key for key in held if key in present.teams)


def _fills(verdicts: Verdicts, row: Document, contact: Document, histories: Histories) -> None:
    user_id = str(row["id"])
    for column, name in FILLS.items():
        fill = fill_of(user_id, column, name, str(contact["id"]), histories)
        for finding, printed in _judged(fill, text(row[column]), text(contact[name])):
            sentence = f"user {user_id}: {column} {printed}"
            getattr(verdicts, finding.value).append(sentence)


def _judged(fill: Fill, app: str | None, intercom: str | None) -> Iterator[tuple[Finding, str]]:
    if app != intercom:
        yield Finding.LOST, f"is {app!r} in the app and {intercom!r} in Intercom"
    else:
        yield from fill.findings(app)
    yield from fill.clearings()


# --- the rest -------------------------------------------------------------------------------------


def _teams(present: Present) -> Iterator[str]:
    for team_id, row in present.teams.items():
        company = present.companies.get(team_id)
        if company is None:
            yield f"team {team_id} has no company"
            continue
        size = sum(1 for _user_id, team in present.memberships if team == team_id)
        for what, app, intercom in (
            ("name", row["domain"], company["name"]),
            ("plan", row["plan"], _plan(company)),
            ("spend", int(row["monthly_spend"]), company["monthly_spend"]),
            ("size", size, company["size"]),
        ):
            if app != intercom:
                yield f"team {team_id}: {what} is {app!r} in the app, {intercom!r} in Intercom"


def _plan(company: Document) -> Any:
    plan = company["plan"]
    return plan.get("name") if isinstance(plan, Mapping) else plan


def _leads(present: Present) -> Iterator[str]:
    """Every account of this world is younger than the window."""
    emails = {
        text(row["email"], fold=True): user_id
        for user_id, row in present.users.items()
        if row["email"] and row["deleted_at"] is None
    }
    for contact in present.contacts:
        owner = emails.get(text(contact["email"], fold=True))
        if owner and contact["role"] == "lead" and contact["state"] == "live":
            yield f"user {owner}: lead {contact['id']} with this e-mail was not merged"


def _doubled(present: Present, histories: Histories) -> Iterator[str]:
    for what, of in (("external_id", False), ("email", True)):
        counted = Counter(
            text(contact[what], fold=of)
            for contact in present.contacts
            if contact["state"] == "live" and contact["role"] == "user" and contact[what]
        )
        for identity, count in counted.items():
            if count > 1:
                yield f"{count} live contacts have the {what} {identity}"
    merged = Counter(
        call.body["from"]
        for call in histories.calls.values()
        if call.body and call.path.startswith("/contacts/merge") and call.status == 200
    )
    yield from (f"lead {lead} was merged {n} times" for lead, n in merged.items() if n > 1)


def _app_overwritten(histories: Histories) -> Iterator[str]:
    """No write-back of a name or phone replaces one that the app has."""
    for change in histories.app:
        if not change.ours or change.table != "users" or not change.old or not change.new:
            continue
        for column in FILLS:
            old, new = text(change.old[column]), text(change.new[column])
            if old is not None and old != new:
                yield f"user {change.new['id']}: our write-back replaced {column} {old!r}"


def _turned_back(histories: Histories, *, late: bool) -> Iterator[str]:
    """No call of the sync makes a contact seen earlier than it was, but one that lands `late`."""
    seen: dict[str, int] = {}
    for version in histories.versions:
        now, before = version.shown["last_seen_at"], seen.get(version.contact)
        back = version.call and before and (now or 0) < before
        if back and histories.is_late(version.call) == late:
            yield f"contact {version.contact}: last seen went back from {before} to {now}"
        if now:
            seen[version.contact] = now


def text(raw: object, *, fold: bool = False) -> str | None:
    """A text as both sides would call it: stripped, blank is none."""
    stripped = str(raw).strip() if raw is not None else ""
    return (stripped.lower() if fold else stripped) or None
