"""Tags of the chain: groups, how long a tag is believed, the rules that read tags from purchases, what tags ask for."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import TagGroup, TagWord
from changke.facts.customers.queries import tag_names
from changke.facts.customers.services import tag_words
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.interfaces import jobs, words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import NeedForm, TagGroupForm, TagRuleForm, TagWordForm
from changke.profiles.affinity.models import Need, TagRule
from changke.profiles.affinity.needs import HAD
from changke.profiles.affinity.services import needs as tag_needs
from changke.profiles.affinity.services.follow import preview
from changke.profiles.affinity.services.tag_rules import as_audited, drop_rule, save_rule

MOST_NAMES = 200


@require_GET
@needs(Capability.TAGS_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    return _page(request, TagWordForm())


@require_POST
@needs(Capability.TAGS_MANAGE)
def word(request: HttpRequest) -> HttpResponse:
    """Decide about a tag; `forget` takes the decision back."""
    now, by = timezone.now(), current.by(request)
    if name := request.POST.get("forget"):
        tag_words.forget_word(get_object_or_404(TagWord, name=name), by=by, now=now)
        return go(request, reverse("settings-tags"))
    form = TagWordForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        days = given["stale_after_days"]
        try:
            tag_words.save_word(given["name"], group=given["group"], stale_after_days=days, by=by, now=now)
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-tags"))
    return _page(request, form, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.TAGS_MANAGE)
def group(request: HttpRequest, group_id: int | None = None) -> HttpResponse:
    known = get_object_or_404(TagGroup, pk=group_id) if group_id else None
    initial = {"name": known.name, "only_one": known.only_one} if known else {}
    if request.method == "GET":
        return _form(request, "settings/tag_group.html", TagGroupForm(initial=initial), group=known)
    if known and "remove" in request.POST:
        tag_words.remove_group(known, by=current.by(request), now=timezone.now())
        return go(request, reverse("settings-tags"))
    form = TagGroupForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            by, now = current.by(request), timezone.now()
            tag_words.save_group(known, name=given["name"], only_one=given["only_one"], by=by, now=now)
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-tags"))
    return _form(request, "settings/tag_group.html", form, status=422, group=known)


@require_http_methods(["GET", "POST"])
@needs(Capability.TAGS_MANAGE)
def rule(request: HttpRequest, rule_id: int | None = None) -> HttpResponse:
    """Write a rule. `preview` says whom it would speak of among all that was ever bought, and writes nothing."""
    known = get_object_or_404(TagRule, pk=rule_id) if rule_id else None
    if request.method == "GET":
        return _rule_page(request, TagRuleForm(initial=as_audited(known) if known else {"is_active": True}), known)
    if known and "remove" in request.POST:
        drop_rule(known, by=current.by(request), now=timezone.now())
        toast(request, gettext("Rule removed; the tags it put on stay"))
        return go(request, reverse("settings-tags"))
    form = TagRuleForm(request.POST)
    if not form.is_valid():
        return _rule_page(request, form, known, status=422)
    given = form.cleaned_data
    fields = {name: given[name] for name in ("name", "occasion", "item", "category", "tag", "is_active")}
    fields |= {"by": current.by(request), "now": timezone.now()}
    try:
        with transaction.atomic():
            if "preview" in request.POST:
                return _rule_page(request, form, known, said=_would_tag(_dry_run(known, fields)))
            saved = save_rule(known, **fields)
            if given["past"]:
                jobs.apply_tag_rule.defer(rule_id=saved.pk)
    except DomainError as refused:
        form.refuse(refused)
        return _rule_page(request, form, known, status=422)
    toast(request, gettext("Saved"))
    return go(request, reverse("settings-tags"))


@require_http_methods(["GET", "POST"])
@needs(Capability.TAGS_MANAGE)
def need(request: HttpRequest, need_id: int | None = None) -> HttpResponse:
    """Say what a tag asks for. It is proposed to whoever wears it from that moment on."""
    known = get_object_or_404(Need, pk=need_id) if need_id else None
    if request.method == "GET":
        return _need_page(request, NeedForm(initial=tag_needs.as_audited(known) if known else {}), known)
    if known and "remove" in request.POST:
        tag_needs.drop_need(known, by=current.by(request), now=timezone.now())
        return go(request, reverse("settings-tags"))
    form = NeedForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        fields = {name: given[name] for name in ("tag", "item", "category")}
        try:
            tag_needs.save_need(known, **fields, by=current.by(request), now=timezone.now())
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-tags"))
    return _need_page(request, form, known, status=422)


def _need_page(request: HttpRequest, form: NeedForm, known: Need | None, *, status: int = 200) -> HttpResponse:
    return _form(
        request,
        "settings/tag_need.html",
        form,
        status=status,
        need=known,
        items=list(Item.objects.filter(HAD, is_active=True).order_by("name").values_list("pk", "name")),
        categories=list(Category.objects.order_by("name").values_list("pk", "name")),
        names=tag_names(MOST_NAMES),
    )


def _dry_run(known: TagRule | None, fields: Mapping[str, Any]) -> int:
    """How many customers the rule would tag, asked of the rule as it would be saved; inside the caller's transaction,
    of which nothing stays."""
    savepoint = transaction.savepoint()
    try:
        return preview(save_rule(known, **fields)).customers
    finally:
        transaction.savepoint_rollback(savepoint)


def _would_tag(customers: int) -> str:
    said = ngettext("%(count)s customer would wear the tag", "%(count)s customers would wear the tag", customers)
    return said % {"count": formats.number(customers)}


def _page(request: HttpRequest, form: TagWordForm, *, status: int = 200) -> HttpResponse:
    return _form(
        request,
        "settings/tags.html",
        form,
        status=status,
        rules=[(one, words.OCCASIONS[one.occasion]) for one in TagRule.objects.select_related("item", "category")],
        asked=Need.objects.select_related("item", "category"),
        groups=TagGroup.objects.prefetch_related("words"),
        group_options=[(one.pk, one.name) for one in TagGroup.objects.all()],
        words_decided=TagWord.objects.select_related("group"),
        names=tag_names(MOST_NAMES),
    )


def _rule_page(
    request: HttpRequest, form: TagRuleForm, known: TagRule | None, *, said: str = "", status: int = 200
) -> HttpResponse:
    return _form(
        request,
        "settings/tag_rule.html",
        form,
        status=status,
        rule=known,
        said=said,
        occasions=list(words.OCCASIONS.items()),
        items=list(Item.objects.filter(is_active=True).order_by("name").values_list("pk", "name")),
        categories=list(Category.objects.order_by("name").values_list("pk", "name")),
        names=tag_names(MOST_NAMES),
    )


def _form(request: HttpRequest, template: str, form: object, *, status: int = 200, **more: object) -> HttpResponse:
    return answer(request, template, {"nav": "settings", "form": form, **more}, status=status)
