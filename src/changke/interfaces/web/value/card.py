"""The model card: what was learned, on what, how it met a past that was kept from it, what held it."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.regular import RegularModel
from changke.engine.clv.spend import SpendModel
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.profiles.value.models import ValueFit
from changke.profiles.value.queries import fits, fitted

HISTORY = 20
PROMISED, NEAR = 0.8, 0.04
"""What an interval promises, and how far off is still kept: the chance of a few hundred customers."""
THIRDS = (_("Expected least often"), _("In the middle"), _("Expected most often"))

FALLBACKS: Mapping[str, str | Promise] = {
    "empty": _("Nobody has bought yet: usual values of shops, nothing learned."),
    "one_day": _("Nobody has been observed for longer than a day: usual values of shops, nothing learned."),
    "nobody_came_back": _("Nobody came back yet: the rate is held below half a purchase over everything seen."),
    "few": _("Fewer than ten customers came back: held near the usual values of shops."),
    "nobody_paid": _("No purchase day brought money: the money ahead cannot be learned."),
}
MODELS: Mapping[str, str | Promise] = {
    "BG/NBD": _("may leave after each further purchase"),
    "MBG/NBD": _("may leave after every purchase, the first too"),
    "Pareto/NBD": _("may leave at any moment"),
    "BG/CNBD-k": _("comes by the clock, the larger k the stricter; may leave after each further purchase"),
    "MBG/CNBD-k": _("comes by the clock, the larger k the stricter; may leave after every purchase, the first too"),
    "Robust spend": _("what a purchase day brings: her own mean, drawn to the chain's, huge orders capped"),
}


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    history = fits(HISTORY)
    chosen = next((one for one in history if str(one.pk) == request.GET.get("fit")), history[0] if history else None)
    context: dict[str, Any] = {"nav": "value", "history": history, "fit": chosen}
    if chosen:
        context |= _card(chosen)
    return answer(request, "value/card.html", context)


def _card(fit: ValueFit) -> dict[str, Any]:
    learned = fitted(fit)
    models: list[PurchaseModel | SpendModel] = [*learned.models.models]
    models += [learned.spend] if learned.spend else []
    return {
        "models": [
            {
                "name": model.name,
                "says": MODELS[model.name],
                "values": ", ".join(f"{name} {value:.4g}" for name, value in _numbers(model).items()),
                "why": FALLBACKS.get(fit.fallbacks.get(model.name, ""), ""),
            }
            for model in models
        ],
        "busy": formats.number(learned.busy, 2) if learned.busy != 1.0 else "",
        "level": formats.number(learned.level, 2) if learned.level != 1.0 else "",
        "purse": formats.percent(math.expm1(learned.tilt.days)) if learned.tilt.days > 0 else "",
        "card": _holdout(fit.holdout) if fit.holdout else None,
    }


def _numbers(model: PurchaseModel | SpendModel) -> dict[str, float]:
    return {"k": model.k, **model.values()} if isinstance(model, RegularModel) else model.values()


def _holdout(card: Mapping[str, Any]) -> dict[str, Any]:
    bands = card["bands"]
    return {
        **card,
        "day": formats.day(dt.date.fromisoformat(card["cut"]), timezone.localdate(), get_language() or "zh-hans"),
        "chart": {
            "labels": [str(place) for place in range(1, len(bands) + 1)],
            "unit": "%",
            "series": [
                {"name": gettext("Came"), "colour": "growth", "values": [_percent(one["came"]) for one in bands]},
                {
                    "name": gettext("Were said to come"),
                    "colour": "mature",
                    "values": [_percent(one["said"]) for one in bands],
                },
            ],
        },
        "rows": [
            [str(place), formats.number(one["customers"]), formats.percent(one["said"]), formats.percent(one["came"])]
            for place, one in enumerate(bands, start=1)
        ],
        "columns": [gettext("Tenth"), gettext("Customers"), gettext("Were said to come"), gettext("Came")],
        "intervals": _intervals(card.get("thirds", ())),
        "better_order": card["auc"] > card["naive_auc"],
        "better_count": card["rmse"] < card["naive_rmse"],
        "of_days": _ratio(card["purchases_said"], card["purchases_came"]),
        "of_money": _ratio(card["spend_said"], card["spend_came"]),
    }


def _intervals(thirds: Sequence[Mapping[str, float]]) -> dict[str, Any] | None:
    """What was promised and what was kept, for thirds of the customers, and what that means. None for older fits."""
    if not thirds:
        return None
    rows = [
        {
            "name": name,
            "said": formats.percent(one["said"]),
            "days": formats.percent(one["days_inside"]),
            "money": formats.percent(one["money_inside"]),
            "none": formats.percent(one["none"]) if one["none"] > 0 else "",
        }
        for name, one in zip(THIRDS, thirds, strict=True)
    ]
    return {"rows": rows, "meaning": _meaning(thirds)}


def _meaning(thirds: Sequence[Mapping[str, float]]) -> list[str | Promise]:
    said: list[str | Promise] = []
    narrow = any(one["days_inside"] < PROMISED - NEAR for one in thirds)
    sure = [one for one in thirds if one["days_inside"] > PROMISED + NEAR and one["none"] > 0.5]
    wide = any(one["days_inside"] > PROMISED + NEAR and one["none"] <= 0.5 for one in thirds)
    if narrow:
        said.append(_("Some intervals were too narrow: more changed than the time before had shown."))
    if wide:
        said.append(_("Some intervals were wider than they had to be."))
    if sure:
        said.append(
            _(
                "Of those who hardly ever come, most have the interval “not at all”. It holds more often than"
                " promised, and no interval is narrower."
            )
        )
    if not narrow and not wide:
        said.append(_("The intervals keep what they promise."))
    return said


def _percent(share: float) -> float:
    return round(share * 100, 1)


def _ratio(said: float, came: float) -> str:
    """How far the total was off: +4.2%, -3.0%."""
    if came <= 0:
        return "–"
    off = said / came - 1
    return f"{'+' if off >= 0 else formats.MINUS}{formats.percent(abs(off))}"
