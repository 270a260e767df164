"""The second step: what each column means. The guesses are visible and may be changed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.services import change_draft
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.importers import columns
from changke.interfaces.importers.folding import is_ours
from changke.interfaces.importers.kinds import NEEDED
from changke.interfaces.importers.own import KIND, TOPICS, OwnFields, own_fields_of
from changke.interfaces.shops import is_of_a_web_shop, must_be_said, source_named
from changke.interfaces.web.answers import answer, go
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports import drafts, words
from changke.interfaces.web.imports.steps import ask_for_check, place_of

SAMPLES_SHOWN = 3
NEEDS_STORE = frozenset({"purchases", "visits", "openings"})


@dataclass
class Column:
    key: str
    name: str
    samples: list[str]
    field: str
    origin: str
    error: str = ""


@dataclass
class Layout:
    """Sheets with the same columns are understood alike, once."""

    signature: str
    sheets: list[dict[str, Any]]
    columns: list[Column]
    kind: str
    source: str = ""
    """In words, where a known old system wrote the sheet."""
    own: OwnFields = field(default_factory=OwnFields)
    missing: list[str] = field(default_factory=list)

    @property
    def mapping(self) -> dict[str, str]:
        return {column.field: column.name for column in self.columns if column.field}

    @property
    def meanings(self) -> list[tuple[str, list[tuple[str, Any]]]]:
        """What a column may mean: ours, then the chain's own fields and consents, each under its heading."""
        ours = [(each, words.FIELDS[each]) for each in columns.fields_of(self.kind) if each in words.FIELDS]
        own = [(each, words.own(self.own, each)) for each in self.own.fields_of(self.kind)]
        asked = [(each, words.consent(each)) for each in TOPICS] if self.kind == KIND else []
        groups: list[tuple[str, list[tuple[str, Any]]]] = [
            ("", ours),
            (gettext("Fields of your own"), own),
            (gettext("What she agreed to"), asked),
        ]
        return [(title, fields) for title, fields in groups if fields]

    @property
    def kind_words(self) -> str:
        return words.kind(self.kind)

    @property
    def names_store(self) -> bool:
        return any(column.field == "store" for column in self.columns)


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=batch_id)
    if batch.status != BatchStatus.DRAFT:
        return go(request, place_of(batch))
    if request.method == "GET":
        return _page(request, batch, layouts_of(batch))
    if "again" in request.POST:
        kind, encoding = request.POST.get("kind", ""), request.POST.get("encoding", "")
        refused = drafts.look_again(
            batch,
            kind=kind if kind in words.KINDS else batch.kind,
            encoding=encoding if encoding in words.ENCODING_NAMES else "",
        )
        if refused:
            return _page(request, batch, layouts_of(batch), error=f"{refused.name}: {refused.words}", status=422)
        return go(request, reverse("imports-map", args=[batch.pk]))
    return _decide(request, batch)


def _decide(request: HttpRequest, batch: Batch) -> HttpResponse:
    layouts, problems = decide(batch, request.POST.dict(), used=set(request.POST.getlist("use")))
    if problems:
        return _page(request, batch, layouts, error=" ".join(problems), status=422)
    ask_for_check(batch)
    return go(request, reverse("imports-match", args=[batch.pk]))


def decide(batch: Batch, form: Mapping[str, str], *, used: Collection[str]) -> tuple[list[Layout], list[str]]:
    """Write down what each column means, as the form says it; and what is still missing, in words."""
    layouts = layouts_of(batch, chosen=form)
    sheets = [sheet for layout in layouts for sheet in layout.sheets]
    for sheet in sheets:
        sheet["used"] = len(sheets) == 1 or key_of(sheet) in used
    options: dict[str, Any] = {
        "mappings": {each.signature: each.mapping for each in layouts},
        "leave_out": [[sheet["path"], sheet["name"]] for sheet in sheets if not sheet["used"]],
        "sheet_stores": _stores_of(layouts, form),
        "source": source_named(form.get("source", "").strip()[:60]) or (batch.options.get("source") or ""),
        "numbers_restart": "daily" if form.get("numbers_restart") else "",
        "accept_currency": bool(form.get("accept_currency")),
    }  # fmt: skip
    # What was typed stays, whether it can be used or not.
    change_draft(batch.pk, options=options)
    batch.refresh_from_db()
    return layouts, _problems(batch, [each for each in layouts if any(sheet["used"] for sheet in each.sheets)])


def _problems(batch: Batch, layouts: list[Layout]) -> list[str]:
    """What is still missing, said beside the column where there is one."""
    if not layouts:
        return [gettext("Choose at least one sheet.")]
    found: list[str] = []
    for layout in layouts:
        taken: dict[str, Column] = {}
        for column in layout.columns:
            if not column.field:
                continue
            if column.field in taken:
                column.error = gettext("“%(other)s” already means this. Choose one of the two.") % {
                    "other": taken[column.field].name
                }
                found.append(gettext("Two columns mean the same."))
            taken.setdefault(column.field, column)
        layout.missing = missing(layout.kind, set(taken))
        if layout.missing:
            found.append(gettext("Still to be chosen: %(fields)s.") % {"fields": "、".join(layout.missing)})
        if _wants_store(batch, layout.kind) and "store" not in taken and Store.objects.count() != 1:
            named = {(path, name) for path, name, _word in batch.options["sheet_stores"]}
            if any(sheet["used"] and (sheet["path"], sheet["name"]) not in named for sheet in layout.sheets):
                found.append(gettext("No column names the store: choose one for all rows."))
    if must_be_said(_web_shops(layouts)) and not batch.options.get("source"):
        found.append(gettext("Say which shop these orders are of: several shops number them alike."))
    if _foreign_currency(batch) and not batch.options.get("accept_currency"):
        found.append(gettext("Say whether the amounts may be taken in the chain's currency."))
    return list(dict.fromkeys(found))


def _web_shops(layouts: list[Layout]) -> set[str]:
    """The sources of the sheets of which a chain may have several shops."""
    found = {str(sheet.get("source") or "") for layout in layouts for sheet in layout.sheets}
    return {one for one in found if is_of_a_web_shop(one)}


SHEET_NAME = "="
"""The sheet is called as the store: one sheet per store is how many tills export."""


def _stores_of(layouts: list[Layout], form: Mapping[str, str]) -> list[list[str]]:
    """The store of those rows of a sheet that name none: a code of ours or, where no column names stores, the name of
    the sheet."""
    found = []
    for layout in layouts:
        for sheet in layout.sheets:
            word = form.get(f"store|{key_of(sheet)}", "")
            if word == SHEET_NAME:
                word = "" if layout.names_store else sheet["name"]
            if word:
                found.append([sheet["path"], sheet["name"], word])
    return found


def _wants_store(batch: Batch, kind: str) -> bool:
    return kind in NEEDS_STORE and not batch.options.get("store")


def missing(kind: str, fields: set[str]) -> list[str]:
    """Needed columns that nothing is mapped to, in words."""
    return [
        str(words.GROUPS.get(group[0], words.FIELDS[group[0]])) for group in NEEDED[kind] if not fields & set(group)
    ]


def key_of(sheet: dict[str, Any]) -> str:
    return f"{sheet['path']}|{sheet['name']}"


def layouts_of(batch: Batch, chosen: Mapping[str, str] | None = None) -> list[Layout]:
    """The draft's sheets by their columns. `chosen` is the form as it came; else what was decided or guessed."""
    left_out = {(path, name) for path, name in batch.options.get("leave_out") or ()}
    decided = batch.options.get("mappings") or {}
    stores = {(path, name): word for path, name, word in batch.options.get("sheet_stores") or ()}
    asked = "sheet_stores" in batch.options
    layouts: dict[str, Layout] = {}
    own = own_fields_of(batch)
    for sheet in drafts.look_kept(batch):
        if not sheet["header"]:
            continue
        place = (sheet["path"], sheet["name"])
        word = stores.get(place, "") if asked else sheet["name"]
        store = SHEET_NAME if word and word == sheet["name"] else word
        sheet = {**sheet, "used": place not in left_out, "store": store}
        known = layouts.get(sheet["signature"])
        if known is not None:
            known.sheets.append(sheet)
            continue
        kind = sheet.get("kind") or batch.kind
        known_fields = {*words.FIELDS, *(own.fields_of(kind)), *(TOPICS if kind == KIND else ())}
        mapping = decided.get(sheet["signature"], sheet["mapping"])
        field_of = {name: each for each, name in mapping.items()}
        number = len(layouts)
        found = []
        for index, name in enumerate(sheet["header"]):
            if not name or is_ours(name):
                continue
            key = f"g{number}c{index}"
            meaning = field_of.get(name, "") if chosen is None else chosen.get(key, "")
            cells = [row[index] for row in sheet["first_rows"] if index < len(row) and row[index]]
            samples = list(dict.fromkeys(cells))[:SAMPLES_SHOWN]
            found.append(Column(key, name, samples, meaning if meaning in known_fields else "", sheet["origin"]))
        layouts[sheet["signature"]] = Layout(
            sheet["signature"], [sheet], found, kind=kind, source=words.source(sheet), own=own
        )
    for layout in layouts.values():
        for sheet in layout.sheets if layout.names_store else ():
            if not asked:
                sheet["store"] = ""  # its name is no store, since a column says which
            elif sheet["store"] == SHEET_NAME:
                sheet["store"] = sheet["name"]  # a store of ours that is called as the sheet
    return list(layouts.values())


def _foreign_currency(batch: Batch) -> str:
    currency = str(batch.options.get("currency") or "")
    return currency if currency and currency != the_chain().currency else ""


def _page(
    request: HttpRequest, batch: Batch, layouts: list[Layout], *, error: str = "", status: int = 200
) -> HttpResponse:
    sheets = [sheet for layout in layouts for sheet in layout.sheets]
    encodings = {sheet["encoding"] for sheet in sheets if sheet["encoding"]}
    needed: dict[str, bool] = {}
    for layout in layouts:
        lacking = missing(layout.kind, set(layout.mapping))
        needed |= {label: label not in lacking for label in missing(layout.kind, set())}
    context = {
        "nav": "imports",
        "step": 2,
        "batch": batch,
        "layouts": layouts,
        "several": len(sheets) > 1,
        "needed": list(needed.items()),
        "used_columns": sum(bool(column.field) for layout in layouts for column in layout.columns),
        "all_columns": sum(len(layout.columns) for layout in layouts),
        "origins": {layout.sheets[0]["origin"] for layout in layouts},
        "kinds": [
            *([(batch.kind, words.kind(batch.kind))] if batch.kind not in words.KINDS else []),
            *words.KINDS.items(),
        ],
        "kind_words": words.kind(batch.kind),
        "encoding": next(iter(encodings), ""),
        "encoding_words": "、".join(sorted(words.ENCODING_NAMES.get(each, each) for each in encodings)),
        "delimiter_words": "、".join(
            sorted({str(words.DELIMITERS.get(sheet["delimiter"], "")) for sheet in sheets if sheet["delimiter"]})
        ),
        "encodings": words.ENCODINGS,
        "stores": [(store.code, store.name) for store in Store.objects.order_by("name")],
        "wants_store": {layout.kind for layout in layouts if _wants_store(batch, layout.kind)},
        "wants_numbers": any(layout.kind == "purchases" for layout in layouts),
        "foreign_currency": _foreign_currency(batch),
        "of_a_shop": bool(_web_shops(layouts)),
        "shops": must_be_said(_web_shops(layouts)),
        "refused": batch.options.get("refused_files") or [],
        "error": error,
        "options": batch.options,
    }
    return answer(request, "imports/map.html", context, status=status)
