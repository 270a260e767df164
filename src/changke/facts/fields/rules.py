"""What a field of the chain's own accepts. Pure: the same for page, API, import and restore."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from changke.foundation.money import calculable

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
KINDS = ("text", "number", "money", "date", "choice", "choices", "yes_no")
NUMBERS = ("number", "money")
LONGEST_TEXT = 400
MOST_CHOICES = 60
LARGEST = 10**15
YES = frozenset({"yes", "true", "1", "on", "y", "是", "有", "对", "√"})
NO = frozenset({"no", "false", "0", "off", "n", "否", "无", "無", "不", "×"})

Plain = str | int | bool | list[str] | None
"""A value as it is handed about: money in minor units, a day as ISO text, several choices as a list."""


class Unfit(ValueError):
    """A value the field does not take; `reason` is an English template, translated at the roof."""

    def __init__(self, *, reason: str, **places: object) -> None:
        self.reason, self.places = reason, places
        super().__init__(reason % places if places else reason)


@dataclass(frozen=True)
class Rule:
    """One field: its kind and its bounds. Of a text `minimum` and `maximum` are lengths."""

    kind: str
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    required: bool = False


def read(rule: Rule, text: str, *, exponent: int = 2) -> Plain:
    """What somebody typed, or what stands in a cell. Empty is None."""
    text = text.strip()
    if not text:
        return None
    match rule.kind:
        case "number":
            return _whole(text, 0)
        case "money":
            return _whole(text, exponent)
        case "choices":
            return [part for part in (one.strip() for one in re.split(r"[,，、;；|/]", text)) if part]
        case "yes_no":
            word = text.lower()
            if word not in YES | NO:
                raise Unfit(reason="write yes or no")
            return word in YES
        case "date":
            return _day(text)
    return text


def fit(rule: Rule, value: object) -> Plain:
    """The value, if the field takes it; refused with what would be right."""
    if value is None or value == "" or value == []:
        if rule.required:
            raise Unfit(reason="is required")
        return None
    match rule.kind, value:
        case (("number" | "money"), int()) if not isinstance(value, bool):
            return _between(rule, value)
        case "date", str():
            return _day(value)
        case "yes_no", bool():
            return value
        case "choice", str():
            return _chosen(rule, [value])[0]
        case "choices", list() | tuple():
            return _chosen(rule, [str(one) for one in value])
        case "text", str():
            plain = " ".join(value.replace("\x00", "").split())
            if len(plain) > min(rule.maximum or LONGEST_TEXT, LONGEST_TEXT):
                raise Unfit(reason="at most %(longest)s characters", longest=rule.maximum or LONGEST_TEXT)
            if rule.minimum and len(plain) < rule.minimum:
                raise Unfit(reason="at least %(shortest)s characters", shortest=rule.minimum)
            return plain
    raise Unfit(reason="is not a value of this kind")


def _between(rule: Rule, value: int) -> int:
    if abs(value) > LARGEST:
        raise Unfit(reason="is too large")
    if rule.minimum is not None and value < rule.minimum:
        raise Unfit(reason="at least %(least)s", least=rule.minimum)
    if rule.maximum is not None and value > rule.maximum:
        raise Unfit(reason="at most %(most)s", most=rule.maximum)
    return value


def _chosen(rule: Rule, words: Sequence[str]) -> list[str]:
    """In the order of the definition, each once: so that the same choice is always the same value."""
    if unknown := [word for word in words if word not in rule.choices]:
        raise Unfit(reason="%(word)s is not one of the choices", word=unknown[0])
    return [choice for choice in rule.choices if choice in words]


def _whole(text: str, digits: int) -> int:
    try:
        written = Decimal(text.replace(",", "").replace("，", "").lstrip("¥￥$"))
    except InvalidOperation:
        raise Unfit(reason="is not a number") from None
    if not calculable(written):
        raise Unfit(reason="is not a number")
    exact = written * 10**digits
    if exact != exact.to_integral_value():
        raise Unfit(reason="has too many digits after the point")
    return int(exact)


def _day(text: str) -> str:
    try:
        day = dt.date.fromisoformat(text.strip().replace("/", "-").replace(".", "-"))
    except ValueError:
        raise Unfit(reason="is not a day: write it as 2026-03-01") from None
    if not 1900 <= day.year <= 2200:
        raise Unfit(reason="lies too far away")
    return day.isoformat()


# How a value stands in its row.


def stored(kind: str, value: Plain) -> tuple[str | None, int | None, dt.date | None]:
    """Text, number and day; one of them, by kind. Several choices are one text with a bar around each."""
    match kind, value:
        case _, None:
            return None, None, None
        case (("number" | "money" | "yes_no"), (int() | bool())):
            return None, int(value), None
        case "date", str():
            return None, None, dt.date.fromisoformat(value)
        case "choices", list():
            return f"|{'|'.join(value)}|", None, None
    return str(value), None, None


def plain(kind: str, text: str | None, number: int | None, day: dt.date | None) -> Plain:
    """The value of a row."""
    match kind:
        case "yes_no":
            return None if number is None else bool(number)
        case "number" | "money":
            return number
        case "date":
            return day.isoformat() if day else None
        case "choices":
            return text.strip("|").split("|") if text else None
    return text


def to_restore(*, before: Plain, after: Plain, now: Plain) -> bool:
    """Whether an undo gives the former value back: only where there still stands what the batch wrote."""
    return now == after and before != after
