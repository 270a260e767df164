"""Rows of the customer list as they are shown: every text is made once, for the table and for the cards of a phone.

A list is opened all day and shows thirty customers twice; looked up and formatted by the templates, each of these texts
would cost ten times as much, and be made twice.
"""

from collections.abc import Mapping
from typing import TypedDict

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from changke.foundation.money import exponent
from changke.interfaces.web import formats
from changke.interfaces.web.customers.reads import Row
from changke.interfaces.web.templatetags import web as shown
from changke.profiles.value.models import Prediction

TAGS_SHOWN = 2


class Line(TypedDict):
    """A dictionary, because that is what a template looks up first. Money and days as texts."""

    pk: int
    href: str
    name: str
    """Her name, or that there is none."""
    called: str
    """What she is called where something must stand: her name, or her number."""
    avatar: SafeString
    phone: str
    allergies: str
    stage: SafeString
    group: SafeString
    last: str
    ago: str
    visits: str
    spend: str
    risk: str
    at_risk: bool
    outlook: str
    """Empty where nothing is expected of her."""
    expected: str
    money: str
    store: str
    adviser: str
    tags: SafeString
    more_tags: int
    all_tags: str
    value: str
    """The amount that a card has room for: the one the list is ordered by."""


def line_of(row: Row, *, stages: Mapping[str, str], groups: Mapping[str, str], order: str) -> Line:
    """`stages` and `groups`: codes in the reader's words."""
    her = row.customer
    spend, risk = shown.money(row.net_spend), shown.money(row.value_at_risk)
    group = row.value_group
    outlook, expected, money = _expected(row.expected)
    return {
        "pk": her.pk,
        "href": reverse("customer", args=(her.pk,)),
        "name": her.name or gettext("No name"),
        "called": her.name or str(her.pk),
        "avatar": shown.chip("avatar", name=shown.first_letter(her.name or gettext("No name")), stage=row.stage),
        "phone": shown.phone(row.phone),
        "allergies": her.allergies,
        "stage": shown.chip("stage", key=row.stage, words=stages.get(row.stage, row.stage)),
        "group": shown.chip("level", groups.get(group, group), level=group) if group else SafeString(),
        "last": shown.day(row.last_active_on),
        "ago": shown.days_ago(row.last_active_on) if row.last_active_on else "",
        "visits": shown.number(row.visits_365d),
        "spend": spend,
        "risk": risk,
        "at_risk": row.value_at_risk != 0,
        "outlook": outlook,
        "expected": expected,
        "money": money,
        "store": her.home_store.name if her.home_store else "",
        "adviser": her.adviser.name if her.adviser else "",
        "tags": SafeString(" ".join(shown.chip("tag", tag) for tag in row.tags[:TAGS_SHOWN])),
        "more_tags": max(len(row.tags) - TAGS_SHOWN, 0),
        "all_tags": " · ".join(row.tags),
        "value": {"spend": spend, "outlook": outlook, "expected": expected, "money": money}.get(order, risk),
    }


def _expected(one: Prediction | None) -> tuple[str, str, str]:
    """The chance that she buys, how often and for how much; empty where nothing is expected of her."""
    if one is None:
        return "", "", ""
    often = gettext("%(count)s times") % {"count": shown.number(one.expected_purchases_milli / 1_000, 1)}
    # To the whole yuan, or yen: fen of a forecast would claim a certainty that it has not.
    whole = 10 ** exponent(formats.currency.get())
    return shown.basis_points(one.p_active_bp, 0), often, shown.money(one.expected_spend_minor // whole * whole)
