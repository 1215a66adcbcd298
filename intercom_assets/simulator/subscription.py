"""Where webhooks go and how badly: the one subscription of the workspace's app, and its knobs.

Checked here, in one sentence each. Only an address of this machine is taken: a stand-in must not
be able to call anybody else. What is sent when is `deliveries`' business.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from intercom_assets.simulator.notifications import TOPICS
from intercom_assets.simulator.settings import BadSetting


@dataclass(frozen=True, slots=True)
class Subscription:
    """`shuffle`: seconds within which notifications change places. Shares are from 0 to 1.

    `fire_on_api_writes`: writes by the API are told too, not only edits in Intercom's screens.
    `private`: a private app's subscription is suspended after seven days of errors.
    """

    url: str
    secret: str
    topics: tuple[str, ...] = TOPICS
    delay_ms: float = 0
    duplicate_share: float = 0
    lose_share: float = 0
    shuffle: float = 0
    fire_on_api_writes: bool = True
    private: bool = True
    timeout_s: float = 5

    @property
    def address(self) -> SplitResult:
        return urlsplit(self.url)

    def document(self) -> dict[str, Any]:
        """Without the secret."""
        document = asdict(self)
        del document["secret"]
        return {**document, "topics": list(self.topics)}


KNOBS = tuple(field.name for field in fields(Subscription))
SHARES = ("duplicate_share", "lose_share")
FLAGS = ("fire_on_api_writes", "private")


def read_subscription(body: Mapping[str, Any], present: Subscription | None) -> Subscription:
    """A new one if the body names a `url`, else the present one with other knobs.

    Raises BadSetting.
    """
    for name in body:
        if name not in KNOBS:
            raise BadSetting(f"webhooks have no {name!r}; they have {', '.join(KNOBS)}")
    checked = {name: _checked(name, value) for name, value in body.items()}
    if "url" not in checked:
        if present is None:
            raise BadSetting("nothing is subscribed yet: webhooks need a url and a secret")
        return replace(present, **checked)
    if "secret" not in checked:
        raise BadSetting("webhooks need the secret that they are signed with")
    return Subscription(**checked)


def _checked(name: str, value: Any) -> Any:
    if name == "url":
        return checked_url(value, "webhooks")
    if name == "topics":
        return _topics(value)
    if name in FLAGS:
        right = isinstance(value, bool)
    elif name == "secret":
        right = isinstance(value, str) and bool(value)
    elif name == "shuffle" and isinstance(value, bool):
        return float(value)
    else:
        right = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        right = right and (name not in SHARES or value <= 1)
    if not right:
        raise BadSetting(
            f"{name} of webhooks cannot be {'that' if name == 'secret' else repr(value)}"
        )
    return value


def _topics(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(topic, str) for topic in value):
        raise BadSetting("topics of webhooks are a list of names")
    for topic in value:
        if topic not in TOPICS:
            raise BadSetting(f"there is no topic {topic!r}; there are {', '.join(TOPICS)}")
    return tuple(value)


def checked_url(value: Any, whose: str) -> str:
    """Raises BadSetting."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        here = parts.scheme == "http" and _on_this_machine(parts.hostname or "")
        here = here and parts.port != 0
    except ValueError:
        here = False
    if not here:
        raise BadSetting(
            f"url of {whose} must be http:// and an address of this machine, such as"
            " http://127.0.0.1:8080/webhooks: the simulator calls nobody else"
        )
    return str(value)


def _on_this_machine(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback
