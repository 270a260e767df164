"""What the readers of conditions refuse, in the reader's language. They say it in English, with the names in quotes."""

import re

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from changke.interfaces.web.conditions.rows import Problem

KNOWN: tuple[tuple[str, str], ...] = (
    (r"a condition", _("a condition")),
    (r"one of (?P<choices>.*), 'in' or 'is'", _("one of %(choices)s, 'in' or 'is'")),
    (r"one of (?P<choices>.*)", _("one of %(choices)s")),
    (r"the name of an attribute", _("the name of an attribute")),
    (r"an attribute, tag, .*", _("an attribute, tag, consent, segment, count(, sum(, sequence(, 'not' or '('")),
    (r"'and', 'or' or the end", _("'and', 'or' or the end")),
    (r"a name or a text in quotes", _("a name or a text in quotes")),
    (r"a closing \"", _('a closing "')),
    (r"a word, a number or a comparison", _("a word, a number or a comparison")),
    (r"a number of days", _("a number of days")),
    (r"a number", _("a number")),
    (r"a whole number", _("a whole number")),
    (r"an amount of money", _("an amount of money")),
    (r"true or false", _("true or false")),
    (r"a day such as 2026-02-28", _("a day such as 2026-02-28")),
    (r"'known' or 'unknown'", _("'known' or 'unknown'")),
    (r"'item' or 'category'", _("'item' or 'category'")),
    (r"'in 90 days', 'since visit' or '\)'", _("'in 90 days', 'since visit' or ')'")),
    (r"',' or '\)'", _("',' or ')'")),
    (r"nothing nested deeper than (?P<most>\d+)", _("nothing nested deeper than %(most)s")),
    (r"nested deeper than (?P<most>\d+)", _("nothing nested deeper than %(most)s")),
    (r"at most (?P<most>\d+) characters", _("at most %(most)s characters")),
    (r"unknown attribute '(?P<name>.*)'", _("an attribute that exists; there is no %(name)s")),
    (r"unknown segment '(?P<name>.*)'", _("a segment that exists; there is no %(name)s")),
    (r"unknown item '(?P<name>.*)'", _("an item that exists; there is no %(name)s")),
    (r"unknown category '(?P<name>.*)'", _("a category that exists; there is no %(name)s")),
    (r"unknown kind of event '(?P<name>.*)'", _("a kind of event that exists; there is no %(name)s")),
    (r"unknown setting '(?P<name>.*)'", _("a setting that exists; there is no %(name)s")),
    (r"unknown consent (?P<name>.*) by .*", _("a consent that exists; there is no %(name)s")),
    (r"only attributes can be asked here", _("attributes only: more cannot be asked here")),
    (r"(?P<name>\S+) is \S+ and cannot be asked '(?P<op>.*)'", _("a comparison that fits %(name)s, not %(op)s")),
    (r"(?P<name>\S+) is \S+, not (?P<value>.*)", _("a value of %(name)s, not %(value)s")),
    (r"more than (?P<most>\d+) questions in one condition", _("at most %(most)s questions in one condition")),
    (r"a list of more than (?P<most>\d+)", _("a list of at most %(most)s")),
    (r"\w+ has no amount to sum", _("a purchase, a card use or a return: nothing else has an amount")),
    (r"1 to (?P<most>\d+) days, not .*", _("1 to %(most)s days")),
    (r"a name has 1 to (?P<most>\d+) characters.*", _("a name of 1 to %(most)s characters")),
    (r"no group that asks for itself \((?P<way>.*)\)", _("no segment that asks for itself (%(way)s)")),
)
"""Whatever is not here is shown as the reader said it."""

EXPECTED = _("expected %(expected)s")
AT = _("line %(line)s, column %(column)s: expected %(expected)s")
AT_NEAR = _("line %(line)s, column %(column)s: expected %(expected)s; did you mean %(nearest)s?")


def expected(said: str) -> str:
    """What would have been right, in the active language."""
    for pattern, template in KNOWN:
        if match := re.fullmatch(pattern, said, re.DOTALL):
            return gettext(template) % match.groupdict() if match.groupdict() else gettext(template)
    return said


def told(problem: Problem) -> str:
    template, places = problem
    return gettext(template) % places if places else gettext(template)
