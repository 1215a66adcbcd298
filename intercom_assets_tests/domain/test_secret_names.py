"""Which selected columns look like secrets."""

import pytest

from intercom_assets.domain.secret_names import leaking_word


@pytest.mark.parametrize(
    "name",
    [
        "password", "passwordDigest", "encrypted_password", "reset_token", "resetPasswordToken",
        "SecurityStamp",
        "otp_secret", "api_key", "apiKey", "salt", "pw_hash", "ssn", "iban", "card_number",
        "creditCard", "card", "access_token", "PASSWORD_HASH", "cvv", "private_key", "clientSecret",
    ],
)  # fmt: skip
def test_a_secret_is_seen(name: str) -> None:
    assert leaking_word(name)


@pytest.mark.parametrize(
    "name",
    [
        "hashtag", "tokens_used", "password_changed_at", "sessions_this_month", "plan", "cardinal",
        "otp_enabled", "salted_caramel", "discard", "scorecard_url", "keyboard", "monthly_usage",
        "pinned", "token_count",
    ],
)  # fmt: skip
def test_what_only_sounds_like_one_is_none(name: str) -> None:
    assert leaking_word(name) is None
