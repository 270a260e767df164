"""A value of a condition as an input holds it, and what was typed as the condition wants it."""

import datetime as dt
from collections.abc import Mapping

from changke.engine.definitions import Column
from changke.foundation.money import to_major, to_minor

OPERATORS: Mapping[str, tuple[str, ...]] = {"text": ("=", "!=", "in"), "bool": ("=",)}
ORDERED = (">=", "<=", "=", "!=", ">", "<")
"""Of numbers, money and days."""


def operators_of(column: Column) -> tuple[str, ...]:
    if column.type == "int" and column.name.endswith("_id"):  # the number of something: no greater, no less
        return OPERATORS["text"]
    return OPERATORS.get(column.type, ORDERED)


def written(value: object, column: Column | None, *, currency: str) -> str:
    """A value as its input holds it."""
    if isinstance(value, list | tuple):
        return ", ".join(written(one, column, currency=currency) for one in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int) and column is not None and column.type == "money":
        return str(to_major(value, currency))
    return str(value)


def read(text: str, column: Column, *, op: str = "=", currency: str) -> object:
    """What was typed, as the condition wants it. Raises ValueError."""
    if op == "in":
        return [read(one.strip(), column, currency=currency) for one in text.split(",") if one.strip()]
    match column.type:
        case "money":
            return to_minor(text, currency)
        case "int" | "days":
            return int(text)
        case "bool":
            if text not in {"0", "1"}:
                raise ValueError(text)
            return text == "1"
        case "date":
            return dt.date.fromisoformat(text).isoformat()
    if not text:
        raise ValueError(text)
    return text
