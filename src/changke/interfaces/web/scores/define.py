"""Scores of the chain's own: defined, named, retired and asked again; what is known by each."""

from dataclasses import dataclass
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

from changke.facts.scores import rules
from changke.facts.scores.models import Score
from changke.facts.scores.queries import Held, held
from changke.facts.scores.services import change_score, define_score, retire_score
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch
from changke.foundation.errors import DomainError
from changke.interfaces import words
from changke.interfaces.scores import work
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.fields import LANGUAGES
from changke.interfaces.web.settings.forms import RefusableForm

KINDS: dict[str, str | Promise] = {
    "chance": _("Chance, from 0 to 1"),
    "number": _("Whole number"),
    "money": _("Money"),
    "label": _("A word, such as the name of a group"),
}
LOADS = 10


class ScoreForm(RefusableForm):
    key = forms.CharField(max_length=40, required=False)
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in rules.KINDS], required=False)
    label_zh_hans = forms.CharField(max_length=60, required=False)
    label_en = forms.CharField(max_length=60, required=False)
    label_zh_hant = forms.CharField(max_length=60, required=False)
    roles = forms.MultipleChoiceField(choices=[(role, role) for role in words.ROLES], required=False)

    def changes(self) -> dict[str, Any]:
        given = self.cleaned_data
        labels = {language: given[name] for language, name in LANGUAGES if given[name].strip()}
        return {"labels": labels, "roles": given["roles"]}


@dataclass(frozen=True)
class Line:
    score: Score
    label: str
    kind: str | Promise
    held: Held


@require_GET
@needs(Capability.FIELDS_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    language, known = get_language() or "zh-hans", held()
    lines = [
        Line(one, one.label(language), KINDS[one.kind], known.get(one.pk, Held(0, None))) for one in Score.objects.all()
    ]
    loads = Batch.objects.filter(kind=work.KIND).order_by("-id")[:LOADS]
    return answer(request, "scores/list.html", {"nav": "settings", "lines": lines, "loads": loads})


@require_http_methods(["GET", "POST"])
@needs(Capability.FIELDS_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, ScoreForm(initial={"kind": "chance"}), None)
    form = ScoreForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            define_score(
                key=given["key"].strip(), kind=given["kind"], **form.changes(), by=current.by(request),
                now=timezone.now(),
            )  # fmt: skip
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Score added. Files may carry it now, conditions may ask it."))
            return go(request, reverse("scores"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.FIELDS_MANAGE)
def edit(request: HttpRequest, score_id: int) -> HttpResponse:
    score = get_object_or_404(Score, pk=score_id)
    if request.method == "GET":
        initial = {name: score.labels.get(language, "") for language, name in LANGUAGES}
        return _page(request, ScoreForm(initial={**initial, "roles": score.roles}), score)
    form = ScoreForm(request.POST)
    if form.is_valid():
        try:
            change_score(score, form.changes(), by=current.by(request), now=timezone.now())
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("scores"))
    return _page(request, form, score, status=422)


@require_POST
@needs(Capability.FIELDS_MANAGE)
def ask(request: HttpRequest, score_id: int) -> HttpResponse:
    """Retire the score, or ask it again."""
    score = get_object_or_404(Score, pk=score_id)
    back = score.retired_at is not None
    retire_score(score, back=back, by=current.by(request), now=timezone.now())
    toast(request, gettext("The score is asked again") if back else gettext("Retired. What was said stays."))
    return go(request, reverse("scores"))


def _page(request: HttpRequest, form: ScoreForm, score: Score | None, status: int = 200) -> HttpResponse:
    chosen = set(form["roles"].value() or [])
    context = {
        "nav": "settings",
        "form": form,
        "score": score,
        "name": score.label(get_language() or "zh-hans") if score else "",
        "kind": KINDS[score.kind] if score else "",
        "kinds": list(KINDS.items()),
        "roles": [(role, label, role in chosen) for role, label in words.ROLES.items()],
    }
    return answer(request, "scores/score.html", context, status=status)
