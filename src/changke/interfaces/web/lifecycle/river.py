"""Counts and value per stage over time, flows between them, and where it leaks."""

import datetime as dt
from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.money import to_major
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.lifecycle import series
from changke.interfaces.web.lifecycle.colours import colours_of
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.queries import Count
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.value.profit import Profit, total

MONTHS_SHOWN = 13
PROFITS = ("profit", "each")
"""What the months can show beside customers and value: profit, and profit per customer."""
COLUMNS = 3


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    models, days = queries.models_in_use(), queries.chart_days()
    if not models or not days:
        return answer(request, "lifecycle/empty.html", {"nav": "lifecycle"})
    model = _model(models, request.GET.get("model", ""))
    days = _up_to(days, request.GET.get("day", ""))
    return answer(request, "lifecycle/river.html", _context(request, models, model, days))


def _context(
    request: HttpRequest, models: list[LifecycleModel], model: LifecycleModel, days: list[dt.date]
) -> dict[str, object]:
    language = get_language() or "zh-hans"
    scope = current.scope(request)
    shown = days[-MONTHS_SHOWN:]
    known = queries.chart_days()
    is_today = days[-1] == known[-1]
    table = queries.by_day(queries.counts(model.key, scope, since=shown[0]))
    columns = days[-COLUMNS:]
    flows = queries.flows(model.key, scope, days=columns[1:])
    words = {stage.key: stage.words[language] for stage in model.stages}
    colours, stages = colours_of(model), [stage.key for stage in model.stages]
    now = series.stages_now(stages, table, shown)
    hrefs = {
        (flow.from_stage, flow.to_stage): _people(model, flow.to_stage, flow.from_stage or series.NEWCOMERS)
        for flow in flows
        if is_today and flow.day == columns[-1]
    }
    newcomers = pgettext("lifecycle", "Newly known")
    picture = series.river(
        flows,
        columns,
        words=words,
        colours=colours,
        labels=[formats.day(day, columns[-1], language) for day in columns],
        unit=gettext("customers"),
        newcomers=newcomers,
        hrefs=hrefs,
    )
    show = request.GET.get("show", "")
    month_labels = [formats.month(day, language) for day in shown]
    if show in PROFITS:
        brought = queries.profits(model.key, scope, since=shown[0])
        months, month_rows, rests_on = _profit(
            show, stages, table, brought, shown, words=words, colours=colours, labels=month_labels
        )
    else:
        of_value = show == "value"
        months = series.composition(
            stages,
            table,
            shown,
            words=words,
            colours=colours,
            labels=month_labels,
            unit=gettext("customers"),
            of_value=of_value,
        )
        if of_value:
            months = _in_major(months, formats.currency.get())
        rests_on = ""
        month_rows = [
            [label, *(formats.number(one["values"][place]) for one in months["series"])]  # type: ignore[attr-defined]
            for place, label in enumerate(month_labels)
        ]
    return {
        "nav": "lifecycle",
        "model": model,
        "models": [(one.key, one.words[language]) for one in models],
        "day": days[-1],
        "is_today": is_today,
        "total": sum(one.customers for one in now),
        "older": known[known.index(days[-1]) - 1] if known.index(days[-1]) > 0 else None,
        "newer": None if is_today else known[known.index(days[-1]) + 1],
        "stages": [
            {
                "now": one,
                "words": words[one.stage],
                "colour": colours[one.stage],
                "missing": (stage.missing or {}).get(language, ""),
                "href": _stage_page(model, one.stage) if is_today else "",
                "change": formats.percent(abs(one.change)) if one.change is not None else "",
            }
            for one, stage in zip(now, model.stages, strict=True)
        ],
        "river": picture,
        "river_rows": [
            [words.get(flow.from_stage, newcomers), words[flow.to_stage], formats.number(flow.customers)]
            for flow in flows
            if flow.day == columns[-1]
        ],
        "leaks": [
            {
                "leak": one,
                "from_words": words[one.from_stage],
                "to_words": words[one.to_stage],
                "from_colour": colours[one.from_stage],
                "to_colour": colours[one.to_stage],
                "href": _people(model, one.to_stage, one.from_stage) if is_today else "",
            }
            for one in series.leaks(flows, on=columns[-1])
        ],
        "months": months,
        "show": show,
        "of_profit": show in PROFITS,
        "known": rests_on,
        "month_columns": [pgettext("lifecycle", "Month"), *words.values()]
        + ([gettext("All stages"), gettext("Known of the revenue")] if show in PROFITS else []),
        "month_rows": month_rows,
    }


def _profit(
    show: str,
    stages: list[str],
    table: Mapping[dt.date, Mapping[str, Count]],
    brought: Mapping[dt.date, Mapping[str, Profit]],
    days: list[dt.date],
    *,
    words: Mapping[str, str],
    colours: Mapping[str, str],
    labels: list[str],
) -> tuple[dict[str, object], list[list[str]], str]:
    """Bars and rows of what the stages brought month by month, and on how much of the revenue that is known; "" where
    no profit is known at all."""
    currency, language = formats.currency.get(), get_language() or "zh-hans"
    rows = series.profit_rows(stages, table, brought, days, each=show == "each")

    def said(minor: int | None) -> str:
        return "–" if minor is None else formats.money(minor, currency, language)

    whole = total([one for by_stage in brought.values() for one in by_stage.values()])
    picture = {
        "labels": labels,
        "unit": currency,
        "stacked": show == "profit",
        "series": [
            {
                "name": words[stage],
                "colour": colours[stage],
                "values": [round(to_major(row.stages[stage] or 0, currency)) for row in rows],
            }
            for stage in stages
        ],
    }
    told = [
        [
            label,
            *(said(row.stages[stage]) for stage in stages),
            said(row.together),
            "–" if row.known_share is None else formats.percent(row.known_share, 0),
        ]
        for label, row in zip(labels, rows, strict=True)
    ]
    known = formats.percent(whole.known_share or 0, 0) if whole.margin_minor is not None else ""
    return picture, told, known


def _in_major(months: dict[str, object], currency: str) -> dict[str, object]:
    """Axes speak of yuan, not of fen."""
    lines = [
        {**one, "values": [round(to_major(value, currency)) for value in one["values"]]}
        for one in months["series"]  # type: ignore[attr-defined]
    ]
    return {**months, "unit": currency, "series": lines}


def _model(models: list[LifecycleModel], key: str) -> LifecycleModel:
    return next((one for one in models if one.key == key), models[0])


def _up_to(days: list[dt.date], wanted: str) -> list[dt.date]:
    """The days of the charts up to the one asked for; a day they do not know leaves all of them."""
    asked = [day for day in days if day.isoformat() <= wanted] if wanted else days
    return asked if asked and (not wanted or asked[-1].isoformat() == wanted) else days


def _stage_page(model: LifecycleModel, stage: str) -> str:
    if model.is_default:
        return f"{reverse('customers')}?{urlencode({'stage': stage})}"
    return _people(model, stage, "")


def _people(model: LifecycleModel, to_stage: str, from_stage: str) -> str:
    query = {"model": model.key, "stage": to_stage} | ({"from": from_stage} if from_stage else {})
    return f"{reverse('lifecycle-people')}?{urlencode(query)}"
