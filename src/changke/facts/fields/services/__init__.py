"""Verbs that write fields of the chain's own, one subject per file."""

from changke.facts.fields.services.define import (
    FieldInUse,
    FieldKeyTaken,
    User,
    change_field,
    define,
    register_users,
    retire,
)
from changke.facts.fields.services.values import set_values

__all__ = ["FieldInUse", "FieldKeyTaken", "User", "change_field", "define", "register_users", "retire", "set_values"]
