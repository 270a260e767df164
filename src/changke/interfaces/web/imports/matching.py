"""The third step: what the files hold. Rows that cannot go in, grouped by the repair; names that we do not know yet."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from changke.facts.catalog.models import Item, ItemKind
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.services import change_draft
from changke.foundation.organisation.models import Store
from changke.interfaces.bulk import shown
from changke.interfaces.importers import beside
from changke.interfaces.importers.clean import kind_by_name
from changke.interfaces.importers.folders import analysis_of
from changke.interfaces.importers.known import MOST_LISTED
from changke.interfaces.importers.own import TOPICS, OwnFields, own_fields_of
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, wants_part
from changke.interfaces.web.customers import own_fields as own_words
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports import words
from changke.interfaces.web.imports.problems import groups_of
from changke.interfaces.web.imports.rows import row_of
from changke.interfaces.web.imports.steps import ask_for_check, place_of, send_off
from changke.interfaces.words import CONSENT_NO, CONSENT_YES, ITEM_KINDS

MOST_ITEMS = 2_000
"""Offered while one types; a longer catalogue is matched by typing the whole code or name."""


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=batch_id)
    if batch.status != BatchStatus.DRAFT or not batch.options.get("check"):
        return go(request, place_of(batch))
    if request.method == "POST" and "again" in request.POST:
        ask_for_check(batch)
        return go(request, reverse("imports-match", args=[batch.pk]))
    noted = batch.options.get("analysis") or {}
    analysis = found_of(batch, noted)
    if analysis is None and noted.get("check") == batch.options["check"]:
        ask_for_check(batch)  # what it found is gone from beside the files: look again
        batch.refresh_from_db()
    if analysis is None:
        context = {"nav": "imports", "step": 3, "batch": batch, "row": row_of(batch, timezone.now())}
        return answer(request, "imports/checking.html", context, part="imports/_checking.html")
    if wants_part(request) and request.method == "GET":
        return go(request, reverse("imports-match", args=[batch.pk]))  # the check is over: show the page
    if request.method == "GET" or analysis["error"]:
        return _page(request, batch, analysis, {})
    return _decide(request, batch, analysis)


def found_of(batch: Batch, noted: dict[str, Any]) -> dict[str, Any] | None:
    """What the last check found; None while it is under way, or where that is not there any more."""
    check = batch.options["check"]
    if noted.get("check") != check:
        return None
    if noted["error"]:
        return noted
    found = beside.taken(analysis_of(batch.pk, check))
    return None if found is None else {**found, **noted}


def _decide(request: HttpRequest, batch: Batch, analysis: dict[str, Any]) -> HttpResponse:
    matches: dict[str, dict[str, str]] = {}
    errors: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for number, each in enumerate(analysis["unknown"]):
        wanted = request.POST.get(f"u{number}", "").strip()
        if wanted and not exists(each["what"], wanted):
            errors[f"u{number}"] = gettext("There is no “%(word)s”. Leave it empty to create it new.") % {
                "word": wanted
            }
        elif wanted:
            matches.setdefault(each["what"], {})[each["word"]] = wanted
        elif each["what"] == "item" and (kind := request.POST.get(f"kind{number}", "")) in ItemKind.values:
            kinds[each["word"]] = kind
    if errors:
        return _page(request, batch, analysis, errors, typed=request.POST.dict(), status=422)
    decisions = {
        key.removeprefix("known-"): text
        for key, text in request.POST.items()
        if (group := key.removeprefix("known-")) != key and group in ("", *words.MET) and text in words.decisions(group)
    }
    send(batch, matches=matches, kinds=kinds, decisions=decisions, by=current.by(request))
    return go(request, reverse("imports-run", args=[batch.pk]))


def send(
    batch: Batch,
    *,
    matches: Mapping[str, Mapping[str, str]],
    kinds: Mapping[str, str],
    decisions: Mapping[str, str],
    by: By,
) -> bool:
    """Keep what was decided and have the batch loaded. False where it is no draft any more."""
    options = {"matches": matches, "kinds": kinds, "create": True, "decisions": decisions}
    with transaction.atomic():
        return change_draft(batch.pk, options=options) and send_off(batch, by=by)


def exists(what: str, word: str) -> bool:
    match what:
        case "store":
            return Store.objects.filter(code=word).exists()
        case "staff":
            return Staff.objects.filter(username=word).exists()
        case _:
            return Item.objects.filter(code=word).exists() or Item.objects.filter(name=word).exists()


def _choices(what: str) -> list[tuple[str, str]]:
    match what:
        case "store":
            return [(store.code, store.name) for store in Store.objects.order_by("name")]
        case "staff":
            return [(person.username, person.name) for person in Staff.objects.order_by("name")]
        case _:
            items = Item.objects.order_by("name")[:MOST_ITEMS]
            return [(item.code, item.name) for item in items]


def _page(
    request: HttpRequest,
    batch: Batch,
    analysis: dict[str, Any],
    errors: dict[str, str],
    *,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    groups: dict[str, dict[str, Any]] = {}
    for number, each in enumerate(analysis.get("unknown") or ()):
        what = each["what"]
        group = groups.setdefault(
            what, {"what": what, "words": words.UNKNOWN[what], "choices": _choices(what), "rows": []}
        )
        key = f"u{number}"
        value = (
            typed.get(key, "") if typed else (batch.options.get("matches") or {}).get(what, {}).get(each["word"], "")
        )
        kind = kind_of_new(batch, each, typed.get(f"kind{number}", "") if typed else "") if what == "item" else ""
        group["rows"].append(
            {
                **each,
                "key": key,
                "value": value,
                "error": errors.get(key, ""),
                "kind_key": f"kind{number}",
                "kind": kind,
            }
        )
    for group in groups.values():
        group["more"] = len(group["rows"]) >= MOST_LISTED
    total, refused = analysis.get("total") or 0, analysis.get("refused") or 0
    context = {
        "nav": "imports",
        "step": 3,
        "batch": batch,
        "analysis": analysis,
        "kind_words": words.kind(batch.kind),
        "total": total,
        "refused": refused,
        "usable": total - refused,
        "problems": groups_of(analysis.get("problems") or (), get_language() or "zh-hans"),
        "unknown": list(groups.values()),
        "errors": errors,
        "item_kinds": list(ITEM_KINDS.items()),
        "met": met_of(batch, analysis),
        "referrals": referrals_of(analysis),
        "decisions": list(words.DECISIONS.items()),
        "decided": (batch.options.get("decisions") or {}).get("", "update"),
    }
    return answer(request, "imports/match.html", context, status=status)


def kind_of_new(batch: Batch, each: dict[str, Any], typed: str) -> str:
    """What a new item is proposed as: as chosen before, else as the file says, else as its name sounds."""
    chosen = (batch.options.get("kinds") or {}).get(each["word"], "")
    return typed or chosen or each.get("kind") or kind_by_name(each["word"]) or ItemKind.OTHER


def referrals_of(analysis: dict[str, Any]) -> dict[str, int]:
    """What the files say of who brought whom; nothing where no row says anything."""
    told: dict[str, int] = analysis.get("referrals") or {}
    return told if any(told.values()) else {}


def met_of(batch: Batch, analysis: dict[str, Any]) -> list[dict[str, Any]]:
    """Known customers whom the rows met, by how they met: some of them as they stand and as they would stand."""
    decided = batch.options.get("decisions") or {}
    own = own_fields_of(batch)
    groups = []
    for group in analysis.get("met") or ():
        lines = [
            {
                "name": one["name"] or f"#{one['customer_id']}",
                "field": _field(own, field),
                "before": _value(own, field, before),
                "after": _value(own, field, after),
            }
            for one in group["samples"]
            for field, (before, after) in (one["differences"] or {"": (None, None)}).items()
        ]
        said, remedy = words.MET[group["group"]]
        groups.append(
            {
                **group,
                "words": said,
                "remedy": remedy,
                "lines": lines,
                "decided": decided.get(group["group"], ""),
                "decisions": list(words.decisions(group["group"]).items()),
            }
        )
    return groups


def _field(own: OwnFields, name: str) -> str:
    if name in TOPICS:
        return words.consent(name)
    return words.own(own, name) if name in own.by_column else shown.field(name)


def _value(own: OwnFields, name: str, held: Any) -> str:
    if name in TOPICS:
        return "–" if held is None else str(CONSENT_YES if held else CONSENT_NO)
    if name in own.by_column:
        return own_words.said(own.by_column[name], held) or "–"
    return shown.value(name, held)
