"""Rules over past days: asked from the editor of a model, shown beside it as soon as they are answered."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.interfaces import jobs
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.lifecycle.colours import colours_of_keys
from changke.profiles.lifecycle.catalogue import model_entries
from changke.profiles.lifecycle.models import StageReplay
from changke.profiles.lifecycle.services import ask_past

MONTHS = 12
"""Past month ends that the page compares."""


@require_GET
@needs(Capability.SETTINGS_EDIT)
def show(request: HttpRequest, replay_id: int) -> HttpResponse:
    """One answer, or how far it is."""
    asked = get_object_or_404(StageReplay, pk=replay_id)
    return answer(request, "lifecycle/_past.html", {"past": past_shown(asked)}, part="lifecycle/_past.html")


def ask(request: HttpRequest, definition: Mapping[str, Any]) -> StageReplay:
    """Ask the month ends, or the one day that was picked.

    Raises
    ------
    Invalid, TooManyReplays
    """
    typed = str(request.POST.get("past-day", "")).strip()
    by_day = request.POST.get("past") == "day"
    if by_day and not typed:
        raise Invalid(field="past-day", reason="choose a day")
    days = [_day(typed)] if typed else []
    asked = ask_past(
        definition, months=0 if by_day else MONTHS, days=days, by_name=current.staff(request).name, now=timezone.now()
    )
    jobs.ask_past(asked)
    return asked


def past_shown(asked: StageReplay) -> dict[str, Any]:
    """Days in words, with who would have stood elsewhere."""
    language, today = get_language() or "zh-hans", timezone.now().date()
    known = next((one.definition for one in model_entries() if one.key == asked.definition["key"]), {})
    stages = [*known.get("stages", ()), *asked.definition["stages"]]
    names = {one["key"]: one["words"].get(language, one["key"]) for one in stages}
    colours = colours_of_keys(list(names))
    rows = []
    for row in asked.rows:
        moves = [
            {**one, "was_words": names.get(one["was"], one["was"]), "will_words": names.get(one["will"], one["will"]),
             "was_colour": colours.get(one["was"], "new"), "will_colour": colours.get(one["will"], "new")}
            for one in row["moves"]
        ]  # fmt: skip
        day = formats.day(dt.date.fromisoformat(row["day"]), today, language)
        rows.append({
            "day": day, "differing": row["differing"], "customers": sum(row["after"].values()), "moves": moves,
            "picked": row["day"] in asked.days,
        })  # fmt: skip
    return {"asked": asked, "rows": rows}


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(field="past-day", reason="write a day as 2026-02-28") from None
