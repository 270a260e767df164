"""Reading letters without trusting them: every step says what is wrong instead of failing. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from changke.facts.customers.rules import clean_name, normal_email, normal_phone
from changke.foundation.money import LARGEST_MINOR, to_minor
from changke.interfaces.webhooks.told import Buyer, Line, Unreadable

DEEPEST = 100
MOST_LINES = 400


def opened(body: bytes | str) -> dict[str, Any]:
    """The object that the text is."""
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("the body is not an object")
    return found


def _no_number(word: str) -> None:
    raise ValueError(word)


def part(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside; empty where there is none."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def items(of: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects inside; what is no object is left out."""
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(of: Mapping[str, Any], *names: str, longest: int = 200) -> str:
    """The first of these that is a text or a whole number, without what a database cannot keep."""
    for name in names:
        found = of.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**40:
            return str(found)
        if isinstance(found, str) and (plain := _storable(found).strip()):
            return plain[:longest]
    return ""


def _storable(found: str) -> str:
    return found.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def needed(of: Mapping[str, Any], *names: str, longest: int = 80) -> str:
    found = text(of, *names, longest=longest)
    if not found:
        raise Unreadable(f"{names[0]} is missing")
    return found


def whole(of: Mapping[str, Any], name: str, *, default: int = 0) -> int:
    """A whole number, also one written as a text."""
    found = of.get(name)
    if isinstance(found, str) and found.strip().lstrip("-").isascii() and found.strip().lstrip("-").isdigit():
        found = int(found[:40])
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**62:
        return found
    return default


def money(of: Mapping[str, Any], name: str, currency: str) -> int:
    """Minor units of a decimal text; 0 where it is left out. A JSON float is no money."""
    found = of.get(name)
    if found is None or found == "":
        return 0
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise Unreadable(f"{name} is not an amount")
    try:
        minor = to_minor(str(found)[:40], currency)
    except ValueError:
        raise Unreadable(f"{name} is not an amount") from None
    if abs(minor) > 100 * LARGEST_MINOR:
        raise Unreadable(f"{name} is too large")
    return minor


def buyer(*, phone: str, email: str, external_id: str, source: str, name: str) -> Buyer:
    """Who she is: by phone if it is one, by e-mail, by the source's id."""
    names: list[Mapping[str, str]] = []
    for kind, value, normal in (("phone", phone, normal_phone), ("email", email, normal_email)):
        try:
            names.append({kind: normal(value)}) if value else None
        except ValueError:
            continue
    if external_id:
        names.append({"external_id": external_id, "source": source})
    return Buyer(names, clean_name(name))


def summing_to(total: int, lines: list[Line], *, rest: str) -> list[dict[str, Any]]:
    """The lines as facts, together exactly what was paid. What is missing becomes a line of its own; what is too much
    is taken from the largest lines, because a discount of the whole order stands at none of them."""
    if total < 0:
        raise Unreadable("the total is negative")
    kept = lines[:MOST_LINES]
    amounts = [max(0, one.amount_minor) for one in kept]
    over = sum(amounts) - total
    for place in sorted(range(len(amounts)), key=lambda place: -amounts[place]):
        taken = min(max(over, 0), amounts[place])
        amounts[place] -= taken
        over -= taken
    facts = [{**one.as_fact(), "amount_minor": amount} for one, amount in zip(kept, amounts, strict=True)]
    if over < 0 or not facts:
        facts.append(Line(max(0, -over), rest, kind="other").as_fact())
    return facts
