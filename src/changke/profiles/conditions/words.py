"""A condition as a sentence, in the language that is active.

One template per operator, and/or/not among them: a translator moves the parts, the code never strings words together.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.engine.definitions import Column
from changke.profiles.conditions.deeds import Consented, Counted, Deed, Member, Sequence, Tagged
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

TAGGED = _("she wears the tag %(name)s")
CONSENTED = _("she said yes to %(topic)s")
MEMBER = _("she is in the segment %(name)s")
SEQUENCE = _("%(first)s, and %(then)s within %(within)s after it")
SEQUENCE_SINCE = _("%(first)s in the last %(days)s, and %(then)s within %(within)s after it")

DEEDS: Mapping[tuple[str, str], Template] = {
    ("purchase", ""): pgettext_lazy("deed", "purchases"),
    ("purchase", "item"): _("purchases of %(name)s"),
    ("purchase", "category"): _("purchases of the category %(name)s"),
    ("use", ""): pgettext_lazy("deed", "card uses"),
    ("use", "item"): _("card uses for %(name)s"),
    ("use", "category"): _("card uses for the category %(name)s"),
    ("return", ""): pgettext_lazy("deed", "returns"),
    ("visit", ""): pgettext_lazy("deed", "visits"),
    ("event", "kind"): _("events %(name)s"),
}
ONE_DEED: Mapping[tuple[str, str], Template] = {
    ("purchase", ""): _("a purchase"),
    ("purchase", "item"): _("a purchase of %(name)s"),
    ("purchase", "category"): _("a purchase of the category %(name)s"),
    ("use", ""): _("a card use"),
    ("use", "item"): _("a card use for %(name)s"),
    ("use", "category"): _("a card use for the category %(name)s"),
    ("return", ""): _("a return"),
    ("visit", ""): _("a visit"),
    ("event", "kind"): _("an event %(name)s"),
}
WINDOWS: Mapping[str, Template] = {
    "count": _("the number of %(deeds)s"),
    "count days": _("the number of %(deeds)s in the last %(days)s"),
    "count visit": _("the number of %(deeds)s since the last visit"),
    "sum": _("the amount of %(deeds)s"),
    "sum days": _("the amount of %(deeds)s in the last %(days)s"),
    "sum visit": _("the amount of %(deeds)s since the last visit"),
}


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
        What a code stands for ("mature" -> "Mature"), or a number of something with a name; by default the code.
    """

    money: Callable[[int], str]
    attribute: Callable[[Column], str] = lambda column: gettext(column.words)
    text: Callable[[Column, str], str] = lambda column, code: code
    named: Callable[[str, str], str] = lambda kind, code: code
    """What a code of another kind stands for: item, segment, consent ("marketing sms"), event."""

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
            case Tagged(name=name):
                return _filled(TAGGED, name=name)
            case Member(key=key):
                return _filled(MEMBER, name=self.named("segment", key))
            case Consented(purpose=purpose, channel=channel):
                return _filled(CONSENTED, topic=self.named("consent", f"{purpose} {channel}".strip()))
            case Counted():
                return self._counted(condition)
            case Sequence(first=first, then=then, within=within, days=days):
                said = {
                    "first": self._deed(ONE_DEED, first),
                    "then": self._deed(ONE_DEED, then),
                    "within": _days(within),
                }
                return _filled(SEQUENCE_SINCE, days=_days(days), **said) if days else _filled(SEQUENCE, **said)
        raise TypeError(f"no words for {condition!r}")

    def asks(self, condition: Condition) -> str:
        """What is asked, without what it is compared with: a count by the name of its number."""
        return self._number(condition) if isinstance(condition, Counted) else self.say(condition)

    def _counted(self, one: Counted) -> str:
        value = self.money(one.value) if one.measure == "sum" else str(one.value)
        return _filled(NUMBERS[one.op], attribute=self._number(one), value=value)

    def _number(self, one: Counted) -> str:
        window = f"{one.measure} days" if one.days else f"{one.measure} visit" if one.since_visit else one.measure
        deeds, days = self._deed(DEEDS, one.deed), _days(one.days or 0)
        return _filled(WINDOWS[window], deeds=deeds, days=days)

    def _deed(self, templates: Mapping[tuple[str, str], Template], deed: Deed) -> str:
        name = self.named("event", deed.value) if deed.by == "kind" else self.named(deed.by, deed.value)
        return _filled(templates[deed.kind, deed.by], name=name)

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
                return _days(value)
            case "bool":
                return gettext("true") if value else gettext("false")
            case "text":
                return self.text(column, value)
            case "int" if column.name.endswith("_id"):
                return self.text(column, str(value))
            case "date" if isinstance(value, datetime.date):
                return date_format(value, "SHORT_DATE_FORMAT")
        return str(value)


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


JOINT = "\0"
"""Where a part begins or ends; no name of ours holds one."""
APART = re.compile(f"(?<=[\u4e00-\u9fff]){JOINT}+(?=[0-9])|(?<=[0-9]){JOINT}+(?=[\u4e00-\u9fff])")


def _filled(template: Template, **parts: str) -> str:
    """Chinese sets a space between its characters and digits, and a translator cannot know which part begins with
    some: "不少于 60 天", but "为高价值"."""
    said = str(template) % {name: f"{JOINT}{part}{JOINT}" for name, part in parts.items()}
    return APART.sub(" ", said).replace(JOINT, "")


def _joined(template: Template, parts: list[str]) -> str:
    """From the right, so that the last template holds the last two: `first and (the rest)` without the brackets."""
    *before, last = parts
    return reduce(lambda rest, first: _filled(template, first=first, rest=rest), reversed(before), last)
