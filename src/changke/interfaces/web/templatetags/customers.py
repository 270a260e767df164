"""Filters of the customer pages."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def at(words: Mapping[str, Any], key: str) -> Any:
    """The word for a code; the code itself where there is none."""
    return words.get(key, key)
