"""Which workspace our tables are about: no other may be synced with them; and links into it.

Our tables say of each user what Intercom holds. Asked about another workspace (a token for trying,
then the real one) they would call everybody unchanged, and an erasure would find nobody. A token
stays with its workspace, so that is asked for before the first write and when the token changes,
and by no other run.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from intercom_assets.database.records import Json
from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.models import Workspace
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Rejected
from intercom_assets.sync.context.services import Services

TOKEN = "token"
"""`TOKEN`: the client's fingerprint, of which no token can be made."""
APP_HOSTS = {
    "US": "https://app.intercom.com",
    "EU": "https://app.eu.intercom.com",
    "AU": "https://app.au.intercom.com",
}
API_REGIONS = {"api.eu.intercom.io": "EU", "api.au.intercom.io": "AU"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
WAYS_OUT = (
    "Set INTERCOM_ACCESS_TOKEN to a token of that one, or SYNC_DATABASE_URL to a database of this "
    "one's own, where init-db makes new tables."
)


class WrongWorkspace(OperatorError):
    """Nothing was read or written. One sentence."""


@dataclass(frozen=True, slots=True)
class Screens:
    """Intercom's own pages of one workspace. `root`: what all their addresses begin with."""

    root: str

    def contact(self, contact_id: str) -> str:
        return f"{self.root}/users/{quote(contact_id, safe='')}"

    def company(self, company_id: str) -> str:
        return f"{self.root}/companies/{quote(company_id, safe='')}"


def require_workspace(services: Services, *, remember: bool = True) -> None:
    """Raises `WrongWorkspace` where the token is not of the workspace that our tables are about.

    Costs a call only where host or token are not those that were seen last; a token that may not
    ask is believed. `remember`: whose token it is; a plan writes nothing. Raises `Unavailable` and
    what is fatal.
    """
    store, client = services.store, services.intercom.with_deadline(None)
    known = _known(store)
    if not known or known.get(TOKEN) == client.fingerprint:
        return
    answer = _asked(client)
    if answer and (why := mismatch(store, answer)):
        raise WrongWorkspace(f"{why} {WAYS_OUT}")
    if remember:
        _remember(store, client, answer)


def remember_workspace(store: Store, client: IntercomClient) -> None:
    """Before the first write; costs no call once it is known. Raises as `require_workspace`."""
    if not _known(store):
        _remember(store, client, _asked(client))


def _remember(store: Store, client: IntercomClient, answer: Workspace | None) -> None:
    seen = {"id": answer.id, "region": answer.region} if answer else _known(store)
    store.state.put(StateKey.WORKSPACE, {**seen, TOKEN: client.fingerprint})


def mismatch(store: Store, answer: Workspace) -> str | None:
    """In a sentence, if our tables are about another workspace than the token."""
    known = _id_in(_known(store))
    if known in (None, answer.id):
        return None
    name = f"{answer.name} ({answer.id})" if answer.name else answer.id
    return f"The token is of the workspace {name} and the sync's own tables are about {known}."


def _asked(client: IntercomClient) -> Workspace | None:
    try:
        return client.me()
    except Rejected as refusal:
        if refusal.fatal:
            raise
        return None


def _known(store: Store) -> dict[str, Json]:
    known = store.state.get(StateKey.WORKSPACE)
    return known if isinstance(known, dict) else {}


def _id_in(known: dict[str, Json]) -> str | None:
    """Of the workspace that our tables are about; None if they are about none yet."""
    workspace = known.get("id")
    return workspace if isinstance(workspace, str) else None


def known_workspace(store: Store) -> str | None:
    """The id of the workspace that our tables are about; None until somebody has asked."""
    return _id_in(_known(store))


def screens(store: Store, base_url: str) -> Screens | None:
    """None until the workspace was asked for. `base_url`: the API's."""
    known = _known(store)
    workspace, region = _id_in(known), known.get("region")
    if workspace is None:
        return None
    host = _app_host(base_url, region if isinstance(region, str) else None)
    return Screens(f"{host}/a/apps/{quote(workspace, safe='')}")


def _app_host(base_url: str, region: str | None) -> str:
    """A stand-in on this machine shows its contacts itself; the API's host may be a proxy."""
    api = urlsplit(base_url).hostname or ""
    if api in LOOPBACK:
        return base_url.rstrip("/")
    answer = (region or "").upper()
    return APP_HOSTS[answer if answer in APP_HOSTS else API_REGIONS.get(api, "US")]
