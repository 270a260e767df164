"""Fields of the chain's own: defined, changed, retired and asked again."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from changke.facts.fields import rules
from changke.facts.fields.models import Field
from changke.facts.fields.services import change_field, define, retire
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import RefusableForm

KINDS: dict[str, str | Promise] = {
    "text": _("Text"),
    "number": _("Whole number"),
    "money": _("Money"),
    "date": _("Day"),
    "choice": _("One of several"),
    "choices": _("Several of several"),
    "yes_no": _("Yes or no"),
}
LANGUAGES = (("zh-hans", "label_zh_hans"), ("en", "label_en"), ("zh-hant", "label_zh_hant"))


class FieldForm(RefusableForm):
    key = forms.CharField(max_length=40, required=False)
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in rules.KINDS], required=False)
    label_zh_hans = forms.CharField(max_length=60, required=False)
    label_en = forms.CharField(max_length=60, required=False)
    label_zh_hant = forms.CharField(max_length=60, required=False)
    choices = forms.CharField(max_length=4_000, required=False)
    minimum = forms.IntegerField(required=False, min_value=-rules.LARGEST, max_value=rules.LARGEST)
    maximum = forms.IntegerField(required=False, min_value=-rules.LARGEST, max_value=rules.LARGEST)
    required = forms.BooleanField(required=False)
    roles = forms.MultipleChoiceField(choices=[(role, role) for role in words.ROLES], required=False)

    def changes(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "labels": {language: given[name] for language, name in LANGUAGES if given[name].strip()},
            "choices": [line.strip() for line in given["choices"].splitlines() if line.strip()],
            **{name: given[name] for name in ("minimum", "maximum", "required", "roles")},
        }


@require_GET
@needs(Capability.FIELDS_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    language = get_language() or "zh-hans"
    rows = [(one, one.label(language), KINDS[one.kind]) for one in Field.objects.order_by("position", "id")]
    return answer(request, "settings/fields.html", {"nav": "settings", "rows": rows})


@require_http_methods(["GET", "POST"])
@needs(Capability.FIELDS_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, FieldForm(initial={"kind": "text"}), None)
    form = FieldForm(request.POST)
    if form.is_valid():
        try:
            define(
                key=form.cleaned_data["key"].strip(),
                kind=form.cleaned_data["kind"],
                **form.changes(),
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Field added. It stands on every customer's page now."))
            return go(request, reverse("settings-fields"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.FIELDS_MANAGE)
def edit(request: HttpRequest, field_id: int) -> HttpResponse:
    field = get_object_or_404(Field, pk=field_id)
    if request.method == "GET":
        initial = {name: field.labels.get(language, "") for language, name in LANGUAGES}
        initial |= {name: getattr(field, name) for name in ("minimum", "maximum", "required", "roles")}
        return _page(request, FieldForm(initial={**initial, "choices": "\n".join(field.choices)}), field)
    form = FieldForm(request.POST)
    if form.is_valid():
        try:
            change_field(field, form.changes(), by=current.by(request), now=timezone.now())
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-fields"))
    return _page(request, form, field, status=422)


@require_POST
@needs(Capability.FIELDS_MANAGE)
def ask(request: HttpRequest, field_id: int) -> HttpResponse:
    """Retire the field, or ask it again."""
    field = get_object_or_404(Field, pk=field_id)
    back = field.retired_at is not None
    retire(field, back=back, by=current.by(request), now=timezone.now())
    said = gettext("The field is asked again") if back else gettext("Retired. What stands in it stays.")
    toast(request, said)
    return go(request, reverse("settings-fields"))


def _page(request: HttpRequest, form: FieldForm, field: Field | None, status: int = 200) -> HttpResponse:
    chosen = set(form["roles"].value() or [])
    context = {
        "nav": "settings",
        "form": form,
        "field": field,
        "kind": KINDS[field.kind] if field else "",
        "kinds": list(KINDS.items()),
        "roles": [(role, label, role in chosen) for role, label in words.ROLES.items()],
    }
    return answer(request, "settings/field.html", context, status=status)
