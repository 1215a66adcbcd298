"""Tells somebody, through a webhook, that something needs a look: a sentence, counts and ids.

Off unless an address is set. Told once and not insisted on: an address that does not answer costs
what is done nothing. The address itself is a secret, since whoever knows it can post to it.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from intercom_assets.domain.errors import OperatorError
from intercom_assets.intercom.http.addresses import is_loopback

POST_TIMEOUT_S = 10.0
"""Seconds, for the connection and again for the answer."""


class AlertNotSent(OperatorError):
    """Nobody was told, and why: one sentence without the address."""


def checked_webhook(url: str) -> str:
    """Raises `AlertNotSent` unless the address is https, or http to this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise AlertNotSent("the webhook's address must begin with https:// unless it is loopback")
    return url


def post_alert(url: str, message: Mapping[str, object]) -> None:
    """Posts the message as JSON. Raises `AlertNotSent`.

    Follows no redirect: it may lead out of TLS.
    """
    address = checked_webhook(url)
    try:
        answer = requests.post(
            address, json=dict(message), timeout=POST_TIMEOUT_S, allow_redirects=False
        )
    except (requests.RequestException, ValueError) as error:
        raise AlertNotSent(f"the webhook was not reached: {type(error).__name__}") from None
    if not answer.ok or answer.is_redirect:
        raise AlertNotSent(f"the webhook answered {answer.status_code}")
