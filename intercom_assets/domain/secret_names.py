"""Which columns look like secrets, by their names. Pure; for `check` and for `init --from`.

A name is taken apart into words (`resetPasswordToken`, `otp_secret`), so that `hashtag` and
`pinned` are no secrets.
"""

import re
from itertools import pairwise

SECRET_WORDS = frozenset({
    "password", "passwd", "passwords", "pwd", "pass", "passphrase", "passcode", "digest", "token",
    "tokens", "secret", "secrets", "otp", "totp", "hotp", "mfa", "2fa", "tfa", "hash", "hashes",
    "hashed", "salt", "crypt", "crypted", "encrypted", "bcrypt", "scrypt", "argon2", "credential",
    "credentials", "apikey", "accesskey", "privatekey", "secretkey", "nonce", "signature",
    "signing", "pin", "cvv", "cvc", "ssn", "recovery", "webauthn", "passkey", "passkeys",
    "fingerprint", "jwt", "cookie", "session", "sessions", "csrf",
})  # fmt: skip
_PAIRS = {
    ("api", "key"), ("api", "keys"), ("access", "key"), ("private", "key"), ("secret", "key"),
    ("backup", "codes"), ("backup", "code"), ("security", "answer"), ("security", "question"),
    ("security", "stamp"),
    ("card", "number"), ("two", "factor"), ("public", "key"), ("encryption", "key"),
}  # fmt: skip
_BORDERS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def words_of(name: str) -> tuple[str, ...]:
    """`resetPasswordToken` -> reset, password, token."""
    return tuple(word.lower() for word in _BORDERS.split(name) if word)


def secret_word(name: str) -> str | None:
    """The word, or two words, by which a column's name looks like a secret; None if none does."""
    words = words_of(name)
    for word in words:
        if word in SECRET_WORDS:
            return word
    for pair in pairwise(words):
        if pair in _PAIRS:
            return " ".join(pair)
    compact = "".join(words)
    return next((word for word in ("password", "passwd") if word in compact), None)


_ALSO = frozenset({"iban", "passport", "cc", "pan"})
_NO_SECRETS = frozenset({"session", "sessions", "signature", "cookie", "fingerprint", "recovery"})
_OF_SECRETS = frozenset({
    "at", "on", "used", "count", "counts", "limit", "total", "enabled", "required", "expires",
    "left", "spent", "usage", "per", "month", "day", "type", "status", "attempts",
})  # fmt: skip
"""What stands last in `password_changed_at`, which tells of a secret and does not hold one."""


def leaking_word(name: str) -> str | None:
    """The word by which a selected column looks like a secret that is about to leave the app."""
    words = words_of(name)
    if not words or words[-1] in _OF_SECRETS:
        return None
    card = "card" if words[-1] == "card" or ("credit", "card") in pairwise(words) else None
    found = next((word for word in words if word in _ALSO), None) or card or secret_word(name)
    return None if found in _NO_SECRETS else found
