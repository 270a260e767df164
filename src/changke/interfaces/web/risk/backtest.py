"""The back-test: which rule would have warned, how well, on the shop's own past; and one of them put into use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import jobs, words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.risk.lists import rule_said
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, RiskRule, State
from changke.profiles.risk.queries import backtests, rule_in_use
from changke.profiles.risk.services import backtests as asking
from changke.profiles.risk.services.choose import use_none, use_row

HORIZONS = (30, 60, 90, 120, 180)
USUAL = {"horizon_days": "90", "minimum_silence_days": "14", "least_purchases": "1", "precision": "", "weekly": ""}


@dataclass(frozen=True)
class Row:
    """One rule of a back-test in words and numbers."""

    place: int
    words: str
    chosen_by: str
    precision: str
    recall: str
    lead: int | None
    false_per_100: int | None
    weekly: str
    usable: bool
    is_best: bool
    in_use: bool
    is_fixed: bool


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """Every rule side by side, as the past judged them."""
    return _page(request, dict(USUAL), {})


@require_POST
@needs(Capability.SETTINGS_EDIT)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask the past anew."""
    typed = {name: request.POST.get(name, "").strip()[:8] for name in USUAL}
    try:
        made = asking.ask(_asked(typed), by_name=current.staff(request).name, now=timezone.now())
    except DomainError as refusal:
        field = FIELDS.get(getattr(refusal, "field", ""), "form")
        return _page(request, typed, {field: words.refusal(refusal)}, status=422)
    jobs.run_backtest.defer(backtest_id=made.pk)
    return go(request, reverse("risk-rules"))


@require_POST
@needs(Capability.SETTINGS_EDIT)
def use(request: HttpRequest) -> HttpResponse:
    """A row of a back-test warns from now on; without one, the fixed days of the chain alone."""
    by, now = current.by(request), timezone.now()
    if "none" in request.POST:
        use_none(by=by, now=now)
        toast(request, gettext("No rule warns any more; the day's list goes by the chain's silent days."))
        return go(request, reverse("risk-rules"))
    backtest = BackTest.objects.filter(pk=_number(request.POST.get("backtest", "")), state=State.DONE).first()
    if backtest is None:
        raise NotFound
    chosen = use_row(backtest, _number(request.POST.get("row", "")), by=by, now=now)
    toast(request, gettext("In use from now on: %(rule)s") % {"rule": rule_said(chosen)})
    return go(request, f"{reverse('risk-rules')}?test={backtest.pk}")


def _page(
    request: HttpRequest, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
) -> HttpResponse:
    found = backtests()
    shown = _chosen(request, found)
    standing = rule_in_use()
    rows = [_row(place, row, shown, standing) for place, row in enumerate(shown.rows)] if shown else []
    context = {
        "nav": "risk",
        "typed": typed,
        "errors": errors,
        "horizons": [(days, gettext("%(days)s days") % {"days": days}) for days in HORIZONS],
        "counted_from": [
            (number, gettext("from purchase %(number)s on") % {"number": number}) for number in range(1, 6)
        ],
        "standing": standing,
        "standing_words": rule_said(standing) if standing else "",
        "fixed_days": the_chain().silent_after_days,
        "busy": next((one for one in found if one.is_busy), None),
        "failed": bool(found) and found[0].state == State.FAILED,
        "shown": shown,
        "signal": words.signal_of(shown.has_signal, shown.signal_auc_bp) if shown else "",
        "wished": shown is not None and (shown.wanted_precision_bp is not None or shown.wanted_weekly is not None),
        "wish_met": any(row["chosen_by"] in {"precision", "alerts"} for row in shown.rows) if shown else False,
        "rows": rows,
        "others": [one for one in found if one.state == State.DONE and one != shown],
    }
    return answer(request, "risk/rules.html", context, part="risk/_backtest.html", status=status)


FIELDS = {
    "horizon_days": "horizon_days",
    "minimum_silence_days": "minimum_silence_days",
    "least_purchases": "least_purchases",
    "precision_percent": "precision",
    "weekly": "weekly",
}
"""Field of a refusal -> input of the form."""


def _asked(typed: Mapping[str, str]) -> rules.Asked:
    """What was typed; what is no number lies outside every bound and is refused there."""
    return rules.Asked(
        horizon_days=_number(typed["horizon_days"]),
        minimum_silence_days=_number(typed["minimum_silence_days"]),
        least_purchases=_number(typed["least_purchases"]),
        precision_percent=_number(typed["precision"]) if typed["precision"] else None,
        weekly=_number(typed["weekly"]) if typed["weekly"] else None,
    )


def _chosen(request: HttpRequest, found: list[BackTest]) -> BackTest | None:
    """The back-test of the address, else the newest answer."""
    done = [one for one in found if one.state == State.DONE]
    wanted = _number(request.GET.get("test", ""))
    return next((one for one in done if one.pk == wanted), done[0] if done else None)


def _row(place: int, row: Mapping[str, Any], backtest: BackTest, standing: RiskRule | None) -> Row:
    horizon = backtest.used_horizon_days or backtest.horizon_days
    asked = (row["kind"], row["threshold"], row.get("latest_days"))
    of_standing = standing is not None and (standing.kind, standing.threshold, standing.latest_days) == asked
    same = of_standing and standing is not None and (row["kind"] == "fixed" or standing.horizon_days == horizon)
    return Row(
        place,
        words.risk_rule(row["kind"], row["threshold"], horizon, row.get("latest_days")),
        str(words.RISK_CHOSEN_BY.get(row["chosen_by"], "")),
        share(row["precision_bp"]),
        share(row["recall_bp"]),
        row["lead_days"],
        row["false_per_100"],
        "–" if row["weekly_tenths"] is None else formats.number(row["weekly_tenths"] / 10, 1),
        row["usable"],
        rules.best_of(backtest.rows) == place,
        same,
        row["kind"] == "fixed",
    )


def share(points: int | None) -> str:
    return "–" if points is None else formats.basis_points(points, 0)


def _number(text: str) -> int:
    """-1 for what is no number: outside every bound."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
