"""Every component in every state on one page: for people who build pages, for axe, and for the screenshots."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from changke.interfaces.web import pictures
from changke.interfaces.web.answers import answer, toast
from changke.interfaces.web.conditions.editor import TEXT, Language, of_tree
from changke.interfaces.web.conditions.inputs import EditorShown, Inputs
from changke.interfaces.web.conditions.speech import Speech
from changke.interfaces.web.templatetags.web import language, stage_words
from changke.profiles.attributes.catalogue import REGISTRY

STAGES = ("intro", "growth", "mature", "silent", "lost")

COUNTS = (140_330, 239_811, 269_861, 189_824, 160_174)
CUSTOMERS = (
    ("卢芷若", "+8617112346009", "mature", "high", 12, 7_347_200, "上海徐家汇店"),
    ("侯薇", "+8618012340815", "growth", "middle", 30, 698_800, "杭州滨江宝龙店"),
    ("金娟", "+8618112345090", "silent", "low", 61, 71_680, "杭州西溪印象城店"),
    ("欧阳陶雅婷", "+8618912342759", "lost", "low", 204, 7_705_600, "长沙五一广场店"),
)
TOKENS = (
    "pri",
    "pri-t",
    "good",
    "warn",
    "bad",
    "info",
    *STAGES,
    "ink",
    "ink-2",
    "ink-3",
    "line",
    "surface",
    "sunk",
    "bg",
)


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    if "toast" in request.GET:
        toast(request, "已完成，莫莉的下一次提醒是周六", undo_url="/styleguide/")
    return answer(request, "shell/styleguide.html", specimens(timezone.localdate()))


def specimens(today: dt.date) -> dict[str, Any]:
    return {
        "nav": "styleguide",
        "tokens": TOKENS,
        "stages": [
            {"key": key, "words": stage_words(key), "count": count, "share": count / sum(COUNTS), "spark": spark_of(i)}
            for i, (key, count) in enumerate(zip(STAGES, COUNTS, strict=True))
        ],
        "customers": [
            {"name": name, "phone": phone, "stage": stage, "level": level, "spend": spend, "store": store,
             "last": today - dt.timedelta(days=days)}
            for name, phone, stage, level, days, spend, store in CUSTOMERS
        ],
        "stores": [(1, "上海徐家汇店"), (2, "杭州滨江宝龙店")],
        "ribbon": a_ribbon(today),
        "rhythm": a_rhythm(today, late=False),
        "late_rhythm": a_rhythm(today, late=True),
        "flows": flows(),
        "flow_rows": [[link["from"], link["to"], link["count"]] for link in flows()["links"][:4]],
        "months": months(),
        "month_rows": [[label, *values] for label, *values in zip(
            months()["labels"], *(one["values"] for one in months()["series"]), strict=True)],
        "month_columns": ["", *(stage_words(key) for key in STAGES)],
        "conditions": conditions(),
        "moment": timezone.now(),
        "today": today,
        "yesterday": today - dt.timedelta(days=1),
        "long_ago": today - dt.timedelta(days=400),
    }  # fmt: skip


def conditions() -> dict[str, EditorShown]:
    """Editors of one condition: in rows, and as a text with a mistake in it; and their pieces."""
    asked = Language(REGISTRY.attributes, {}, "CNY")
    tree = asked.parsed("visits >= 2 and (value_group = high or silent_days >= 60)")
    shown = {name: of_tree(f"sample-{name}", tree, asked) for name in ("rows", "text", "group", "row", "input")}
    shown["text"].mode, shown["text"].text = TEXT, "visits >= 2 and silentdays >= 60"
    speech = Speech({})
    return {name: Inputs(one.read(strict=False), speech).shown("/styleguide/") for name, one in shown.items()}


def spark_of(seed: int) -> list[int]:
    return [100 + ((i * 37 + seed * 53) % 23) + (i * (3 - seed)) for i in range(12)]


def a_ribbon(today: dt.date) -> pictures.Ribbon:
    days = [(640, "intro"), (450, "growth"), (270, "mature"), (80, "silent")]
    starts = [today - dt.timedelta(days=back) for back, _ in days]
    ends = [*starts[1:], today]
    periods = [
        pictures.Period(stage, stage_words(stage), first, until)
        for (_, stage), first, until in zip(days, starts, ends, strict=True)
    ]
    visits = [
        today - dt.timedelta(days=back) for back in (630, 600, 520, 470, 440, 400, 360, 330, 300, 260, 240, 200, 150)
    ]
    return pictures.ribbon(periods, visits, language())


def a_rhythm(today: dt.date, *, late: bool) -> pictures.Rhythm:
    shift = 40 if late else 0
    back = [10 + shift + 24 * i + (i * 7) % 5 for i in range(13)]
    last = today - dt.timedelta(days=back[0])
    return pictures.rhythm(
        purchases=[today - dt.timedelta(days=days) for days in back],
        visits=[last - dt.timedelta(days=9)],
        expected=last + dt.timedelta(days=24),
        tolerance_days=6,
        today=today,
        language=language(),
    )


def flows() -> dict[str, Any]:
    """Three dates and the customers who moved between them."""
    columns = ["9 月末", "10 月末", "11 月 21 日"]
    nodes = [
        {"key": f"{stage}{column}", "words": stage_words(stage), "stage": stage, "column": column}
        for column in range(3)
        for stage in STAGES
    ]
    moves = [
        (0, 0, 60), (0, 1, 46), (0, 3, 14), (1, 1, 150), (1, 2, 52), (1, 3, 24), (2, 2, 205), (2, 3, 40),
        (3, 3, 100), (3, 1, 8), (3, 4, 50), (4, 4, 130), (4, 1, 5),
    ]  # fmt: skip
    links = [
        {
            "from": f"{STAGES[a]}{column}",
            "to": f"{STAGES[b]}{column + 1}",
            "count": count * 1000,
            "worse": b > a and b > 2,
        }
        for column in range(2)
        for a, b, count in moves
    ]
    return {"columns": columns, "unit": "人", "nodes": nodes, "links": links}


def months() -> dict[str, Any]:
    series = [
        {
            "name": stage_words(key),
            "colour": key,
            "values": [COUNTS[i] * (80 + m * 2 + (m * i) % 5) // 100 for m in range(12)],
        }
        for i, key in enumerate(STAGES)
    ]
    return {"labels": [f"{month} 月" for month in range(1, 13)], "series": series, "unit": "人"}
