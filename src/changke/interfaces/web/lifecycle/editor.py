"""The models of the chain: which are in use, what they ask, and other rules tried before they are published."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from changke.facts.customers.models import Customer
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError, Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import jobs, words
from changke.interfaces.statements import filled
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast, wants_part
from changke.interfaces.web.conditions.editor import Editor, Language, edits, has_edit, of_form, of_tree
from changke.interfaces.web.conditions.inputs import EditorShown, Inputs
from changke.interfaces.web.conditions.speech import Speech
from changke.interfaces.web.customers.measures import inside, speaker
from changke.interfaces.web.doors import needs
from changke.interfaces.web.lifecycle.asking import NEW, language_of, shown_at, taken_up
from changke.interfaces.web.lifecycle.building import rebuilt
from changke.interfaces.web.lifecycle.colours import colours_of_keys
from changke.interfaces.web.lifecycle.editing import Edited, edited, reorder
from changke.interfaces.web.lifecycle.past import ask, past_shown
from changke.profiles.conditions import ConditionError, read_condition
from changke.profiles.lifecycle.beyond import BEYOND
from changke.profiles.lifecycle.catalogue import ModelEntry, model_entries, model_entry
from changke.profiles.lifecycle.models import StageReplay
from changke.profiles.lifecycle.rules import LANGUAGES, ModelError
from changke.profiles.lifecycle.services import (
    DryRun,
    NotTriedFirst,
    dry_run,
    make_default,
    publish_previewed,
    switch_off,
    switch_on,
)
from changke.profiles.lifecycle.services.dry_run import draft, known_of

LARGEST_DEFINITION = 200_000
"""Characters of a definition on its way through the form."""


@dataclass
class Typed:
    """The editors of conditions as they were sent: those of rules by the identity of the rule, and that of one more."""

    rules: dict[int, Editor] = field(default_factory=dict)
    new: Editor | None = None


@dataclass(frozen=True)
class RuleShown:
    """One rule of the form."""

    place: int
    stage: str
    stage_words: str
    colour: str
    asks: bool
    editor: EditorShown | None
    sentence: str
    """The whole condition in words: and, or, not."""
    reasons: tuple[tuple[str, str], ...]
    errors: tuple[str, ...]


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """Every model, those that wait to be switched on too."""
    language = get_language() or "zh-hans"
    rows = []
    for one in model_entries():
        colours = colours_of_keys([stage["key"] for stage in one.definition["stages"]])
        stages = [(colours[stage["key"]], stage["words"][language]) for stage in one.definition["stages"]]
        rows.append({"entry": one, "words": one.words[language], "stages": stages})
    return answer(request, "lifecycle/models.html", {"nav": "lifecycle", "rows": rows})


@require_POST
@needs(Capability.SETTINGS_EDIT)
def switch(request: HttpRequest, key: str) -> HttpResponse:
    """On, off, or the one that lists go by."""
    chain, now, by = the_chain(), timezone.now(), current.by(request)
    try:
        if "default" in request.POST:
            make_default(key, chain=chain, by=by, now=now)
        elif "on" in request.POST:
            switch_on(key, chain=chain, by=by, now=now)
        else:
            switch_off(key, by=by, now=now)
    except NotFound:
        raise
    except DomainError as refusal:
        toast(request, words.refusal(refusal), bad=True)
    else:
        jobs.ask_for_refresh()
        toast(request, gettext("Saved. Everybody's stage is being computed again; the pages follow in a moment."))
    return go(request, reverse("lifecycle-models"))


@require_http_methods(["GET", "POST"])
@needs(Capability.SETTINGS_EDIT)
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """The rules of a model as a form. Each answer says what publishing would do; only "publish" does it, and only what
    was shown: rules that were changed since, by whoever looks or by others, are shown anew."""
    entry, chain = model_entry(key), the_chain()
    if request.method == "GET":
        definition = dict(entry.definition)
        if "copy" in request.GET:
            definition = _copied(definition)
        return _page(request, entry, Edited(definition))
    given, language, shaping = edited(_sent(request), request.POST.dict()), language_of(chain), has_edit(request.POST)
    typed = Typed(taken_up(given.definition, request.POST, language, strict=not shaping))
    typed.new = of_form(NEW, request.POST, language).read(strict="add-rule" in request.POST and not shaping)
    if shaping:
        return _shaped(request, entry, given, typed)
    wrong = any(one.tree is None for one in typed.rules.values())
    reorder(given.definition, request.POST.dict())
    if not wrong and (request.POST.get("copy") or not entry.is_ours):
        _rebuild(request, given, typed)
    wanted = str(request.POST.get("key", "")).strip()
    given.definition["key"] = wanted if request.POST.get("copy") else key
    if request.POST.get("copy") and any(one.key == wanted for one in model_entries()):
        given.errors["key"] = (gettext_noop("There is a model with this key already."), {})
    try:
        draft(given.definition, chain)
    except ModelError as error:
        given.errors.setdefault(_input_of(error), (error.reason, error.places))
    if given.errors or wrong:
        return _page(request, entry, given, typed, status=422)
    if "publish" in request.POST:
        try:
            return _publish(request, given.definition)
        except NotTriedFirst:
            return _page(request, entry, given, typed, told=dry_run(given.definition), unseen=True, status=409)
    past: StageReplay | None = None
    if "past" in request.POST:
        try:
            past = ask(request, given.definition)
        except DomainError as refusal:
            field = "past_day" if isinstance(refusal, Invalid) else "form"
            given.errors[field] = (words.refusal(refusal), {})
            return _page(request, entry, given, typed, status=422)
    return _page(request, entry, given, typed, told=dry_run(given.definition), past=past)


def _rebuild(request: HttpRequest, given: Edited, typed: Typed) -> None:
    """Stages and rules of a model of one's own come and go. A rule that was taken up leaves its inputs empty."""
    rules = len(given.definition["ask"])
    rebuilt(given, request.POST.dict(), when=typed.new.tree if typed.new else None)
    if len(given.definition["ask"]) > rules:
        typed.new = None


def _shaped(request: HttpRequest, entry: ModelEntry, given: Edited, typed: Typed) -> HttpResponse:
    """A row came or went, or asks something else: nothing is tried. htmx gets the editor alone."""
    prefix = edits(request.POST)[0][0]
    asked = next((one for one in (*typed.rules.values(), typed.new) if one and one.prefix == prefix), None)
    if asked is None or not wants_part(request):
        return _page(request, entry, given, typed)
    shown = Inputs(asked, Speech.of_the_chain()).shown(reverse("lifecycle-model", args=[entry.key]))
    return answer(request, "lifecycle/model.html", {"editor": shown}, part="lifecycle/_when.html")


def _publish(request: HttpRequest, definition: dict[str, Any]) -> HttpResponse:
    chain, now, by = the_chain(), timezone.now(), current.by(request)
    token = str(request.POST.get("previewed", ""))
    publish_previewed(definition, token=token, chain=chain, by=by, now=now)
    jobs.ask_for_refresh()
    toast(request, gettext("Published. Everybody's stage is being computed again; the pages follow in a moment."))
    return go(request, reverse("lifecycle-models"))


def _sent(request: HttpRequest) -> dict[str, Any]:
    """The definition that travelled along. Who changed it by hand is refused where it cannot be meant."""
    text = request.POST.get("definition", "")
    try:
        definition = json.loads(text) if len(text) <= LARGEST_DEFINITION else None
    except ValueError:
        definition = None
    if not isinstance(definition, dict) or not all(
        isinstance(definition.get(name), list) and all(isinstance(one, dict) for one in definition[name])
        for name in ("stages", "ask")
    ):
        raise Invalid(field="definition", reason="open the page again: the form was not sent whole")
    return definition


def _copied(definition: dict[str, Any]) -> dict[str, Any]:
    """A model of the chain's own that begins as another one."""
    names = {language: f"{name} 2" for language, name in definition["words"].items()}
    return {**definition, "key": "", "default": False, "in_use": True, "words": names}


def _input_of(error: ModelError) -> str:
    """The input that a refusal belongs to: the rule's own, else the whole form's."""
    head, _bracket, rest = error.path.partition("[")
    place = rest.partition("]")[0]
    if head == "ask" and place.isdigit():
        return f"rule-{place}"
    return "key" if head == "key" else "form"


def _page(
    request: HttpRequest,
    entry: ModelEntry,
    given: Edited,
    typed: Typed | None = None,
    *,
    told: DryRun | None = None,
    past: StageReplay | None = None,
    unseen: bool = False,
    status: int = 200,
) -> HttpResponse:
    language, chain = get_language() or "zh-hans", the_chain()
    definition = given.definition
    errors = {name: _said(template, places) for name, (template, places) in given.errors.items()}
    stage_words = {one["key"]: one["words"].get(language, one["key"]) for one in definition["stages"]}
    colours = colours_of_keys([one["key"] for one in definition["stages"]])
    asking, typed = language_of(chain), typed or Typed()
    speech, url = Speech.of_the_chain(), reverse("lifecycle-model", args=[entry.key])
    context = {
        "nav": "lifecycle",
        "entry": entry,
        "is_copy": definition["key"] != entry.key,
        "is_own": definition["key"] != entry.key or not entry.is_ours,
        "key": definition["key"],
        "words": definition["words"].get(language, entry.key),
        "names": [(one, words.LANGUAGES[one], definition["words"].get(one, "")) for one in LANGUAGES],
        "stages": [
            (place, one["key"], stage_words[one["key"]], colours[one["key"]],
             [(lang, words.LANGUAGES[lang], one["words"].get(lang, "")) for lang in LANGUAGES])
            for place, one in enumerate(definition["stages"])
        ],
        "rules": [
            _rule(place, one, stage_words, colours, errors, asking,
                  Inputs(shown_at(place, one, typed.rules, asking), speech).shown(url) if "when" in one else None)
            for place, one in enumerate(definition["ask"])
        ],
        "new_editor": Inputs(typed.new or of_tree(NEW, None, asking), speech).shown(url),
        "new_errors": [said for name, said in errors.items() if name.startswith(f"{NEW}-")],
        "new": _new(request.POST.dict() if any(name.startswith(f"{NEW}-") for name in errors) else {}),
        "definition": json.dumps(definition, ensure_ascii=False),
        "errors": errors,
        "unseen": unseen,
        "told": _told(told, stage_words, colours, language) if told else None,
        "past": past_shown(past) if past else None,
        "past_day": request.POST.get("past-day", ""),
        "today": timezone.now().date(),
    }  # fmt: skip
    return answer(request, "lifecycle/model.html", context, status=status)


def _new(typed: Mapping[str, str]) -> dict[str, object]:
    """The inputs of one rule more, empty again once it is taken up."""
    said: dict[str, object] = {"stage": typed.get(f"{NEW}-stage"), "key": typed.get(f"{NEW}-key", "")}
    return said | {"names": [(one, words.LANGUAGES[one], typed.get(f"{NEW}-{one}", "")) for one in LANGUAGES]}


def _rule(
    place: int,
    one: Mapping[str, Any],
    stage_words: Mapping[str, str],
    colours: Mapping[str, str],
    errors: Mapping[str, str],
    asking: Language,
    editor: EditorShown | None,
) -> RuleShown:
    return RuleShown(
        place,
        one["stage"],
        stage_words.get(one["stage"], one["stage"]),
        colours.get(one["stage"], ""),
        "when" in one,
        editor,
        _sentence(one, asking),
        tuple((language, one["reason"].get(language, "")) for language in LANGUAGES),
        tuple(said for name, said in errors.items() if name == f"rule-{place}"),
    )


def _sentence(rule: Mapping[str, Any], asking: Language) -> str:
    """The condition of a rule as people say it; nothing where it cannot be asked, which is named elsewhere."""
    if "when" not in rule:
        return ""
    try:
        return speaker().say(read_condition(rule["when"], asking.attributes, settings=asking.settings, beyond=BEYOND))
    except ConditionError:
        return ""


def _told(told: DryRun, stage_words: Mapping[str, str], colours: Mapping[str, str], language: str) -> dict[str, Any]:
    """The dry run in words, with the names and reasons of a few who would move."""
    ids = [pk for move in told.moves for pk in move.examples]
    people = Customer.objects.in_bulk(ids)
    rows = known_of(ids, told.model)
    moves = []
    for move in told.moves:
        examples = [
            (people[pk], told.model.rule_for(rows[pk]).because(rows[pk], language, show=inside))
            for pk in move.examples
            if pk in people and pk in rows
        ]
        moves.append({
            "move": move, "examples": examples,
            "was": stage_words.get(move.was, ""), "will": stage_words.get(move.will, move.will),
            "was_colour": colours.get(move.was, "new"), "will_colour": colours.get(move.will, "new"),
        })  # fmt: skip
    stages = [
        (words_, colours[key], told.before.get(key, 0), told.after.get(key, 0)) for key, words_ in stage_words.items()
    ]
    return {"run": told, "moves": moves, "stages": stages, "sql": filled(told.statement, told.values)}


def _said(template: str, places: Mapping[str, object]) -> str:
    said = gettext(template)
    return said % places if places else said
