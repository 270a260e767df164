"""Letting people and machines in, one subject per file."""

from changke.foundation.access.services.grants import LastOwner
from changke.foundation.access.services.keys import IssuedKey, digest, issue_key, key_of, revoke_key, rotate_key
from changke.foundation.access.services.staff import (
    UsernameTaken,
    add_staff,
    change_staff,
    choose_language,
)

__all__ = [
    "IssuedKey",
    "LastOwner",
    "UsernameTaken",
    "add_staff",
    "change_staff",
    "choose_language",
    "digest",
    "issue_key",
    "key_of",
    "revoke_key",
    "rotate_key",
]
