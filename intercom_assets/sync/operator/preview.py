"""What `plan` reads of Intercom beforehand, and writes down nowhere.

Before the first sync our own tables know no contact, and everybody would look new. So a plan for
everybody lists the workspace as the first sync will, and one for a few looks each of them up; both
only in memory. Attributes and leads are asked for as well. A workspace that cannot be asked makes
the plan poorer, not impossible.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from intercom_assets.domain.attributes import plan_attributes
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import Contact, DataAttribute, UserLink
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom.errors import IntercomError, Merged, NotFound
from intercom_assets.sync.context.admins import owner_column, read_admins
from intercom_assets.sync.context.failures import Problem
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.context.tags import read_tags, selects_tags
from intercom_assets.sync.context.workspace import require_workspace
from intercom_assets.sync.engine import initial_listing
from intercom_assets.sync.engine.plan import ContactsNow, FindLeads
from intercom_assets.sync.operator.overlay_links import OverlayLinks
from intercom_assets.sync.passes.users.identity import MergedIntoAnothers, follow
from intercom_assets.sync.passes.users.lead_search import by_call, leads_of

USUAL_LIMIT = 10_000
"""Calls a minute that Intercom permits an app by default (docs/dev/intercom-facts.md#rate)."""
WINDOWS_A_MINUTE = 6


@dataclass(frozen=True, slots=True)
class Foresight:
    """`services`: as given, with a store that also shows what was listed. `unwritable`, `to_make`:
    by model. `contacts_now`: of who was looked at. `unasked`: why Intercom was not asked, in one
    sentence; `failed`: it was, and did not answer as it should.
    """

    services: Services
    unwritable: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    to_make: Mapping[str, Sequence[Field]] = field(default_factory=dict)
    find_leads: FindLeads | None = None
    contacts_now: ContactsNow = field(default_factory=dict)
    unasked: str | None = None
    failed: bool = False

    def minutes(self, calls: int) -> float:
        """At the limit that Intercom announced last, of which `rate_share` is ours."""
        announced = self.services.intercom.counters().limit
        limit = announced * WINDOWS_A_MINUTE if announced else USUAL_LIMIT
        return calls / (limit * self.services.settings.rate_share)


@contextmanager
def previewing(
    services: Services,
    named: Sequence[str] | None,
    *,
    ask: bool,
    look: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> Iterator[Foresight]:
    """`named`: users, who are looked at; None is everybody, who are if `look` says so. `ask`:
    whether there is a token to ask Intercom with."""
    if not ask:
        yield Foresight(services, unasked="Intercom was not asked: no access token is set.")
        return
    try:
        seen = _look(services, named, progress)
        if named is not None or look:
            seen = replace(seen, contacts_now=_contacts_now(seen.services, named, progress))
    except IntercomError as error:
        yield Foresight(services, unasked=f"Intercom could not be asked: {error}.", failed=True)
        return
    yield seen


def _look(
    services: Services,
    named: Sequence[str] | None,
    progress: Callable[[str, int], None] | None,
) -> Foresight:
    require_workspace(services, remember=False)
    overlay = OverlayLinks(services.store.links)
    models = {
        AttributeModel.CONTACT: services.user_fields,
        AttributeModel.COMPANY: services.team_fields,
    }
    client = services.intercom.with_deadline(None)
    known: list[DataAttribute] = []
    for model in models:
        known += client.list_attributes(model)
    plans = {m: plan_attributes(fields.values(), m, known) for m, fields in models.items()}
    if named is not None:
        overlay.show(users=_looked_up(services, named))
    elif initial_listing.is_due(services):
        for teams, users in initial_listing.listed(services, progress):
            overlay.show(users, teams)
    owners = read_admins(client) if owner_column(services) else None
    tags = read_tags(client) if selects_tags(services.app.users_columns) else None
    return Foresight(
        replace(services, store=services.store.with_links(overlay), admins=owners, tags=tags),
        {model: plan.unwritable for model, plan in plans.items()},
        {model: plan.missing for model, plan in plans.items()},
        lambda emails: _leads(services, emails),
    )


def _contacts_now(
    services: Services,
    named: Sequence[str] | None,
    progress: Callable[[str, int], None] | None,
) -> ContactsNow:
    """Of named users one call each; everybody's are listed, 150 a call."""
    if named is not None:
        links = services.store.links.users(named)
        known = {key: link.contact_id for key, link in links.items() if not link.archived}
        return {key: _now(services, key, contact) for key, contact in known.items() if contact}
    found: dict[str, Contact | Problem | None] = {}
    for page in services.intercom.with_deadline(None).list_contacts():
        owners = services.store.links.by_contact([contact.id for contact in page.items])
        found |= {owners[c.id]: c for c in page.items if c.id in owners}
        if progress:
            progress("contacts", len(page.items))
    return found


def _now(services: Services, user_id: str, contact_id: str) -> Contact | Problem | None:
    client = services.intercom.with_deadline(None)
    try:
        return client.get_contact(contact_id)
    except NotFound:
        return None
    except Merged as merged:
        try:
            return follow(client, user_id, merged)
        except MergedIntoAnothers as anothers:
            return anothers.problem


def _looked_up(services: Services, named: Sequence[str]) -> list[UserLink]:
    """The contacts of those who have no link yet, by the app's id."""
    links = services.store.links.users(named)
    unknown = [key for key in named if key not in links or links[key].contact_id is None]
    return [link for key in unknown if (link := _found(services, key))]


def _found(services: Services, key: str) -> UserLink | None:
    try:
        contact = services.intercom.with_deadline(None).find_contact(key)
    except (NotFound, Merged):
        return None
    return UserLink(key, contact.id, shadow=contact, shadow_read_at=services.now())


def _leads(services: Services, emails: Sequence[str]) -> Mapping[str, Mapping[str, Contact]]:
    found: dict[str, dict[str, Contact]] = {}
    client = services.intercom.with_deadline(None)
    for addresses in by_call(emails):
        found |= leads_of(client, addresses)
    return found
