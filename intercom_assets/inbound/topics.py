"""Which topics are understood, and whom each wakes, by what is remembered of them. Pure.

A topic only says what to compare. Whoever is woken is read by id and decided on as anybody else;
who shows nothing new is an echo and is left alone. Must not: our own tables, or a value for later.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from intercom_assets.database.store.inbound import SyncNow
from intercom_assets.domain.echoes import (
    company_differs,
    differs,
    is_at_it,
    is_attached,
    is_detached,
)
from intercom_assets.domain.models import Contact, TeamLink, UserLink
from intercom_assets.domain.vocabulary import Action
from intercom_assets.inbound.notices import Notice
from intercom_assets.sync.context.compared_fields import ComparedFields


@dataclass(frozen=True)
class Remembered:
    """What our own tables know of whom a batch of notices is about.

    `owners`: contact -> user, also for contacts that turned up with the id of a user without one
    (`found`). `teams`: by their own ids. `owning_teams`: company -> team.
    """

    fields: ComparedFields
    owners: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, UserLink] = field(default_factory=dict)
    owning_teams: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, TeamLink] = field(default_factory=dict)

    def owner_of(self, contact_id: str | None) -> UserLink | None:
        owner = self.owners.get(contact_id or "")
        return None if owner is None else self.users.get(owner)


@dataclass(frozen=True)
class Woken:
    """Whom a notice wakes. `leads`: to be looked for among those who searched."""

    users: Collection[str] = ()
    teams: Collection[str] = ()
    leads: Collection[Contact] = ()
    sync_now: SyncNow | None = None

    def __bool__(self) -> bool:
        return bool(self.users or self.teams or self.leads or self.sync_now)


NOBODY = Woken()
Rule = Callable[[Notice, Remembered], Woken]


def _edited(notice: Notice, known: Remembered) -> Woken:
    shown = notice.contact
    if shown is None:
        return NOBODY
    contact_id = shown.contact.id
    if shown.contact.role == "lead":
        return _lead(notice, known)
    if contact_id in known.found:
        return Woken(users=[known.found[contact_id]])
    link = known.owner_of(contact_id)
    if link is None:
        return NOBODY
    fields = known.fields.users
    if fields is None or differs(fields, shown.over(link.shadow), link):
        given_to = known.users.get(shown.contact.external_id or "", link)
        return Woken(users={link.user_id, given_to.user_id})
    return NOBODY


def _lead(notice: Notice, known: Remembered) -> Woken:
    shown = notice.contact
    if shown is None or not shown.contact.email:
        return NOBODY
    return Woken(leads=[shown.contact])


def _archived(notice: Notice, known: Remembered) -> Woken:
    link = known.owner_of(_contact_id(notice))
    if link is None or link.archived or is_at_it(link, Action.ARCHIVED):
        return NOBODY
    return Woken(users=[link.user_id])


def _unarchived(notice: Notice, known: Remembered) -> Woken:
    link = known.owner_of(_contact_id(notice))
    if link is not None and link.archived and not is_at_it(link, Action.UNARCHIVED):
        return Woken(users=[link.user_id])
    return _edited(notice, known)


def _deleted(notice: Notice, known: Remembered) -> Woken:
    link = known.owner_of(_contact_id(notice))
    return NOBODY if link is None else Woken(users=[link.user_id])


def _merged(notice: Notice, known: Remembered) -> Woken:
    """Both are read, if they are ours: the survivor has changed, and the other is no more."""
    lost = known.owner_of(notice.merged_from)
    survivor = known.owner_of(_contact_id(notice))
    if survivor is not None and is_at_it(survivor, Action.MERGED, notice.merged_from):
        return Woken(users=[lost.user_id]) if lost else NOBODY
    woken = _edited(notice, known)
    return Woken(users={*woken.users, lost.user_id}) if lost else woken


def _tagged(notice: Notice, known: Remembered) -> Woken:
    wanted, tag = known.fields.sync_now_tag, notice.tag
    if wanted is not None and tag is not None and tag[1].casefold() == wanted.casefold():
        link = known.owner_of(_contact_id(notice))
        if link is not None and link.contact_id is not None:
            return Woken(sync_now=SyncNow(link.contact_id, tag[0], link.user_id))
    return _edited(notice, known)


def _company_edited(notice: Notice, known: Remembered) -> Woken:
    shown = notice.company
    if shown is None:
        return NOBODY
    team_id = known.owning_teams.get(shown.company.id) or shown.company.company_id
    link = known.teams.get(team_id or "")
    if link is None:
        return NOBODY
    fields = known.fields.teams
    if fields is None or company_differs(fields, shown.over(link.shadow), link):
        return Woken(teams=[link.team_id])
    return NOBODY


def _company_deleted(notice: Notice, known: Remembered) -> Woken:
    """Only of the company that is the team's at present: it may have been made again by now."""
    team_id = known.owning_teams.get(notice.company.company.id if notice.company else "")
    return NOBODY if team_id is None else Woken(teams=[team_id])


def _attached(notice: Notice, known: Remembered) -> Woken:
    return _moved(notice, known, is_attached)


def _detached(notice: Notice, known: Remembered) -> Woken:
    return _moved(notice, known, is_detached)


def _moved(notice: Notice, known: Remembered, is_known: Callable[[UserLink, str], bool]) -> Woken:
    link = known.owner_of(_contact_id(notice))
    if link is None or notice.company is None or is_known(link, notice.company.company.id):
        return NOBODY
    return Woken(users=[link.user_id])


def _contact_id(notice: Notice) -> str | None:
    return notice.contact.contact.id if notice.contact else None


TOPICS: Mapping[str, Rule] = {
    "contact.user.created": _edited,
    "contact.user.updated": _edited,
    "contact.user.tag.created": _tagged,
    "contact.lead.created": _edited,
    "contact.lead.updated": _edited,
    "contact.lead.added_email": _edited,
    "contact.lead.signed_up": _edited,
    "contact.email.updated": _edited,
    "contact.subscribed": _edited,
    "contact.unsubscribed": _edited,
    "contact.archived": _archived,
    "contact.unarchive": _unarchived,
    "contact.unarchived": _unarchived,
    "contact.deleted": _deleted,
    "contact.merged": _merged,
    "company.created": _company_edited,
    "company.updated": _company_edited,
    "company.deleted": _company_deleted,
    "company.contact.attached": _attached,
    "company.contact.detached": _detached,
}
PING = "ping"
