"""The card of the model behind the warnings: of everybody's purchase days, or of the days of a line of services."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.fits.calibration import calibration
from changke.interfaces.words_of_fits import FALLBACKS, MODELS
from changke.profiles.risk.models import RiskFit
from changke.profiles.risk.queries import lines_with_fits, risk_fits, rule_in_use
from changke.profiles.risk.rules import models_of


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """`line`: the id of a line of services; `fit`: an earlier night."""
    lines, asked = lines_with_fits(), request.GET.get("line", "")
    line = next((one for one in lines if str(one.pk) == asked), None)
    if asked and line is None:
        raise Http404
    history = risk_fits(line.pk if line else None)
    chosen = next((one for one in history if str(one.pk) == request.GET.get("fit")), history[0] if history else None)
    context: dict[str, Any] = {
        "nav": "risk", "kind": "warnings", "history": history, "fit": chosen, "line": line, "standing": rule_in_use(),
        "line_options": [("", gettext("The whole customer")), *((str(one.pk), str(one)) for one in lines)],
    }  # fmt: skip
    if chosen:
        context |= _card(chosen)
    return answer(request, "fits/card.html", context)


def _card(fit: RiskFit) -> dict[str, Any]:
    return {
        "parts": [
            {
                "name": model,
                "says": MODELS.get(model, model),
                "values": ", ".join(f"{name} {value:.4g}" for name, value in values.items()),
            }
            for model, values in models_of(fit.parameters).items()
        ],
        "held": FALLBACKS.get(fit.fallback, fit.fallback),
        "card": _holdout(fit.holdout) if fit.holdout else None,
    }


def _holdout(card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **card,
        **calibration(card, gettext("Came"), gettext("Were said to come")),
        "facts": [
            (gettext("Came"), _said_and_came(card["active_said"], card["active_came"])),
            (gettext("Gap of the tenths"), formats.percent(card["band_gap"])),
            (gettext("Right order (AUC)"), formats.percent(card["auc"])),
            (gettext("… by silence alone"), formats.percent(card["naive_auc"])),
            (gettext("Error of the chance (Brier)"), formats.number(card["brier"], 3)),
        ],
        "verdict": gettext("It ranks customers better than their silence does.")
        if card["auc"] > card["naive_auc"]
        else gettext("It ranks customers no better than their silence does: lists by silence are as good here."),
    }


def _said_and_came(said: float, came: float) -> str:
    return gettext("%(came)s, said %(said)s") % {"came": formats.percent(came), "said": formats.percent(said)}
