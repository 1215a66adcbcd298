"""Which host, with which token, by which way: addresses checked, the environment read.

Reading the environment costs a quarter of a call: ask when a client is built, not for each request.
No connection, JSON, pace or retry belongs here.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy

_VERSION = re.compile(r"\d{1,3}\.\d{1,3}|Preview", re.ASCII)

VERSION_HEADER = "Intercom-Version"


def checked_url(base_url: str) -> str:
    """`base_url` without its last slash. Raises `ValueError` unless https, or http to loopback."""
    base_url = base_url.strip()
    parts = _parts(base_url)
    if parts is None:
        raise ValueError("Intercom's address is a plain URL such as https://api.intercom.io")
    if parts.path.strip("/"):
        raise ValueError(
            f"Intercom's address has no path, and this one ends in {parts.path}: give "
            f"{parts.scheme}://{parts.netloc}"
        )
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    ):
        raise ValueError(
            f"Intercom's address must be https unless it is loopback: {parts.hostname}"
        )
    return base_url.rstrip("/")


def _parts(base_url: str, *, may_log_in: bool = False) -> SplitResult | None:
    """None if that is no plain URL. `urlsplit` itself drops line ends, and looks at no port."""
    if not base_url.isascii() or not base_url.isprintable() or " " in base_url:
        return None
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        return None
    logs_in = bool(parts.username or parts.password)
    strange = parts.query or parts.fragment or port == 0 or (logs_in and not may_log_in)
    return None if strange or not parts.hostname else parts


def checked_token(token: str) -> str:
    """Without surrounding blanks. Raises `ValueError`, which does not quote it."""
    token = token.strip()
    if token.startswith(("'", '"', "`")):
        raise ValueError("the access token begins with a quotation mark, which is no part of it")
    if token.lower().startswith("bearer "):
        raise ValueError("the access token is what stands after Bearer")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the access token holds characters that no token has")
    return token


def checked_version(version: str) -> str:
    """Raises `ValueError` unless it has the form of one; whether it exists, Intercom tells."""
    version = version.strip()
    if not _VERSION.fullmatch(version):
        raise ValueError("Intercom's API version is written as 2.16, or Preview")
    return version


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ca_bundle() -> str:
    """The file or folder of certificates to trust, by the variables that requests reads."""
    env = os.environ
    return env.get("REQUESTS_CA_BUNDLE") or env.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH


def proxy_of(base_url: str) -> str | None:
    """The environment's proxy for this host; none for loopback. Raises `ValueError`."""
    if is_loopback(urlsplit(base_url).hostname or ""):
        return None
    proxy = select_proxy(base_url, get_environ_proxies(base_url))
    return _checked_proxy(proxy) if proxy else None


def _checked_proxy(proxy: str) -> str:
    """With its scheme. Raises `ValueError`, which does not quote it: it may hold a password."""
    proxy = proxy.strip() if "://" in proxy else f"http://{proxy.strip()}"
    parts = _parts(proxy, may_log_in=True)
    if parts is None or parts.scheme not in ("http", "https"):
        raise ValueError(
            "the proxy that the environment names (HTTPS_PROXY, ALL_PROXY) cannot be used; "
            "one is written http://host:port"
        )
    return proxy


def headers_of(token: str, version: str) -> Mapping[str, str]:
    """What every request carries. `token` and `version` are checked ones."""
    return {
        "Authorization": f"Bearer {token}",
        VERSION_HEADER: version,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "User-Agent": "intercom-assets",
    }
