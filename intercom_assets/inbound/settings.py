"""What listening needs of the environment: the secrets of the app in Intercom's Developer Hub.

Several are taken while one is being replaced: Intercom signs with one, and this side does not
learn the moment at which it changes.
"""

import re
from dataclasses import dataclass, field

from intercom_assets.sync.environment import (
    INTERCOM_CLIENT_SECRET,
    SYNC_DATABASE_URL,
    Configuration,
    ConfigurationError,
)

MOST_SECRETS = 4
"""Each forged request is held against all of them."""


@dataclass(frozen=True, slots=True)
class InboundSettings:
    """`secrets`: any of them may have signed a request. `dagster_url`: of the webserver, or blank.

    `workspace`: how this one's things are named in Dagster, or blank. `repr` shows no secret.
    """

    secrets: tuple[bytes, ...] = field(repr=False)
    dagster_url: str = ""
    workspace: str = ""


def read_settings(configuration: Configuration) -> InboundSettings:
    """Raises `ConfigurationError` where a secret or the address of our own tables is missing."""
    if not configuration.sync_url:
        raise ConfigurationError(
            f"{SYNC_DATABASE_URL} is not set: set it to the database with the sync's own tables, "
            "which looks like postgresql://user:password@host:5432/name."
        )
    return InboundSettings(
        secrets_of(configuration.client_secret),
        configuration.dagster_url,
        configuration.workspace,
    )


def secrets_of(given: str) -> tuple[bytes, ...]:
    """The secrets in one variable, parted by commas or blanks. Raises `ConfigurationError`."""
    found = tuple(secret.encode() for secret in re.split(r"[\s,]+", given) if secret)
    if not found:
        raise ConfigurationError(
            f"{INTERCOM_CLIENT_SECRET} is not set: without it nothing can be believed to come from "
            "Intercom; it stands in the Developer Hub, your app, Configure, Basic information."
        )
    if len(found) > MOST_SECRETS:
        raise ConfigurationError(
            f"{INTERCOM_CLIENT_SECRET} holds {len(found)} secrets, of which {MOST_SECRETS} at most "
            "are taken: leave only the present one and the one that it replaces."
        )
    return found
