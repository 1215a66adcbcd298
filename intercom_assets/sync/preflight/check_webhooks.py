"""What `check` says of webhooks: how to subscribe, and whether they come.

They are an offer: without them the sync works, later. Intercom has no call that tells of them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from intercom_assets.database.store.store import Store
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import StateKey
from intercom_assets.domain.webhook_topics import ENDPOINT, TOPICS
from intercom_assets.mapping.settings import SyncSettings
from intercom_assets.sync.environment import INTERCOM_CLIENT_SECRET, Configuration
from intercom_assets.sync.preflight.findings import CheckPart, Finding

WEBHOOKS = CheckPart("Webhooks")
HUB = "Developer Hub, your app, Configure"
QUIET_AFTER_S = 86_400
SUBSCRIBE = (
    f"Let `intercom-assets listen` run behind a proxy with TLS; then, in the {HUB}, Webhooks: the "
    f"Endpoint URL is https://YOUR-HOST{ENDPOINT}, with the topics {', '.join(TOPICS)}. Step by "
    "step: docs/webhooks.md."
)


def check_webhooks(configuration: Configuration, settings: SyncSettings) -> Iterator[Finding]:
    seen = _seen_at(configuration.sync_url)
    if not configuration.client_secret and seen is None:
        yield WEBHOOKS.ok(
            "secret",
            f"Not used: edits in Intercom are found by its search. With {INTERCOM_CLIENT_SECRET} "
            f"({HUB}, Basic information) they come within seconds: docs/webhooks.md.",
        )
        if settings.sync_now_tag is not None:
            yield WEBHOOKS.warning(
                "sync_now_tag", "It is set, and only webhooks tell of tags.", SUBSCRIBE
            )
        return
    if configuration.client_secret:
        yield WEBHOOKS.ok("secret", _about_secrets(configuration.client_secret))
    yield _about_the_last(seen)


def _about_secrets(given: str) -> str:
    number = len(given.replace(",", " ").split())
    more = "; leave the old one out once webhooks arrive by the new one" if number > 1 else ""
    return f"{INTERCOM_CLIENT_SECRET} holds {count_of(number, 'secret')}{more}."


def _about_the_last(seen: datetime | None) -> Finding:
    if seen is None:
        return WEBHOOKS.warning("arrive", "None has come yet.", SUBSCRIBE)
    age = (datetime.now(UTC) - seen).total_seconds()
    at = f"{seen.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if age > QUIET_AFTER_S:
        return WEBHOOKS.warning(
            "arrive",
            f"The last one came at {at}.",
            "If contacts were edited since: see that `listen` runs, and in the "
            f'{HUB}, Webhooks, that the subscription is live ("Set live" if it is suspended).',
        )
    return WEBHOOKS.ok("arrive", f"The last one came at {at}.")


def _seen_at(sync_url: str) -> datetime | None:
    """Raises `StoreUnavailable` and `StoreNotReady`."""
    if not sync_url:
        return None
    with Store(sync_url) as store:
        found = store.state.get_at(StateKey.WEBHOOK_SEEN)
    return None if found is None else found[1]
