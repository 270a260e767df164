"""The chain's numbers for values: how far ahead, what stays of the money, the bands of the grid, the ages."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from changke.engine.prediction.margins import LEAST_KNOWN, Margins
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.money import to_major, to_minor
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import jobs
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import RefusableForm
from changke.profiles.value.models import ValueRules
from changke.profiles.value.queries import current_fit, value_rules
from changke.profiles.value.rules import BANDS, checked_bands
from changke.profiles.value.services.settings import change_value_rules

PLAIN = (
    "horizon_days",
    "margin_percent",
    "discount_percent",
    "worth_years",
    "calendar",
    "target_age_from",
    "target_age_until",
)
COMPUTED_ANEW = {"horizon_days", "margin_percent", "discount_percent", "worth_years", "calendar"}
CALENDARS = (("chinese", _("Spring Festival, Qingming, Dragon Boat, Mid-Autumn")), ("none", _("None")))


class NumbersForm(RefusableForm):
    horizon_days = forms.IntegerField(min_value=7, max_value=730)
    margin_percent = forms.IntegerField(min_value=0, max_value=100, required=False)
    discount_percent = forms.IntegerField(min_value=0, max_value=100)
    worth_years = forms.IntegerField(min_value=1, max_value=10)
    calendar = forms.ChoiceField(choices=CALENDARS)
    target_age_from = forms.IntegerField(min_value=10, max_value=100, required=False)
    target_age_until = forms.IntegerField(min_value=10, max_value=100, required=False)
    recency_days = forms.CharField(max_length=120, required=False)
    frequency = forms.CharField(max_length=120, required=False)
    money = forms.CharField(max_length=120, required=False)
    bands = forms.CharField(required=False, widget=forms.HiddenInput)
    """Never sent: where the service refuses bounds, its words stand here."""


@require_http_methods(["GET", "POST"])
@needs(Capability.SETTINGS_EDIT)
def show(request: HttpRequest) -> HttpResponse:
    rules, currency = value_rules(), the_chain().currency
    if request.method == "GET":
        return _page(request, NumbersForm(initial=_initial(rules, currency)))
    form = NumbersForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    before = {name: getattr(rules, name) for name in COMPUTED_ANEW}
    bands = _bands(form.cleaned_data, currency)
    for name in _wrong(bands):
        form.add_error(name, gettext("One to eight whole numbers above zero, each above the one before."))
    if form.errors:
        return _page(request, form, status=422)
    try:
        changes = {name: form.cleaned_data[name] for name in PLAIN} | {"bands": bands}
        saved = _change(request, changes)
    except DomainError as refused:
        form.refuse(refused)
        return _page(request, form, status=422)
    if any(before[name] != getattr(saved, name) for name in COMPUTED_ANEW):
        jobs.ask_for_refresh()
        toast(request, gettext("Saved. What is expected of everybody is being computed again."))
    else:
        toast(request, gettext("Saved"))
    return go(request, request.path)


def _wrong(bands: Mapping[str, object]) -> list[str]:
    """Whose bounds are refused: told beside the field, by its name on the page."""
    found = []
    for name, bounds in bands.items():
        try:
            checked_bands({name: bounds})
        except ValueError:
            found.append(name)
    return found


def _change(request: HttpRequest, changes: dict[str, object]) -> ValueRules:
    return change_value_rules(changes, by=current.by(request), now=timezone.now())


def _page(request: HttpRequest, form: NumbersForm, status: int = 200) -> HttpResponse:
    context = {"nav": "value", "form": form, "chain": the_chain(), "receipts": _receipts(), "calendars": CALENDARS}
    return answer(request, "value/numbers.html", context, status=status)


def _receipts() -> str:
    """What receipts say of the share that stays, and for whom it is taken."""
    fit = current_fit()
    found = Margins.from_json(fit.margins if fit else {})
    if found.share is None:
        return gettext("Receipts say no profit: neither items have a cost nor categories a margin.")
    numbers = {"share": formats.percent(found.share, 0), "known": formats.percent(found.known, 0)}
    if found.known >= LEAST_KNOWN:
        return (
            gettext(
                "Receipts say the profit of %(known)s of the revenue: %(share)s stays. Each customer has her own share;"
                " the margin above is for the rest."
            )
            % numbers
        )
    return (
        gettext(
            "Receipts say the profit of %(known)s of the revenue: %(share)s stays. That is too little to take it for"
            " all; with a margin above, each customer has her own share as far as it is known."
        )
        % numbers
    )


def _initial(rules: ValueRules, currency: str) -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(rules, name) for name in PLAIN}
    for name in BANDS:
        bounds = rules.bands.get(name, [])
        written = [f"{to_major(one, currency).normalize():f}" if name == "money" else str(one) for one in bounds]
        said[name] = ", ".join(written)
    return said


def _bands(cleaned: dict[str, Any], currency: str) -> dict[str, object]:
    """Bounds as people write them: numbers with anything between. What is no number is handed on, to be refused."""
    found: dict[str, object] = {}
    for name in BANDS:
        parts = [part for part in re.split(r"[\s,;、,;]+", cleaned[name]) if part]
        if not parts:
            continue
        try:
            found[name] = [to_minor(part, currency) if name == "money" else int(part) for part in parts]
        except (ValueError, ArithmeticError):
            found[name] = cleaned[name]
    return found
