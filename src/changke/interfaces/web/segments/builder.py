"""The builder: rows or text, the sentence below, how many it fits and a few of them while one edits; then saved."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import allows
from changke.foundation.errors import DomainError, Invalid
from changke.interfaces import words as said_words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast, wants_part
from changke.interfaces.web.conditions import mistakes
from changke.interfaces.web.conditions.editor import TEXT, Editor, has_edit, of_form, of_tree
from changke.interfaces.web.conditions.inputs import Inputs
from changke.interfaces.web.conditions.speech import Speech
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import PREFIX, Person, language_of, people, there, words_for
from changke.profiles.conditions import ConditionError, TextError, read_condition
from changke.profiles.segments import queries
from changke.profiles.segments.asking import SegmentCircle, Words
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import freeze, save_segment


@dataclass(frozen=True)
class Told:
    """What the condition of the form means at this moment."""

    sentence: str = ""
    text: str = ""
    customers: int = 0
    total: int = 0
    sample: tuple[Person, ...] = ()
    wrong: str = ""
    """Why it cannot be asked, beside what stands at the rows."""

    @property
    def share(self) -> float:
        return self.customers / self.total if self.total else 0.0


@dataclass
class Form:
    """What stands in the form beside the condition."""

    name: str = ""
    is_tracked: bool = True
    frozen: bool = False
    error: str = ""
    field: str = ""


@require_http_methods(["GET", "POST"])
@needs(Capability.SEGMENTS_MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    """`?text=` begins with a condition, as where two segments are combined."""
    words, url = words_for(request), reverse("segment-new")
    if request.method == "GET":
        text = request.GET.get("text", "").replace("\x00", "")
        editor = of_tree(PREFIX, None, language_of(words))
        if text:
            editor.mode, editor.text = TEXT, text
            editor.done("rows", "")
        return _page(request, None, editor, Form(request.GET.get("name", "")[:60]), words, url)
    return _sent(request, None, words, url)


@require_http_methods(["GET", "POST"])
@needs(Capability.SEGMENTS_MANAGE)
def edit(request: HttpRequest, key: str) -> HttpResponse:
    one, words = there(key), words_for(request)
    if one.is_static:
        toast(request, gettext("A frozen list asks nothing: there is nothing to edit."), bad=True)
        return go(request, reverse("segment", args=[key]))
    url = reverse("segment-edit", args=[key])
    if request.method == "GET":
        editor = _opened(one, words)
        return _page(request, one, editor, Form(one.name, one.is_tracked), words, url)
    return _sent(request, one, words, url)


def _opened(one: Segment, words: Words) -> Editor:
    """A segment that asks for something gone is shown as text, where the mistake is pointed at."""
    try:
        queries.asked_of(one, words)
    except queries.SegmentUnreadable:
        return Editor(PREFIX, language_of(words), TEXT, text=one.text)
    return of_tree(PREFIX, one.tree, language_of(words))


def _sent(request: HttpRequest, one: Segment | None, words: Words, url: str) -> HttpResponse:
    editor = of_form(PREFIX, request.POST, language_of(words))
    form = Form(request.POST.get("name", "").strip()[:200], "is_tracked" in request.POST, "frozen" in request.POST)
    if "save" not in request.POST:
        return _page(request, one, editor, form, words, url)
    editor.read(strict=True)
    if editor.tree is None:
        return _page(request, one, editor, form, words, url, status=422)
    try:
        saved = _saved(request, one, editor, form)
    except Invalid as refusal:
        form.error, form.field = said_words.refusal(refusal), refusal.field
    except DomainError as refusal:
        form.error, form.field = said_words.refusal(refusal), "name"
    else:
        toast(request, gettext("Saved"))
        return go(request, reverse("segment", args=[saved.key]))
    return _page(request, one, editor, form, words, url, status=422)


def _saved(request: HttpRequest, one: Segment | None, editor: Editor, form: Form) -> Segment:
    text, now, by = editor.language.printed(editor.tree or {}), timezone.now(), current.by(request)
    if one is None and form.frozen:
        return freeze(name=form.name, text=text, by=by, now=now)
    return save_segment(one, name=form.name, text=text, is_tracked=form.is_tracked, by=by, now=now)


def _page(
    request: HttpRequest, one: Segment | None, editor: Editor, form: Form, words: Words, url: str, *, status: int = 200
) -> HttpResponse:
    speech = Speech.of_the_chain()
    if status == 200:
        editor.read(strict=False)
    context: dict[str, Any] = {
        "nav": "segments",
        "segment": one,
        "form": form,
        "editor": Inputs(editor, speech).shown(url),
        "told": _told(request, editor, words, speech),
        "spot": editor.spot,
        "url": url,
        "back": reverse("segment", args=[one.key]) if one else reverse("segments"),
    }
    part = "segments/_edited.html" if has_edit(request.POST) else "segments/_told.html"
    if wants_part(request) and status == 422:
        status = 200  # the answer of a look is never a refusal
    return answer(request, "segments/builder.html", context, part=part, status=status)


def _told(request: HttpRequest, editor: Editor, words: Words, speech: Speech) -> Told:
    if editor.tree is None:
        return Told(wrong=gettext("Mend what is marked red: nothing is counted before.") if editor.wrong else "")
    scope, now = current.scope(request), timezone.now()
    try:
        condition = words.condition(editor.tree)
        asked = read_condition(editor.tree, words.attributes, settings=words.settings, beyond=words.beyond)
    except (ConditionError, SegmentCircle, TextError) as error:
        return Told(wrong=mistakes.told((mistakes.EXPECTED, {
            "expected": mistakes.expected(str(getattr(error, "problem", error)))
        })))  # fmt: skip
    customers = queries.count(condition, words, now=now, scope=scope)
    sample: list[Person] = []
    if customers and allows(current.staff(request), Capability.CUSTOMER_VIEW):
        ids = queries.sample(condition, words, now=now, scope=scope)
        sample = people(ids, queries.reasons(asked, ids, words, now=now), speech)
    return Told(
        speech.speaker().say(asked), editor.language.printed(editor.tree), customers,
        queries.count(None, words, now=now, scope=scope), tuple(sample),
    )  # fmt: skip
