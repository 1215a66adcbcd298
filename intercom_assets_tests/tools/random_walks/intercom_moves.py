"""What people and other programs do in Intercom. Nothing that cannot be done is done."""

from collections.abc import Callable, Mapping
from typing import Any

from intercom_assets.domain.vocabulary import Cause, QueueKind
from intercom_assets.simulator.by_hand import NotThere
from intercom_assets.simulator.records import State
from intercom_assets_tests.tools.random_walks.script import Step
from intercom_assets_tests.tools.random_walks.walk_world import WalkWorld

EMBEDDED = 10
"""Companies that a contact's document lists."""
OUR_NAMES = {
    "phone": "phone_number",
    "last_seen_at": "last_request_at",
    "avatar": "avatar_url",
    "owner_id": "owner_email",
}
CONTESTED_RUNS = 3
DAY = 86_400 + 60
"""Longer than the workspace's tags are kept."""


def _edit(ground: WalkWorld, user: int, **changes: Any) -> None:
    contact = ground.contact(user)
    if contact is not None and contact["state"] == "live":
        ground.played.intercom.by_hand.edit_contact(contact["id"], **changes)
        for name in changes.get("custom_attributes", changes):
            ground.edits[user, OUR_NAMES.get(name, name)] += 1


def _hand(field_name: str) -> Callable[[WalkWorld, Step], None]:
    return lambda ground, step: _edit(ground, step.user, **{field_name: step.value})


def _located(ground: WalkWorld, step: Step) -> None:
    _edit(ground, step.user, timezone=step.value)


def _owner(ground: WalkWorld, step: Step) -> None:
    _edit(ground, step.user, owner_id=ground.teammates.get(step.value))


def _country(ground: WalkWorld, step: Step) -> None:
    _edit(ground, step.user, country_code=step.value)


def _seen(ground: WalkWorld, step: Step) -> None:
    at = int(ground.now().timestamp()) - step.value
    _edit(ground, step.user, last_seen_at=at)


def _seen_meanwhile(ground: WalkWorld, step: Step) -> None:
    ground.to_be_seen.append((step.user, step.value))


def see_meanwhile(ground: WalkWorld) -> None:
    """The Messenger, which moves a time forward only; no search shows it before the runs."""
    waiting, ground.to_be_seen = ground.to_be_seen, []
    for user, ago in waiting:
        contact = ground.contact(user)
        at = int(ground.now().timestamp()) - ago
        if contact and contact["state"] == "live" and at > (contact["last_seen_at"] or 0):
            _edit(ground, user, last_seen_at=at)
            ground.seen[user] = at


def _contest(ground: WalkWorld, step: Step) -> None:
    ground.contests[step.user, step.value] = CONTESTED_RUNS


def write_over(ground: WalkWorld) -> None:
    """Another integration, with a value of its own each time."""
    for user, name in sorted(+ground.contests):
        ground.contests[user, name] -= 1
        value = f"theirs{ground.edits[user, name]}.{user}@example.com"
        if name == "email":
            _edit(ground, user, email=value)
        else:
            _attribute(name)(ground, Step("", user, value=value))


def _attribute(name: str) -> Callable[[WalkWorld, Step], None]:
    def move(ground: WalkWorld, step: Step) -> None:
        if name in {a["name"] for a in ground.played.intercom.attributes("contact")}:
            _edit(ground, step.user, custom_attributes={name: step.value})

    return move


def _deleted_attribute(ground: WalkWorld, step: Step) -> None:
    _attribute("deleted")(ground, Step("", step.user, value=True))


def _tamper(
    ground: WalkWorld, step: Step, change: Callable[[str], None], state: str = "live"
) -> None:
    contact = ground.contact(step.user)
    if contact is None or contact["state"] != state:
        return
    ground.tampered.add(step.user)
    ground.needs_audit = True
    change(contact["id"])


def _archive(ground: WalkWorld, step: Step) -> None:
    _tamper(ground, step, ground.played.intercom.by_hand.archive_contact)


def _unarchive(ground: WalkWorld, step: Step) -> None:
    def unarchive(contact: str) -> None:
        ground.unarchived.add(step.user)
        try:
            ground.played.intercom.by_hand.unarchive_contact(contact)
        except NotThere:
            return  # its external id is another's by now

    _tamper(ground, step, unarchive, state="archived")


def _delete(ground: WalkWorld, step: Step) -> None:
    _tamper(ground, step, ground.played.intercom.by_hand.delete_contact)


def _strip(ground: WalkWorld, step: Step) -> None:
    _tamper(
        ground,
        step,
        lambda c: ground.played.intercom.by_hand.edit_contact(c, external_id=None),
    )


def _alter(ground: WalkWorld, step: Step) -> None:
    """The contact is given to somebody who is not the app's."""
    _tamper(
        ground,
        step,
        lambda c: ground.played.intercom.by_hand.edit_contact(c, external_id=f"x{step.user}"),
    )


def _give_id(ground: WalkWorld, step: Step) -> None:
    """The contact is given the id of another user, who has none just then."""
    other = step.user % 4 + 1
    taken = any(c["external_id"] == str(other) for c in ground.played.intercom.contacts())
    if not taken:
        ground.tampered.add(other)
        ground.given.add(other)
        _tamper(
            ground,
            step,
            lambda c: ground.played.intercom.by_hand.edit_contact(c, external_id=str(other)),
        )


def _swap_ids(ground: WalkWorld, step: Step) -> None:
    one, other = ground.contact(step.user), ground.contact(step.user % 4 + 1)
    if not one or not other or one["state"] != "live" or other["state"] != "live":
        return
    if one["id"] == other["id"] or None in (one["external_id"], other["external_id"]):
        return
    ground.tampered |= {step.user, step.user % 4 + 1}
    ground.given |= {step.user, step.user % 4 + 1}
    ground.needs_audit = True
    by_hand = ground.played.intercom.by_hand
    by_hand.edit_contact(one["id"], external_id="for a moment")
    by_hand.edit_contact(other["id"], external_id=one["external_id"])
    by_hand.edit_contact(one["id"], external_id=other["external_id"])


def _merge_away(ground: WalkWorld, step: Step) -> None:
    def merge(contact: str) -> None:
        into = ground.played.intercom.by_hand.create_contact(
            role="user", email=f"merged{step.user}@example.com"
        )
        _merge_users(ground, contact, into)

    _tamper(ground, step, merge)


def _merge_into_user(ground: WalkWorld, step: Step) -> None:
    other = ground.contact(step.user % 4 + 1)
    if other is not None and other["state"] == "live":
        _tamper(ground, step, lambda contact: _merge_users(ground, contact, other["id"]))


def _merge_users(ground: WalkWorld, gone: str, into: str) -> None:
    """Intercom is beginning to merge users by hand; its stable API cannot, so the row is set."""
    world = ground.played.intercom.world
    merged = world.contacts[gone]._replace(state=State.MERGED, merged_into=into, external_id=None)
    world.commit_contact(merged)


def _lead(ground: WalkWorld, step: Step) -> None:
    row = ground.row(step.user)
    email = row["email"] if row else f"u{step.user}@example.com"
    if email:
        ground.played.intercom.by_hand.create_contact(role="lead", email=email, name=step.value)


def _named_lead(ground: WalkWorld, step: Step) -> None:
    ground.inherited |= {1, 2, 3, 4}
    _lead(ground, step)


def _same_email(ground: WalkWorld, step: Step) -> None:
    """Somebody adds a contact without external id, who may be the user."""
    ground.tampered |= {1, 2, 3, 4}
    ground.may_be_adopted = True
    ground.played.intercom.by_hand.create_contact(
        role="user", email=f"u{step.user}@example.com", name="Same Mail"
    )


def _same_external_id(ground: WalkWorld, step: Step) -> None:
    """The Messenger knows the user before the sync does."""
    held = [c for c in ground.played.intercom.contacts() if c["external_id"] == str(step.user)]
    if not held:
        ground.tampered.add(step.user)
        ground.played.intercom.by_hand.create_contact(
            role="user", external_id=str(step.user), phone="+44 9"
        )


def _company(ground: WalkWorld, step: Step) -> str | None:
    company = ground.played.intercom.company(company_id=str(step.other))
    return None if company is None else str(company["id"])


def _attach(ground: WalkWorld, step: Step) -> None:
    contact, company = ground.contact(step.user), _company(ground, step)
    if contact and contact["state"] == "live" and company and not _is_crowded(contact):
        ground.needs_audit = True
        ground.played.intercom.by_hand.attach_company(contact["id"], company)


def _detach(ground: WalkWorld, step: Step) -> None:
    contact, company = ground.contact(step.user), _company(ground, step)
    if not company or not contact or _is_crowded(contact):
        return
    if contact["state"] == "live" and company in contact["company_ids"]:
        ground.needs_audit = True
        ground.played.intercom.by_hand.detach_company(contact["id"], company)


def _attach_other(ground: WalkWorld, step: Step) -> None:
    contact = ground.contact(step.user)
    if contact and contact["state"] == "live":
        ground.needs_audit = True
        company = ground.played.intercom.by_hand.create_company("by-hand")
        ground.played.intercom.by_hand.attach_company(contact["id"], company)


def _crowd(ground: WalkWorld, step: Step) -> None:
    """More companies than a contact shows of itself (docs/dev/intercom-facts.md#contacts)."""
    contact = ground.contact(step.user)
    if contact and contact["state"] == "live":
        ground.needs_audit = True
        for number in range(EMBEDDED + 1):
            company = ground.played.intercom.by_hand.create_company(f"crowd-{number}")
            ground.played.intercom.by_hand.attach_company(contact["id"], company)


def _is_crowded(contact: Mapping[str, Any]) -> bool:
    """What a hand moves then, only a read by id for another reason shows: docs/your-own-app.md."""
    return len(contact["company_ids"]) > EMBEDDED


def _company_name(ground: WalkWorld, step: Step) -> None:
    if (company := _company(ground, step)) is not None:
        ground.played.intercom.by_hand.edit_company(company, name=step.value)
        ground.by_hand.add(step.other)


def _company_delete(ground: WalkWorld, step: Step) -> None:
    if (company := _company(ground, step)) is not None:
        ground.needs_audit = True
        ground.played.intercom.by_hand.delete_company(company)
        ground.by_hand.add(step.other)


def _tag(ground: WalkWorld, step: Step) -> None:
    contact = ground.contact(step.user)
    if contact and contact["state"] == "live":
        ground.played.intercom.by_hand.tag_contact(contact["id"], step.value)


def _untag(ground: WalkWorld, step: Step) -> None:
    contact = ground.contact(step.user)
    if contact and contact["state"] == "live" and _has_tag(ground, step.value):
        ground.played.intercom.by_hand.untag_contact(contact["id"], step.value)


def _team_tag(ground: WalkWorld, step: Step) -> None:
    if (company := _company(ground, step)) is not None:
        ground.played.intercom.by_hand.tag_company(company, step.value)


def _team_untag(ground: WalkWorld, step: Step) -> None:
    """No search shows it, and what tells of it may be lost: somebody asks for the team."""
    company = _company(ground, step)
    if company is not None and _has_tag(ground, step.value):
        ground.played.intercom.by_hand.untag_company(company, step.value)
        ground.played.services.store.queue.enqueue(
            QueueKind.TEAM, [str(step.other)], cause=Cause.WEBHOOK, needs_read=True
        )


def _has_tag(ground: WalkWorld, name: str) -> bool:
    return any(t.name.lower() == name for t in ground.played.intercom.world.tags.values())


def _rename_tag(ground: WalkWorld, step: Step) -> None:
    """What it is called now is read a day later, and by who is passed then."""
    old, new = step.value
    if _has_tag(ground, old) and not _has_tag(ground, new):
        ground.played.intercom.by_hand.rename_tag(old, new)
        ground.played.times.sleep(DAY)
        ground.needs_everybody = True


def _delete_tag(ground: WalkWorld, step: Step) -> None:
    if _has_tag(ground, step.value):
        ground.played.intercom.by_hand.delete_tag(step.value)
        ground.needs_everybody = True


def _archive_attribute(ground: WalkWorld, step: Step) -> None:
    known = {a["name"]: a for a in ground.played.intercom.attributes("contact")}
    if "monthly_usage" in known and not known["monthly_usage"]["archived"]:
        ground.played.intercom.by_hand.archive_attribute("monthly_usage")


INTERCOM_MOVES: Mapping[str, Callable[[WalkWorld, Step], None]] = {
    "name": _hand("name"),
    "phone": _hand("phone"),
    "picture": _hand("avatar"),
    "owner": _owner,
    "opt_out": _hand("unsubscribed_from_emails"),
    "located": _located,
    "country": _country,
    "zone_attribute": _attribute("time_zone"),
    "email": _hand("email"),
    "seen": _seen,
    "seen_meanwhile": _seen_meanwhile,
    "contest": _contest,
    "plan_attribute": _attribute("subscription_plan"),
    "deleted_attribute": _deleted_attribute,
    "archive": _archive,
    "unarchive": _unarchive,
    "delete": _delete,
    "strip": _strip,
    "alter": _alter,
    "give_id": _give_id,
    "swap_ids": _swap_ids,
    "merge_away": _merge_away,
    "merge_into_user": _merge_into_user,
    "lead": _lead,
    "named_lead": _named_lead,
    "same_email": _same_email,
    "same_external_id": _same_external_id,
    "attach": _attach,
    "detach": _detach,
    "attach_other": _attach_other,
    "crowd": _crowd,
    "company_name": _company_name,
    "company_delete": _company_delete,
    "archive_attribute": _archive_attribute,
    "tag": _tag,
    "untag": _untag,
    "team_tag": _team_tag,
    "team_untag": _team_untag,
    "rename_tag": _rename_tag,
    "delete_tag": _delete_tag,
}
