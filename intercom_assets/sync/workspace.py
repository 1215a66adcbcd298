"""Which workspace the token is of, and where its people look at a contact: links for operators.

Asked for once, when the custom attributes are first listed, and kept in our tables: a token stays
with its workspace. No other run asks for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from intercom_assets.database.store import Store
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import Rejected

STATE = "workspace"
APP_HOSTS = {
    "US": "https://app.intercom.com",
    "EU": "https://app.eu.intercom.com",
    "AU": "https://app.au.intercom.com",
}
API_REGIONS = {"api.eu.intercom.io": "EU", "api.au.intercom.io": "AU"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Screens:
    """Intercom's own pages of one workspace. `root`: what all their addresses begin with."""

    root: str

    def contact(self, contact_id: str) -> str:
        return f"{self.root}/users/{quote(contact_id, safe='')}"

    def company(self, company_id: str) -> str:
        return f"{self.root}/companies/{quote(company_id, safe='')}"


def remember_workspace(store: Store, client: Callable[[], IntercomClient]) -> None:
    """A token that may not ask is no reason to sync nothing: then there are no links.

    Costs no call once it is known. Raises `Unavailable` and what is fatal.
    """
    if store.get_state(STATE) is not None:
        return
    try:
        workspace = client().me()
    except Rejected as refusal:
        if refusal.fatal:
            raise
        return
    store.put_state(STATE, {"id": workspace.id, "region": workspace.region})


def screens(store: Store, base_url: str) -> Screens | None:
    """None until the workspace was asked for. `base_url`: the API's."""
    known = store.get_state(STATE)
    if not isinstance(known, dict) or not isinstance(known.get("id"), str):
        return None
    region = known.get("region")
    host = _app_host(base_url, region if isinstance(region, str) else None)
    return Screens(f"{host}/a/apps/{quote(known['id'], safe='')}")


def _app_host(base_url: str, region: str | None) -> str:
    """A stand-in on this machine shows its contacts itself; the API's host may be a proxy."""
    api = urlsplit(base_url).hostname or ""
    if api in LOOPBACK:
        return base_url.rstrip("/")
    told = (region or "").upper()
    return APP_HOSTS[told if told in APP_HOSTS else API_REGIONS.get(api, "US")]
