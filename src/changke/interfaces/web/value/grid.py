"""The grid of values: recency by frequency, how many and how much; value groups; ages. Every number leads to people."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phones_of
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import days_at
from changke.profiles.value.grid import NOBODY, Grid, added, ages, grid, groups, members
from changke.profiles.value.models import Prediction
from changke.profiles.value.queries import current_fit, margin_of_chain, value_rules

PAGE = 50
SHADES = 5
SHOWN = ("customers", "value", "spent")


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    scope, rules = current.scope(request), value_rules()
    shown = request.GET.get("show", SHOWN[0])
    shown = shown if shown in SHOWN else SHOWN[0]
    money = _number(request, "money")
    found = grid(scope, money=money)
    context: dict[str, Any] = {
        "nav": "value",
        "grid": found,
        "total": found.total,
        "fit": current_fit(),
        "rules": rules,
        "margin_known": margin_of_chain() is not None,
        "shown": shown,
        "money": money,
        "moneys": range(found.money, 0, -1),
        "rows": _rows(found, shown, money),
        "columns": [_band("frequency", one, found) for one in range(1, found.frequency + 1)],
        "groups": _groups(scope),
        "ages": ages(scope, today=days_at(timezone.now(), the_chain()).chain),
    }
    return answer(request, "value/grid.html", context)


def _rows(found: Grid, shown: str, money: int | None) -> list[dict[str, Any]]:
    """A row per band of recency, the freshest first; every cell with its share of the darkest."""
    name = {"customers": "customers", "value": "value_minor", "spent": "spent_minor"}[shown]
    most = max((getattr(one, name) for one in found.cells.values()), default=0)
    rows = []
    for recency in range(found.recency, 0, -1):
        cells = []
        for frequency in range(1, found.frequency + 1):
            cell = found.cells.get((recency, frequency), NOBODY)
            number = getattr(cell, name)
            query = {"r": recency, "f": frequency} | ({"money": money} if money else {})
            cells.append(
                {
                    "cell": cell,
                    "shade": 0 if number <= 0 or most <= 0 else max(1, -(-number * SHADES // most)),
                    "href": f"{reverse('value-people')}?{urlencode(query)}" if cell.customers else "",
                }
            )
        rows.append({"words": _band("recency", recency, found), "cells": cells})
    return rows


def _band(measure: str, score: int, found: Grid) -> str:
    """A band in words: its bounds where the chain has chosen them, else which fifth."""
    bounds = found.bounds.get({"recency": "recency_days"}.get(measure, measure))
    if not bounds:
        return f"{measure[0].upper()}{score}"
    place = len(bounds) + 1 - score if measure == "recency" else score - 1
    low, high = (bounds[place - 1] if place else None), (bounds[place] if place < len(bounds) else None)
    if measure == "recency":
        if high is None:
            return gettext("from %(days)s days") % {"days": low}
        return gettext("below %(days)s days") % {"days": high}
    if high is None:
        return gettext("%(count)s or more times") % {"count": low}
    if low is None:
        return gettext("below %(count)s times") % {"count": high}
    return gettext("%(low)s to %(high)s times") % {"low": low, "high": high - 1}


def _groups(scope: Scope) -> list[dict[str, Any]]:
    found = groups(scope)
    total = added(found.values())
    return [
        {
            "cell": cell,
            "words": words.VALUE_GROUPS[group],
            "share": formats.percent(cell.customers / total.customers) if total.customers else "",
            "of_value": formats.percent(cell.value_minor / total.value_minor) if total.value_minor > 0 else "",
            "href": f"{reverse('customers')}?{urlencode({'group': group})}",
        }
        for group, cell in found.items()
    ]


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def people(request: HttpRequest) -> HttpResponse:
    """Who stands in a cell, the most valuable first."""
    scope = current.scope_for(request, Capability.CUSTOMER_VIEW) & current.scope(request)
    recency, frequency, money = (_number(request, name) for name in ("r", "f", "money"))
    if recency is None or frequency is None:
        raise Http404
    found = members(scope, recency=recency, frequency=frequency, money=money, after=after_of(request), most=PAGE + 1)
    page = found[:PAGE]
    ids = [pk for pk, _ in page]
    customers = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    profiles, predictions, phones = Profile.objects.in_bulk(ids), Prediction.objects.in_bulk(ids), phones_of(ids)
    shape = grid(scope, money=money)
    context = {
        "nav": "value",
        "rows": [
            {
                "customer": customers[pk],
                "phone": phones.get(pk, ""),
                "profile": profiles[pk],
                "chance": said.p_active_bp if said else None,
                "value": said.value_year_minor if said else None,
                "worth": said.worth_minor if said else None,
            }
            for pk in ids
            for said in [predictions.get(pk)]
            if pk in customers and pk in profiles
        ],
        "years": value_rules().worth_years,
        "cell": shape.cells.get((recency, frequency), NOBODY),
        "recency": _band("recency", recency, shape),
        "frequency": _band("frequency", frequency, shape),
        "after": f"{page[-1][1]}~{page[-1][0]}" if len(found) > PAGE else "",
    }
    return answer(request, "value/people.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 and int(text) else None


def after_of(request: HttpRequest) -> tuple[int, int] | None:
    """The position of a list by value: the value and the customer."""
    value, _, customer = request.GET.get("after", "").partition("~")
    try:
        found = int(value), int(customer)
    except ValueError:
        return None
    return found if all(abs(one) < 2**62 for one in found) else None
