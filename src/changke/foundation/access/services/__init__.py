"""Letting people and machines in, one subject per file."""

from changke.foundation.access.services.keys import IssuedKey, digest, issue_key, key_of, revoke_key
from changke.foundation.access.services.log_in import TooManyTries, WrongLogin, log_in
from changke.foundation.access.services.staff import (
    LastOwner,
    UsernameTaken,
    add_staff,
    change_staff,
    choose_language,
)

__all__ = [
    "IssuedKey",
    "LastOwner",
    "TooManyTries",
    "UsernameTaken",
    "WrongLogin",
    "add_staff",
    "change_staff",
    "choose_language",
    "digest",
    "issue_key",
    "key_of",
    "log_in",
    "revoke_key",
]
