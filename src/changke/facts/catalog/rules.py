"""What can be said of an item and of a category: each value as it is kept, or why it cannot be. Pure."""

import hashlib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from changke.foundation.errors import Invalid
from changke.foundation.money import LARGEST_MINOR, calculable

KINDS = ("service", "product", "card", "topup", "other")
WITH_COST = frozenset({"service", "product", "other"})
"""Kinds whose sale renders something: only there a cost or a margin is reckoned. A cost of another kind may be written
down all the same, since a kind is corrected more often than a cost is."""

LONGEST_CODE, LONGEST_NAME, LONGEST_CATEGORY = 80, 200, 120
LONGEST_CYCLE_DAYS = 3650
WHOLE_BASIS_POINTS = 10_000
SPACES = re.compile(r"\s+")


def name_key(name: str) -> int:
    """The code of an item or the name of a category as a number of 40 bits. The database makes the same (`sold.py`)."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:10], 16)


def line(text: object, *, field: str, longest: int) -> str:
    """One line of text as it is kept: spaces single, controls and NUL gone. Raises Invalid where nothing is left."""
    plain = "".join(letter for letter in str(text or "") if letter.isprintable() or letter.isspace())
    kept = SPACES.sub(" ", plain).strip()
    if not kept:
        raise Invalid(field=field, reason="must not be empty")
    if len(kept) > longest:
        raise Invalid(field=field, reason="at most %(most)s characters", most=longest)
    return kept


def basis_points(percent: object) -> int | None:
    """`60` or `60.25 %` -> 6000 or 6025; nothing is None. Raises Invalid below 0, above 100, beyond two decimals."""
    text = "" if percent is None else str(percent).strip().rstrip("%％").strip()
    if not text:
        return None
    try:
        written = Decimal(text)
    except InvalidOperation:
        written = Decimal("NaN")
    if not calculable(written) or not 0 <= written <= 100 or written * 100 != int(written * 100):
        raise Invalid(field="margin", reason="a percentage between 0 and 100, with two decimals at most")
    return int(written * 100)


def percent(points: int | None) -> str:
    """6025 -> `60.25`, 6000 -> `60`; None is nothing."""
    if points is None:
        return ""
    return f"{Decimal(points) / 100:f}"


def of_item(changes: Mapping[str, object]) -> dict[str, object]:
    """The values as they are kept. Raises Invalid with the field that cannot be so, also for one that is none."""
    return _checked(changes, ITEM)


def of_category(changes: Mapping[str, object]) -> dict[str, object]:
    """The same of a category: `name`, `margin_basis_points`."""
    return _checked(changes, CATEGORY)


def _checked(changes: Mapping[str, object], known: Mapping[str, Callable[[object], object]]) -> dict[str, object]:
    if strange := sorted(set(changes) - set(known)):
        raise Invalid(field=strange[0], reason="there is no such field")
    return {name: known[name](value) for name, value in changes.items()}


def _text(field: str, longest: int) -> Callable[[object], object]:
    return lambda value: line(value, field=field, longest=longest)


def _kind(value: object) -> object:
    if value not in KINDS:
        raise Invalid(field="kind", reason="choose one of %(choices)s", choices=", ".join(KINDS))
    return str(value)


def _whole(field: str, least: int, most: int, reason: str) -> Callable[[object], object]:
    """A whole number between two others, or nothing."""

    def check(value: object) -> object:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(field=field, reason=reason, least=least, most=most)
        return value

    return check


AMOUNT = "must lie between 0 and 10,000,000"
ITEM: dict[str, Callable[[object], object]] = {
    "code": _text("code", LONGEST_CODE),
    "name": _text("name", LONGEST_NAME),
    "kind": _kind,
    "category": lambda value: value,
    "price_minor": _whole("price_minor", 0, LARGEST_MINOR, AMOUNT),
    "unit_cost_minor": _whole("unit_cost_minor", 0, LARGEST_MINOR, AMOUNT),
    "usual_cycle_days": _whole(
        "usual_cycle_days", 1, LONGEST_CYCLE_DAYS, "a whole number of days between %(least)s and %(most)s"
    ),
    "is_active": bool,
}
CATEGORY: dict[str, Callable[[object], object]] = {
    "name": _text("name", LONGEST_CATEGORY),
    "margin_basis_points": _whole(
        "margin", 0, WHOLE_BASIS_POINTS, "a percentage between 0 and 100, with two decimals at most"
    ),
}
