"""The card of the weights behind what is proposed."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from changke.engine.affinity import Weights
from changke.engine.affinity.parts import GROUPS
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.fits.calibration import calibration
from changke.interfaces.words_of_fits import FALLBACKS, SPEAKS
from changke.profiles.affinity.models import AffinityFit
from changke.profiles.affinity.queries import affinity_fits, weights_of


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """`fit`: an earlier night."""
    history = affinity_fits()
    chosen = next((one for one in history if str(one.pk) == request.GET.get("fit")), history[0] if history else None)
    context: dict[str, Any] = {"nav": "together", "kind": "proposals", "history": history, "fit": chosen}
    if chosen:
        context |= _card(chosen)
    return answer(request, "fits/card.html", context)


def _card(fit: AffinityFit) -> dict[str, Any]:
    weights = weights_of(fit)
    return {
        "parts": _parts(weights) if weights else [],
        "held": FALLBACKS.get(fit.fallback, fit.fallback),
        "card": _holdout(fit.holdout) if fit.holdout else None,
    }


def _parts(weights: Weights) -> list[dict[str, Any]]:
    """The five things that speak for a proposal, each with its weights."""
    found: dict[str, list[str]] = {}
    for (part, group), value in zip(GROUPS.items(), weights.values, strict=True):
        found.setdefault(group, []).append(f"{part} {value:.3g}")
    return [
        {"name": SPEAKS[group][0], "says": SPEAKS[group][1], "values": ", ".join(values)}
        for group, values in found.items()
    ]


def _holdout(card: Mapping[str, Any]) -> dict[str, Any]:
    best = max(card["own_hit"], card["popular_hit"])
    return {
        **card,
        **calibration(card, gettext("Was taken"), gettext("Was said to be taken")),
        "facts": [
            (gettext("Purchases with one of the proposed"), formats.percent(card["hit"])),
            (gettext("… proposing what she had most often"), formats.percent(card["own_hit"])),
            (gettext("… proposing what sells most"), formats.percent(card["popular_hit"])),
            (gettext("Were taken"), _said_and_came(card["said"], card["came"])),
            (gettext("Gap of the tenths"), formats.percent(card["band_gap"])),
        ],
        "verdict": gettext("It meets more purchases than either of the simple lists.")
        if card["hit"] > best
        else gettext("It meets no more purchases than a simple list does."),
    }


def _said_and_came(said: float, came: float) -> str:
    return gettext("%(came)s, said %(said)s") % {"came": formats.percent(came), "said": formats.percent(said)}
