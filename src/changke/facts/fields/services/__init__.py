"""Verbs that write fields of the chain's own, one subject per file."""

from changke.facts.fields.services.define import FieldKeyTaken, change_field, define, retire
from changke.facts.fields.services.values import set_values

__all__ = ["FieldKeyTaken", "change_field", "define", "retire", "set_values"]
