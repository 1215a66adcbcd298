"""What `check` asks of Intercom: whose token it is and what it may do. Reads; writes nothing.

Each probe is a function that yields findings; which of them run, and in which order, is
`preflight.py`'s. A right to write cannot be tried without writing: it is told, not tested.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.attributes import MOST_ATTRIBUTES, plan_attributes
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import DataAttribute, Workspace
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom.client import API_VERSION, IntercomClient
from intercom_assets.intercom.errors import NotFound
from intercom_assets.sync.context.admins import read_admins
from intercom_assets.sync.context.tags import read_tags
from intercom_assets.sync.context.workspace import WAYS_OUT, mismatch
from intercom_assets.sync.environment import Configuration
from intercom_assets.sync.preflight.findings import MOST_CLOCK_DIFFERENCE, CheckPart, Finding

INTERCOM = CheckPart("Intercom")
REGIONS = {
    "US": "https://api.intercom.io",
    "EU": "https://api.eu.intercom.io",
    "AU": "https://api.au.intercom.io",
}
NOBODY = "intercom-assets-check"
"""A company id that no app has: asking for it tells whether companies may be read."""
WINDOWS_A_MINUTE = 6
SCOPES = (
    "Give the token the permissions: Read and list users and companies, Read one user and one "
    "company, Read and write users, Write users and companies, Write data attributes."
)


def check_token(client: IntercomClient, configuration: Configuration) -> Iterator[Finding]:
    """Whose it is, by which version it is asked, and whether that is the right region's host."""
    workspace = client.me()
    name = f"{workspace.name} ({workspace.id})" if workspace.name else workspace.id
    yield INTERCOM.ok("token", f"It is of the workspace {name}, asked by API {API_VERSION}.")
    yield _region(workspace.region, configuration.base_url)
    if wrong := _of_other_tables(configuration.sync_url, workspace):
        yield INTERCOM.bad("workspace", wrong, WAYS_OUT)


def _of_other_tables(sync_url: str, workspace: Workspace) -> str | None:
    """Where the tables cannot be read, that is told of them elsewhere."""
    if not sync_url:
        return None
    with suppress(StoreUnavailable, StoreNotReady), Store(sync_url) as store:
        return mismatch(store, workspace)
    return None


def _region(region: str | None, base_url: str) -> Finding:
    host = urlsplit(base_url).hostname or ""
    wanted = REGIONS.get((region or "").upper())
    if wanted and host.endswith("intercom.io") and host != urlsplit(wanted).hostname:
        return INTERCOM.warning(
            "region",
            f"The workspace is in the region {region} and {host} is not that region's host.",
            f"Set INTERCOM_BASE_URL to {wanted}.",
        )
    return INTERCOM.ok("region", f"{region or 'not told'}; asked at {host}.")


def check_contacts(client: IntercomClient) -> Iterator[Finding]:
    page = next(client.list_contacts(per_page=1), None)
    count = f"{page.total:,} contacts" if page and page.total is not None else "contacts"
    yield INTERCOM.ok("contacts", f"The token may list them: {count}.")


def check_companies(client: IntercomClient) -> Iterator[Finding]:
    with suppress(NotFound):
        client.find_company(NOBODY)
    yield INTERCOM.ok("companies", "The token may read them.")


def check_limits(client: IntercomClient, share: float) -> Iterator[Finding]:
    """From the headers of the answers before; asks nothing."""
    counters = client.counters()
    if counters.limit is not None:
        minute = counters.limit * WINDOWS_A_MINUTE
        yield INTERCOM.ok(
            "rate limit",
            f"{counters.limit:,} calls per 10 s, about {minute:,} a minute; rate_share takes "
            f"{share:.0%} of it.",
        )
    ahead = counters.clock_ahead
    if ahead is not None and abs(ahead) > MOST_CLOCK_DIFFERENCE:
        yield INTERCOM.warning(
            "clock",
            f"This machine's clock and Intercom's differ by {abs(ahead):.0f} s.",
            "Set this machine's clock (NTP): times of both sides are compared.",
        )
    elif ahead is not None:
        yield INTERCOM.ok("clock", "This machine's clock agrees with Intercom's.")


def check_attributes(
    client: IntercomClient, fields: Mapping[AttributeModel, Sequence[Field]]
) -> Iterator[Finding]:
    """`fields` by model, contact and company."""
    known = [attribute for model in fields for attribute in client.list_attributes(model)]
    new = 0
    for model, own in fields.items():
        plan = plan_attributes(own, model, known)
        new += len(plan.missing)
        for name, why in plan.unwritable.items():
            yield INTERCOM.bad(
                "attributes",
                f"{name} cannot be written to a {model}, for anybody: {why}.",
                "Until then it is left out, and everything else is synced.",
            )
        if plan.missing:
            names = ", ".join(f"{f.intercom} ({f.kind})" for f in plan.missing)
            yield INTERCOM.ok("attributes", f"The first sync makes, of a {model}: {names}.")
    yield _room(known, new)


def check_owners(client: IntercomClient, column: str) -> Iterator[Finding]:
    """`column`: the one that names the contact's owner."""
    admins = read_admins(client)
    if admins.unread is not None:
        yield INTERCOM.bad(
            "owners",
            f"{admins.unread}, and {column} is looked up among them.",
            f"Allow the token to list admins, or take {column} out of users.sql: until then the "
            "owner is left out, and everything else is synced.",
        )
    else:
        yield INTERCOM.ok(
            "owners", f"{column} is looked up among the workspace's {len(admins.ids):,} teammates."
        )


def check_tags(client: IntercomClient, files: Sequence[str]) -> Iterator[Finding]:
    """`files`: of the mapping, that select tags."""
    tags = read_tags(client)
    if tags is None:
        yield INTERCOM.bad(
            "tags",
            f"the workspace's tags could not be read, and tags are in {' and '.join(files)}.",
            f"Allow the token to read and write tags, or take tags out of {' and '.join(files)}: "
            "until then whoever has one waits for it; everything else of them is synced.",
        )
    else:
        yield INTERCOM.ok("tags", f"The workspace has {count_of(len(tags), 'tag')}.")


def _room(known: Sequence[DataAttribute], new: int) -> Finding:
    """Whether the workspace holds that many."""
    present = sum(attribute.custom and not attribute.archived for attribute in known)
    if present + new > MOST_ATTRIBUTES:
        return INTERCOM.bad(
            "attributes",
            f"The workspace has {present} custom attributes and {new} would be made; allowed: "
            f"{MOST_ATTRIBUTES}.",
            "Archive some in Intercom, or select fewer columns.",
        )
    return INTERCOM.ok(
        "attributes",
        f"The workspace has {present} custom attributes of {MOST_ATTRIBUTES}; {new} would be made.",
    )
