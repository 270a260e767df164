"""What the tests themselves turn down for speed, asserted at its source."""

from changke import settings


def test_passwords_are_hashed_with_argon2() -> None:
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_debug_is_off_unless_asked_for() -> None:
    assert settings.switch("CHANGKE_NEVER_SET", False) is False
