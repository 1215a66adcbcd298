"""Names of columns that look like secrets, in every style, and those that only seem to."""

import pytest

from intercom_assets.domain.secret_names import secret_word, words_of


@pytest.mark.parametrize(
    "name",
    [
        "password", "encrypted_password", "passwordHash", "PASSWORD", "password_digest", "passwd",
        "userpassword", "reset_password_token", "resetToken", "remember_token", "otp_secret",
        "otpSecret", "two_factor_recovery_codes", "api_key", "apiKey", "APIKey", "apikey", "salt",
        "hashed_pwd", "confirmation_token", "refresh_token", "session_token", "mfa_secret", "pin",
        "private_key", "client_secret", "unlock_token", "totp", "cvv", "security_answer",
    ],
)  # fmt: skip
def test_it_looks_like_a_secret(name: str) -> None:
    assert secret_word(name)


@pytest.mark.parametrize(
    "name",
    [
        "name", "email", "hashtag", "pinned", "pinned_at", "tokenized_plan", "digestive", "salty",
        "compass", "passenger_count", "passed_at", "keyboard", "api_calls", "plan",
        "secretary_name",        "ship_to", "public_name", "bypassed",
    ],
)  # fmt: skip
def test_it_does_not(name: str) -> None:
    assert secret_word(name) is None


def test_a_name_is_taken_apart_in_every_style() -> None:
    assert words_of("resetPasswordToken") == ("reset", "password", "token")
    assert words_of("APIKeyID") == ("api", "key", "id")
    assert words_of("otp-secret_2") == ("otp", "secret", "2")
