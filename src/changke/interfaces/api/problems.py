"""What is wrong with the shape of an input, in words that say what would be right."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop
from pydantic_core import PydanticCustomError

OURS = "ours"
"""Type of the errors that our own validators raise; the reason stands in the context."""

REASONS: Mapping[str, str] = {
    "missing": gettext_noop("is missing"),
    "extra_forbidden": gettext_noop("there is no such field"),
    "int_type": gettext_noop("must be a whole number"),
    "int_parsing": gettext_noop("must be a whole number"),
    "int_from_float": gettext_noop("must be a whole number"),
    "int_parsing_size": gettext_noop("is too large"),
    "bool_type": gettext_noop("must be true or false"),
    "bool_parsing": gettext_noop("must be true or false"),
    "string_type": gettext_noop("must be text"),
    "string_unicode": gettext_noop("must be text in UTF-8"),
    "string_too_long": gettext_noop("at most %(max_length)s characters"),
    "string_too_short": gettext_noop("must not be empty"),
    "string_pattern_mismatch": gettext_noop("is not written as it should be"),
    "literal_error": gettext_noop("choose one of %(expected)s"),
    "enum": gettext_noop("choose one of %(expected)s"),
    "greater_than_equal": gettext_noop("must be at least %(ge)s"),
    "greater_than": gettext_noop("must be above %(gt)s"),
    "less_than_equal": gettext_noop("must be at most %(le)s"),
    "list_type": gettext_noop("must be a list"),
    "too_long": gettext_noop("at most %(max_length)s of them"),
    "too_short": gettext_noop("at least %(min_length)s of them"),
    "dict_type": gettext_noop("must be an object"),
    "model_type": gettext_noop("must be an object"),
    "model_attributes_type": gettext_noop("must be an object"),
    "timezone_aware": gettext_noop("must carry its zone, as in 2026-03-01T12:30:00+08:00"),
    "datetime_type": gettext_noop("is not a moment; write it as 2026-03-01T12:30:00+08:00"),
    "datetime_parsing": gettext_noop("is not a moment; write it as 2026-03-01T12:30:00+08:00"),
    "datetime_from_date_parsing": gettext_noop("is not a moment; write it as 2026-03-01T12:30:00+08:00"),
    "date_type": gettext_noop("is not a day; write it as 2026-03-01"),
    "date_parsing": gettext_noop("is not a day; write it as 2026-03-01"),
    "date_from_datetime_parsing": gettext_noop("is not a day; write it as 2026-03-01"),
    "date_from_datetime_inexact": gettext_noop("is not a day; write it as 2026-03-01"),
}
"""Type of pydantic's error -> what would be right. One that is not here cannot be read."""

UNREADABLE = gettext_noop("cannot be read")


@dataclasses.dataclass(frozen=True)
class Problem:
    """One place of the input and what is wrong there. `reason` is an English template with named places."""

    field: str
    reason: str
    places: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def ours(reason: str) -> PydanticCustomError:
    """An error for validators of our own to raise."""
    return PydanticCustomError(OURS, "{reason}", {"reason": reason})


def problem_of(error: Mapping[str, Any], *, skip: int = 0) -> Problem:
    """Pydantic's error in our words. `skip` steps of its place say nothing to the caller."""
    place = dotted(error["loc"][skip:])
    context = dict(error.get("ctx") or {})
    if error["type"] == OURS:
        return Problem(place, str(context["reason"]))
    reason = REASONS.get(str(error["type"]), UNREADABLE)
    return Problem(place, reason, context if "%(" in reason else {})


def dotted(place: Sequence[str | int]) -> str:
    """`("lines", 0, "amount_minor")` -> `lines[0].amount_minor`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "body"
