"""What an audit line is: who did what to what, as values that mean the same in ten years. docs/operations/audit.md."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Literal


@dataclass(frozen=True)
class By:
    """Who did it, as known at that moment: the name stays readable when the person has left."""

    kind: Literal["staff", "key", "system"]
    id: int | None
    name: str
    address: str = ""
    request_id: str = ""


def system(name: str) -> By:
    """The house itself: a job or a command, by its name."""
    return By("system", None, name)


Values = dict[str, object]


def plain(value: object) -> object:
    """The value as JSON keeps it. What has no plain form is a mistake of the caller and is said so."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return value.replace("\x00", "")
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case set() | frozenset():
            return sorted((plain(inner) for inner in value), key=str)
        case Sequence():
            return [plain(inner) for inner in value]
        case _:
            raise TypeError(f"an audit line cannot keep a {type(value).__name__}: pass its id or its code")


def difference(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> tuple[Values | None, Values | None]:
    """Both sides with only the fields that differ. A side that was not given (made, deleted) stays None."""
    was = None if before is None else {field: plain(value) for field, value in before.items()}
    is_now = None if after is None else {field: plain(value) for field, value in after.items()}
    if was is None or is_now is None:
        return was, is_now
    nothing = object()
    differing = {
        field for field in {*was, *is_now} if was.get(field, nothing) != is_now.get(field, nothing)
    }  # a field on one side only was added or taken away
    return (
        {field: value for field, value in was.items() if field in differing},
        {field: value for field, value in is_now.items() if field in differing},
    )


def contents(*, salt: bytes, before: Values | None, after: Values | None, reason: str) -> bytes:
    """A seal on what a line says that outlives it: the salt goes with the erased values, so nobody guesses them."""
    text = json.dumps([before, after, reason], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(salt + text.encode()).digest()
