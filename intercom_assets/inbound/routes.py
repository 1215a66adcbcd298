"""Which signed routes there are. `/healthz`, which nobody signs, is the server's own."""

from intercom_assets.inbound import inbox, webhooks
from intercom_assets.inbound.signed import SignedRoute

ROUTES: tuple[SignedRoute, ...] = (webhooks.ROUTE, *inbox.ROUTES)
