"""The model card: what was learned, on what, how it met a past that was kept from it, what held it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.regular import RegularModel
from changke.engine.clv.spend import SpendModel
from changke.engine.prediction.festivals import Festival
from changke.engine.prediction.holidays import DRAGON_BOAT, MID_AUTUMN, QINGMING, SPRING_FESTIVAL
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.models import Store
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.fits.calibration import calibration
from changke.interfaces.words_of_fits import FALLBACKS, MODELS
from changke.profiles.value.models import ValueFit
from changke.profiles.value.queries import fits, fitted

HISTORY = 20
FESTIVALS: Mapping[str, str | Promise] = {
    SPRING_FESTIVAL: _("Spring Festival"),
    QINGMING: _("Qingming"),
    DRAGON_BOAT: _("Dragon Boat Festival"),
    MID_AUTUMN: _("Mid-Autumn Festival"),
}
PROMISED, NEAR = 0.8, 0.04
"""What an interval promises, and how far off is still kept: the chance of a few hundred customers."""
THIRDS = (_("Expected least often"), _("In the middle"), _("Expected most often"))


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    history = fits(HISTORY)
    chosen = next((one for one in history if str(one.pk) == request.GET.get("fit")), history[0] if history else None)
    context: dict[str, Any] = {"nav": "value", "history": history, "fit": chosen}
    if chosen:
        context |= _card(chosen)
        context |= _stores(chosen, current.stores(request))
    return answer(request, "value/card.html", context)


def _card(fit: ValueFit) -> dict[str, Any]:
    learned = fitted(fit)  # as it was asked on the day on which it was learned
    models: list[PurchaseModel | SpendModel] = [*learned.models.models]
    models += [learned.spend] if learned.spend else []
    weights = zip(learned.models.models, learned.models.weights, strict=True) if learned.models.loose else ()
    counts = {model.name: formats.percent(weight) for model, weight in weights}
    return {
        "models": [
            {
                "name": model.name,
                "says": MODELS[model.name],
                "values": ", ".join(f"{name} {value:.4g}" for name, value in _numbers(model).items()),
                "counts": counts.get(model.name, ""),
                "why": FALLBACKS.get(fit.fallbacks.get(model.name, ""), ""),
            }
            for model in models
        ],
        "busy": formats.number(learned.busy, 2) if learned.busy != 1.0 else "",
        "festivals": [_festival(one) for one in learned.calendar.festivals],
        "holidays": formats.number(learned.holidays, 2) if learned.holidays != 1.0 else "",
        "level": formats.number(learned.level, 2) if learned.level != 1.0 else "",
        "purse": formats.percent(math.expm1(learned.tilt.days)) if learned.tilt.days > 0 else "",
        "card": _holdout(fit.holdout) if fit.holdout else None,
    }


def _stores(fit: ValueFit, seen: Sequence[Store]) -> dict[str, Any]:
    """Whether stores have models of their own, and what these say of newcomers, of the stores that one may see."""
    learned = fitted(fit)
    chain, *others = learned.newcomers
    theirs = {one.store: one for one in others}
    rows = [
        {
            "name": store.name,
            "customers": theirs[store.pk].customers,
            "comes": formats.percent(theirs[store.pk].comes),
            "days": formats.number(theirs[store.pk].days, 2),
            "own": formats.percent(theirs[store.pk].customers / (theirs[store.pk].customers + learned.stores.worth), 0),
        }
        for store in seen
        if store.pk in theirs
    ]
    return {
        "stores": rows,
        "own_stores": len(theirs),
        "worth": round(learned.stores.worth),
        "chain": {"comes": formats.percent(chain.comes), "days": formats.number(chain.days, 2)},
        "why_alike": "" if theirs else _why_alike(learned.why_stores),
    }


def _why_alike(why: str) -> str | Promise:
    """Why all stores share the chain's models; nothing of fits of before."""
    said = {
        "stores: alike": _("Stores have no models of their own: their customers come and leave alike."),
        "stores: differ": _(
            "Stores have no models of their own: they differ, but the newest past was met as well by the chain's."
        ),
        "stores:": _("Stores have no models of their own: too little is known to tell them apart."),
    }
    return next((words for begin, words in said.items() if why.startswith(begin)), "")


def _festival(one: Festival) -> dict[str, Any]:
    """A holiday, and how many times as many come in the weeks around it."""
    middle = len(one.index) // 2
    week = min(middle, 7)
    parts = (
        one.index[middle - week : middle],
        one.index[middle : middle + 3],
        one.index[middle + 3 : middle + 3 + week],
    )
    return {
        "name": FESTIVALS[one.name],
        "seen": one.seen,
        "around": [formats.number(sum(part) / len(part), 2) for part in parts],
    }


def _numbers(model: PurchaseModel | SpendModel) -> dict[str, float]:
    return {"k": model.k, **model.values()} if isinstance(model, RegularModel) else model.values()


def _holdout(card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **card,
        **calibration(card, gettext("Came"), gettext("Were said to come")),
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
    if any(one["money_inside"] < PROMISED - NEAR for one in thirds):
        said.append(_("Of the money too few lie inside: trust the middle of it, not how sure it seems."))
    elif not narrow and not wide:
        said.append(_("The intervals keep what they promise."))
    return said


def _ratio(said: float, came: float) -> str:
    """How far the total was off: +4.2%, -3.0%."""
    if came <= 0:
        return "–"
    off = said / came - 1
    return f"{'+' if off >= 0 else formats.MINUS}{formats.percent(abs(off))}"
