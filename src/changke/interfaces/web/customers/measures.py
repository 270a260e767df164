"""The numbers of the page: a name, the definition (the words of its header, translated), and how a value is written."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.engine.definitions import Column
from changke.facts.catalog.models import Category
from changke.facts.scores.rules import DAY_ENDING
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.customers.defined import DEFINED
from changke.interfaces.web.customers.named import named
from changke.profiles.attributes import deeds, made, worn
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.conditions import Beyond, read_condition
from changke.profiles.conditions.words import Speaker
from changke.profiles.lifecycle.queries import own_composer


@dataclass(frozen=True)
class Measure:
    """A number of the page, ready to be shown."""

    key: str
    name: str
    definition: str
    said: str


MARGIN_BASIS = {
    "cost": _("From the cost of each item"),
    "percent": _("From the category's usual percentage"),
    "mixed": _("Partly from costs, partly from percentages"),
    "unknown": _("Cost unknown"),
}

# Name -> (how the page calls it, its definition: word for word the header of the attribute's file, which a test holds).
NAMES: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "net_spend": (_("Total spend"), _("cash in less cash given back")),
    "net_spend_365d": (_("Spend this year"), _("cash in less cash given back, last 365 days")),
    "value_at_risk": (_("Value at risk"), _("net spend in the 365 days before her last activity")),
    "average_ticket": (_("Average ticket"), _("average purchase")),
    "purchases": (_("Purchases"), _("purchases")),
    "purchases_365d": (_("Purchases this year"), _("purchases in the last 365 days")),
    "visits": (_("Visits"), _("visits")),
    "visits_365d": (_("Visits this year"), _("visits in the last 365 days")),
    "visit_days": (_("Days here"), _("days on which she came")),
    "visit_days_365d": (_("Days here this year"), _("days on which she came in the last 365 days")),
    "uses": (_("Card uses"), _("card uses")),
    "consumption_365d": (_("Consumption this year"), _("services and products rendered in the last 365 days")),
    "refunds": (_("Given back"), _("cash given back")),
    "margin_365d": (_("Profit this year"), _("profit in the last 365 days, where it is known")),
    "usual_gap_days": (_("Usual gap"), _("her usual gap, shrunk toward the chain's")),
    "own_gap_days": (_("Own gap"), _("her own median gap")),
    "silent_days": (_("Days silent"), _("days since she was last active")),
    "silence_percent_of_gap": (_("Silence in usual gaps"), _("silence in percent of her usual gap")),
    "expected_next_visit_on": (_("Expected next visit"), _("the day on which her usual gap ends")),
    "overdue_days": (_("Days overdue"), _("days past the expected next visit")),
    "first_visit_on": (_("First visit"), _("day of the first visit")),
    "last_active_on": (_("Last active day"), _("last day on which she was active")),
    "first_purchase_on": (_("First purchase"), _("day of the first purchase")),
    "last_purchase_on": (_("Last purchase"), _("day of the last purchase")),
    "recency_score": (_("R, recency"), _("fifth by how recently she was active")),
    "frequency_score": (_("F, frequency"), _("fifth by how often she bought in a year; 1 when not at all")),
    "money_score": (_("M, money"), _("fifth by net spend in a year; 1 when none")),
    "value_group": (_("Value group"), _("value group: high, middle, low")),
    "loyalty_group": (_("Loyalty group"), _("loyalty group: loyal, potential, lost")),
    "new_or_old": (
        _("New or old"),
        _("new before the second purchase and within a year of the first, else old"),
    ),
    "need_group_id": (
        _("Need group"),
        _("need group: the category of most of her days with a purchase or use in the last 365, cards left out"),
    ),
    "need_days_bp": (
        _("Days of her need group"),
        _("days of her need group among all her days with a category in the last 365, in basis points"),
    ),
    "service_preference_id": (
        _("Service preference"),
        _("service preference: the category of services of most of her days in the last 365"),
    ),
    "was_brought": (_("Brought by a customer"), _("brought by another customer")),
    "member_stratum": (
        _("Member stratum"),
        _("member stratum: sleeping, super VIP, golden, VIP, casual, regular"),
    ),
    "is_high_net_worth": (_("High net worth"), _("in the highest fifth by net spend in a year")),
    "referred_customers": (_("Customers she brought"), _("customers whom she brought")),
    "referral_value": (_("Referral value"), _("cash in less cash given back, of those whom she brought")),
    "referral_value_365d": (
        _("Referral value this year"),
        _("cash in less cash given back, of those whom she brought, last 365 days"),
    ),
    "birth_decade": (pgettext_lazy("birth", "Decade"), _("the decade she was born in, 1990 for 90后")),
}
VALUE = (
    "net_spend",
    "net_spend_365d",
    "value_at_risk",
    "average_ticket",
    "visits_365d",
    "usual_gap_days",
    "consumption_365d",
    "margin_365d",
)
"""The grid of the page; everything else stands in the table of attributes."""
BROUGHT = ("referred_customers", "referral_value")
"""Beside it, of whoever brought somebody."""

CODES = {
    "value_group": words.VALUE_GROUPS,
    "loyalty_group": words.LOYALTY_GROUPS,
    "new_or_old": words.NEW_OR_OLD,
    "member_stratum": words.MEMBER_STRATA,
    "margin_basis": MARGIN_BASIS,
}
CATEGORIES = frozenset({"need_group_id", "service_preference_id"})
"""Attributes whose value is the number of a category: shown by its name."""
TIMES = frozenset({"visits", "visits_365d", "purchases", "purchases_365d", "uses"})
UNKNOWN = "–"


def measures(names: Sequence[str], attributes: Mapping[str, Any]) -> list[Measure]:
    return [measure(name, attributes) for name in names]


def measure(name: str, attributes: Mapping[str, Any]) -> Measure:
    definition = str(NAMES[name][1])
    if name.startswith("margin") and (basis := attributes.get("margin_basis")):
        definition = gettext("%(definition)s. %(basis)s.") % {"definition": definition, "basis": MARGIN_BASIS[basis]}
    return Measure(name, name_of(name), definition, say(name, attributes.get(name)))


def name_of(attribute: str) -> str:
    """What the page calls it; an attribute that no page names is called by its definition."""
    if attribute in NAMES:
        return str(NAMES[attribute][0])
    if attribute in DEFINED:
        return str(DEFINED[attribute])
    if tree := made.tree_of(attribute):
        return speaker().asks(read_condition(tree, {}, beyond=Beyond()))
    column = column_of(attribute)
    if column.name.endswith(DAY_ENDING) and column.name not in REGISTRY.attributes:
        return gettext("%(score)s: the day it speaks of") % {"score": column.words.removesuffix(" (%)")}
    return column.words


def called(column: Column) -> str:
    """The same of a column; that of a tag, an item or a category holds its text."""
    if deeds.names_something(column.name):
        return speaker().asks(read_condition(deeds.tree_of(column.name, column.words.split("\n")), {}, beyond=Beyond()))
    return gettext("Tag: %(tag)s") % {"tag": column.words} if worn.is_worn(column.name) else name_of(column.name)


def column_of(attribute: str) -> Column:
    """An attribute of the house, or what is the chain's own, by either of its names."""
    if attribute in REGISTRY.attributes:
        return REGISTRY.attributes[attribute]
    if made.is_made(attribute):
        return made.column_of(attribute)
    composer = own_composer(get_language() or "zh-hans")
    return composer.registry.attributes[attribute.replace(".", "_", 1)]


def say(attribute: str, value: Any) -> str:
    """A value as the reader writes it, with its unit."""
    if value is None:
        return UNKNOWN
    language = get_language() or "zh-hans"
    if attribute in CODES:
        return str(CODES[attribute].get(value, value))
    if attribute in CATEGORIES:
        return value if isinstance(value, str) else category_names([int(value)]).get(int(value), UNKNOWN)
    if attribute == "need_days_bp":
        return formats.percent(value / 10_000)
    if isinstance(value, dt.date):
        return formats.day(value, timezone.localdate(), language)
    if attribute == "silence_percent_of_gap":
        return gettext("%(times)s times") % {"times": formats.number(value / 100, 1)}
    if attribute == "birth_decade":
        return gettext("%(decade)ss") % {"decade": str(value)}
    match column_of(attribute).type:
        case "money":
            return formats.money(value, formats.currency.get(), language)
        case "days":
            return ngettext("%(days)s day", "%(days)s days", value) % {"days": formats.number(value)}
        case "int" if attribute in TIMES:
            return ngettext("%(count)s time", "%(count)s times", value) % {"count": formats.number(value)}
        case "int":
            return formats.number(value)
        case "bool":
            return gettext("yes") if value else gettext("no")
    return str(value)


def speaker() -> Speaker:
    """Conditions in the words of the pages."""
    return Speaker(
        money=lambda minor: formats.money(minor, formats.currency.get(), get_language() or "zh-hans"),
        attribute=called,
        named=named,
        text=lambda column, code: say(column.name, code),
    )


def category_names(numbers: Iterable[int]) -> dict[int, str]:
    return dict(Category.objects.filter(pk__in=list(numbers)).values_list("pk", "name"))


def with_names(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the names of categories in the place of their numbers, looked up all at once."""
    numbers = {name: attributes[name] for name in CATEGORIES if attributes.get(name) is not None}
    names = category_names(numbers.values()) if numbers else {}
    return {**attributes, **{name: names.get(number) for name, number in numbers.items()}}


def inside(attribute: str, value: Any) -> str:
    """A value inside a sentence of a stage model, which brings its own unit."""
    is_named = attribute in CATEGORIES or attribute == "need_days_bp"
    is_number = isinstance(value, int) and not is_named and column_of(attribute).type not in {"money", "bool"}
    return formats.number(value) if is_number else say(attribute, value)
