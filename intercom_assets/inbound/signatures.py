"""Whether Intercom sent a body: an HMAC of its raw bytes with the app's client secret. Pure.

Webhooks carry SHA-1 with a prefix, the inbox's requests SHA-256 without
(docs/dev/intercom-facts.md#webhooks).
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """`header`: in lower case. `prefix`: what stands before the hexadecimal digits there."""

    header: str
    digest: str
    digits: int
    prefix: str = ""

    def claimed(self, value: str | None) -> str | None:
        """The digits that a request claims; None if it has none that could be right."""
        if value is None or not value.startswith(self.prefix):
            return None
        digits = value[len(self.prefix) :].strip().lower()
        return digits if re.fullmatch(f"[0-9a-f]{{{self.digits}}}", digits) else None

    def matches(self, claimed: str, body: bytes, secrets: Sequence[bytes]) -> bool:
        """Whether one of the secrets signed this body; as slow for the first as for the last."""
        found = [
            hmac.compare_digest(hmac.new(secret, body, self.digest).hexdigest(), claimed)
            for secret in secrets
        ]
        return any(found)

    def sign(self, body: bytes, secret: bytes) -> str:
        """The header's value for a body, as Intercom would send it."""
        return self.prefix + hmac.new(secret, body, self.digest).hexdigest()


WEBHOOK = SignatureScheme("x-hub-signature", "sha1", 40, prefix="sha1=")
INBOX = SignatureScheme("x-body-signature", "sha256", 64)
