"""A report card as a chart and a table: what was said, what came."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext

from changke.interfaces.web import formats


def calibration(card: Mapping[str, Any], came: str, said: str) -> dict[str, Any]:
    """`day`, `chart`, `rows`, `columns` of a card with a `cut` and `bands`; `came` and `said` name the two bars."""
    bands = card["bands"]
    return {
        "day": formats.day(dt.date.fromisoformat(card["cut"]), timezone.localdate(), get_language() or "zh-hans"),
        "chart": {
            "labels": [str(place) for place in range(1, len(bands) + 1)],
            "unit": "%",
            "series": [
                {"name": came, "colour": "growth", "values": [_percent(one["came"]) for one in bands]},
                {"name": said, "colour": "mature", "values": [_percent(one["said"]) for one in bands]},
            ],
        },
        "rows": [
            [str(place), formats.number(one["customers"]), formats.percent(one["said"]), formats.percent(one["came"])]
            for place, one in enumerate(bands, start=1)
        ],
        "columns": [gettext("Tenth"), gettext("Customers"), said, came],
    }


def _percent(share: float) -> float:
    return round(share * 100, 1)
