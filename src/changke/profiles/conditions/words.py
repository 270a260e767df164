"""A condition as a sentence, in the language that is active.

One template per operator, and/or/not among them: a translator moves the parts, the code never strings words together.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from changke.engine.definitions import Column
from changke.profiles.conditions.tree import Both, Compare, Condition, Known, Not, Value

Template = str | Promise

NUMBERS: Mapping[str, Template] = {
    "=": _("%(attribute)s is %(value)s"),
    "!=": _("%(attribute)s is not %(value)s"),
    "<": _("%(attribute)s is less than %(value)s"),
    "<=": _("%(attribute)s is at most %(value)s"),
    ">": _("%(attribute)s is more than %(value)s"),
    ">=": _("%(attribute)s is at least %(value)s"),
    "in": _("%(attribute)s is one of %(value)s"),
}

DAYS: Mapping[str, Template] = {
    **NUMBERS,
    "<": _("%(attribute)s is before %(value)s"),
    "<=": _("%(attribute)s is %(value)s or earlier"),
    ">": _("%(attribute)s is after %(value)s"),
    ">=": _("%(attribute)s is %(value)s or later"),
}

KNOWN = _("%(attribute)s is known")
UNKNOWN = _("%(attribute)s is unknown")
NOT = _("not (%(inside)s)")
GROUP = _("(%(inside)s)")
LIST = _("%(first)s, %(rest)s")
LAST = _("%(first)s or %(rest)s")

BOTH: Mapping[str, Template] = {"and": _("%(first)s and %(rest)s"), "or": _("%(first)s or %(rest)s")}


@dataclass(frozen=True)
class Speaker:
    """How names and values are said; whoever shows a condition hands in what only the roof knows.

    Parameters
    ----------
    money
        Minor units in the chain's currency, as people there write them.
    attribute
        The attribute's name; by default the words of its definition, translated.
    text
        What a code stands for ("mature" -> "Mature"); by default the code.
    """

    money: Callable[[int], str]
    attribute: Callable[[Column], str] = lambda column: gettext(column.words)
    text: Callable[[Column, str], str] = lambda column, code: code

    def say(self, condition: Condition) -> str:
        """The whole condition, in one line without a full stop."""
        match condition:
            case Both(word=word, parts=parts):
                return _joined(BOTH[word], [self._inside(part) for part in parts])
            case Not(part=Known(column=column)):
                return _filled(UNKNOWN, attribute=self.attribute(column))
            case Not(part=part):
                return _filled(NOT, inside=self.say(part))
            case Known(column=column):
                return _filled(KNOWN, attribute=self.attribute(column))
            case Compare(column=column, op=op):
                templates = DAYS if column.type == "date" else NUMBERS
                return _filled(templates[op], attribute=self.attribute(column), value=self._values(condition))
        raise TypeError(f"no words for {condition!r}")

    def _inside(self, part: Condition) -> str:
        """Brackets where and/or stand inside and/or: precedence is not for readers to know."""
        said = self.say(part)
        return _filled(GROUP, inside=said) if isinstance(part, Both) and len(part.parts) > 1 else said

    def _values(self, compare: Compare) -> str:
        if compare.op != "in":
            return self._value(compare.column, compare.value)
        *others, last = (self._value(compare.column, one) for one in compare.value)
        return _filled(LAST, first=_joined(LIST, others), rest=last) if others else last

    def _value(self, column: Column, value: Value) -> str:
        match column.type:
            case "money":
                return self.money(value)
            case "days":
                return ngettext("%(count)d day", "%(count)d days", value) % {"count": value}
            case "bool":
                return gettext("true") if value else gettext("false")
            case "text":
                return self.text(column, value)
            case "date" if isinstance(value, datetime.date):
                return date_format(value, "SHORT_DATE_FORMAT")
        return str(value)


def _filled(template: Template, **parts: str) -> str:
    return str(template) % parts


def _joined(template: Template, parts: list[str]) -> str:
    """From the right, so that the last template holds the last two: `first and (the rest)` without the brackets."""
    *before, last = parts
    return reduce(lambda rest, first: _filled(template, first=first, rest=rest), reversed(before), last)
