"""What a score accepts. Pure: the same for file, page, API and command."""

import datetime as dt
import math
import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
WHOLE = re.compile(r"-?\d+\.0")
KINDS = ("chance", "number", "money", "label")
"""A chance from 0 to 1, kept in basis points; a whole number; money, in files in whole units; a word, as of a cluster,
name."""

DAY_ENDING = "_on"
"""`score.churn_on` is the day of `score.churn`, so no key may end like this."""

LARGEST = 10**15
LONGEST_LABEL = 60
FULL = 10_000
FIRST_DAY = dt.date(2000, 1, 1)

Stored = tuple[int | None, str | None]
"""Number and text: one of them, by the kind."""


class Unfit(ValueError):
    """A value that a score does not take; `reason` is an English template, translated at the roof."""

    def __init__(self, *, reason: str, **places: object) -> None:
        self.reason, self.places = reason, places
        super().__init__(reason % places if places else reason)


def fit(kind: str, value: object, *, digits: int) -> Stored | None:
    """What is kept of a value as a file or a machine writes it; None where it says nothing.

    `digits` are those of the currency behind the point.

    Raises
    ------
    Unfit
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool):
        raise Unfit(reason="is yes or no, and not a number")
    if kind == "label":
        return None, _label(value)
    number = _number(value)
    if kind == "chance":
        if not 0 <= number <= 1:
            raise Unfit(reason="a chance lies between 0 and 1")
        return int((number * FULL).to_integral_value(ROUND_HALF_EVEN)), None
    scaled = number.scaleb(digits) if kind == "money" else number
    if abs(scaled) > LARGEST:
        raise Unfit(reason="is too large")
    if kind == "money":
        return int(scaled.to_integral_value(ROUND_HALF_EVEN)), None
    if scaled != scaled.to_integral_value():
        raise Unfit(reason="is not a whole number: multiply it, or make it a chance")
    return int(scaled), None


def plain(kind: str, number: int | None, text: str | None, *, digits: int) -> Decimal | int | str | None:
    """What is kept, as files and machines write it."""
    if kind == "label":
        return text
    if number is None:
        return None
    if kind == "number":
        return number
    return Decimal(number).scaleb(-4 if kind == "chance" else -digits)


def day(value: object, *, today: dt.date) -> dt.date:
    """The day that a score speaks of. Raises Unfit."""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value.strip()[:10])
        except ValueError:
            raise Unfit(reason="is not a day: write it as 2026-03-01") from None
    if not isinstance(value, dt.date):
        raise Unfit(reason="is not a day: write it as 2026-03-01")
    if value > today:
        raise Unfit(reason="lies in the future")
    if value < FIRST_DAY:
        raise Unfit(reason="lies too far away")
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit(reason="is not a finite number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Unfit(reason="is not a number") from None
    if not number.is_finite():
        raise Unfit(reason="is not a finite number")
    if number.adjusted() > 20:
        raise Unfit(reason="is too large")
    return number


def _label(value: object) -> str:
    said = " ".join(str(value).replace("\x00", "").split())
    if said.lower() in {"nan", "inf", "-inf", "infinity", "-infinity"}:
        raise Unfit(reason="is not a finite number")
    if WHOLE.fullmatch(said):
        said = said.removesuffix(".0")  # a column of cluster numbers with a gap in it
    if not said or len(said) > LONGEST_LABEL:
        raise Unfit(reason="a label has 1 to %(most)s characters", most=LONGEST_LABEL)
    return said
