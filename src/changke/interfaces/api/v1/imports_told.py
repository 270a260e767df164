"""What the addresses of imports take and tell."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from django.utils.translation import get_language
from ninja import Schema
from pydantic import Field, StrictBool

from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.errors import Invalid
from changke.interfaces.api.fields import Input, Line200, Storable, text
from changke.interfaces.importers.kinds import NEEDED
from changke.interfaces.web.imports.mapping import Layout, key_of, layouts_of
from changke.interfaces.web.imports.matching import found_of, kind_of_new, met_of, referrals_of
from changke.interfaces.web.imports.problems import groups_of
from changke.interfaces.web.imports.result import error_path, problems_kept

Kind = Literal["", "purchases", "customers", "visits", "openings", "notes", "cards"]
Word = Annotated[str, text(400), Storable]


class ColumnOut(Schema):
    name: str
    field: str = Field(..., description="What it means; empty where it is left out.")
    samples: list[str]


class SheetOut(Schema):
    """One sheet, and how it is understood."""

    key: str = Field(..., description="What `PUT /imports/{id}/columns` calls it.")
    file: str
    name: str
    kind: str
    source: str = Field(..., description="The old system that wrote it, where one is known.")
    origin: str = Field(..., description="`preset`, `source`, `remembered` or `recognised`.")
    encoding: str
    delimiter: str
    used: bool
    store: str = Field(..., description="Where rows go that name no store; `=` is the name of the sheet.")
    columns: list[ColumnOut]
    fields: list[str] = Field(..., description="What a column may mean.")
    missing: list[list[str]] = Field(..., description="Fields still needed; of each group one is enough.")
    first_rows: list[list[str]] = Field(..., description="And `samples`: told by `GET /imports/{id}` only.")


class RefusedFileOut(Schema):
    name: str
    words: str


class ImportOut(Schema):
    """A load from files: a draft, under way, or done. Its `id` is that of a batch."""

    id: int
    kind: str = Field(..., description="`mixed` where its sheets are of several kinds.")
    title: str
    status: BatchStatus
    created_at: dt.datetime
    created_by: str
    check: Literal["none", "running", "done", "failed"]
    done: int = Field(..., description="Rows so far.")
    total: int | None = None
    created: int
    updated: int
    skipped: int = Field(..., description="Known already.")
    refused: int
    kept: int = Field(..., description="Rows that wait for something that is not built yet.")
    has_errors: bool = Field(..., description="Whether `GET /imports/{id}/errors` has rows.")
    message: str = Field(..., description="Why it failed.")
    refused_files: list[RefusedFileOut]
    problems: list["ProblemOut"] = Field([], description="Of a finished load: why rows did not go in.")
    sheets: list[SheetOut] = Field([], description="Of a draft; not in lists.")


class ExampleOut(Schema):
    file: str
    sheet: str
    line: int
    column: str
    value: str


class ProblemOut(Schema):
    """Rows that the same repair mends."""

    code: str
    words: str
    rows: int
    examples: list[ExampleOut]


class UnknownOut(Schema):
    """A word that names nothing of ours yet."""

    what: Literal["store", "staff", "item"]
    word: str
    rows: int
    kind: str = Field("", description="Of an item: what it would be made as.")


class ChangeOut(Schema):
    customer: str
    field: str
    before: str
    after: str


class MetOut(Schema):
    """Known customers whom rows met in one way."""

    group: str
    words: str
    rows: int
    same: int = Field(..., description="Rows that change nothing.")
    decisions: list[str] = Field(..., description="What may be decided for them.")
    changes: list[ChangeOut] = Field(..., description="Of some of them.")


class CheckOut(Schema):
    """What the rows hold. The counts are there when the state is `done`."""

    state: Literal["none", "running", "done", "failed"]
    error: str = ""
    total: int = 0
    refused: int = 0
    problems: list[ProblemOut] = []
    unknown: list[UnknownOut] = []
    met: list[MetOut] = []
    referrals: dict[str, int] = {}
    """What the rows say of who brought whom."""


class LookIn(Input):
    kind: Kind | None = Field(None, description="Left out: as it is.")
    encoding: Literal["", "utf-8", "utf-8-sig", "gb18030", "big5", "utf-16"] = Field("", description="Empty: find out.")

    model_config = {"json_schema_extra": {"examples": [{"kind": "purchases", "encoding": "gb18030"}]}}


class SheetIn(Input):
    """One sheet. Sheets with the same columns mean the same by them."""

    sheet: Annotated[str, text(600, empty=False), Storable] = Field(..., description="Its `key`.")
    use: StrictBool = True
    columns: Annotated[dict[Line200, Word], Field(max_length=200)] | None = Field(
        None, description="Field to the name of its column; left out: as it was understood."
    )
    store: Annotated[str, text(120), Storable] | None = Field(
        None, description="Code of the store of rows that name none; `=` takes the name of the sheet."
    )


class ColumnsIn(Input):
    """Sheets that are not named stay as they were understood."""

    sheets: Annotated[list[SheetIn], Field(max_length=1000)] = []
    source: Annotated[str, text(60), Storable] = Field(
        "", description="Name of the old system: its numbers of receipts and customers are its own."
    )
    numbers_restart_daily: StrictBool = Field(False, description="The till counts its receipts from 1 every day.")
    accept_currency: StrictBool = Field(False, description="Foreign amounts are taken in the chain's currency.")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "sheets": [
                        {
                            "sheet": "1.csv|sales.csv",
                            "columns": {
                                "number": "单号",
                                "happened": "消费时间",
                                "amount": "实收金额",
                            },
                            "store": "JA",
                        }
                    ]
                }
            ]
        }
    }


class LoadIn(Input):
    """What was decided about names nobody knew and about customers known already."""

    matches: Annotated[
        dict[Literal["store", "staff", "item"], Annotated[dict[Word, Word], Field(max_length=1000)]],
        Field(max_length=3),
    ] = Field({}, description="An unknown word to a store's code, a person's user name, an item's code or name.")
    kinds: Annotated[dict[Word, Literal["service", "product", "card", "topup", "other"]], Field(max_length=1000)] = (
        Field({}, description="An unknown item to what it is made as.")
    )
    decisions: Annotated[
        dict[
            Literal["all", "number", "phone", "phone_other_name", "email", "conflict"],
            Literal["update", "merge", "skip", "refuse", "another"],
        ],
        Field(max_length=6),
    ] = Field(
        {},
        description="What rows of known customers do, by how they were met; `all` holds for the others. `merge` fills "
        "only what is empty; `another` writes down another person and is for `phone_other_name`.",
    )

    model_config = {
        "json_schema_extra": {"examples": [{"matches": {"store": {"静安店": "JA"}}, "decisions": {"all": "merge"}}]}
    }


def state_of(batch: Batch) -> Literal["none", "running", "done", "failed"]:
    """How far the check of a draft is."""
    check = batch.options.get("check")
    if not check:
        return "none"
    analysis = batch.options.get("analysis") or {}
    if analysis.get("check") != check:
        return "running"
    return "failed" if analysis["error"] else "done"


def is_lost(batch: Batch) -> bool:
    """Whether the check came to its end and what it found is not there any more."""
    return state_of(batch) == "done" and found_of(batch, batch.options["analysis"]) is None


def shown(batch: Batch, *, whole: bool = True, rows: bool = True) -> ImportOut:
    """The import; with its sheets and problems where it is `whole`. Without `rows` nothing that stands in the files:
    answers to writes are kept for a while, and names and phones would outlive them."""
    problems: Sequence[Mapping[str, Any]] = problems_kept(batch) if whole and rows else ()
    sheets = layouts_of(batch) if whole and batch.status == BatchStatus.DRAFT else []
    return ImportOut(
        id=batch.pk,
        kind=batch.kind,
        title=batch.title,
        status=BatchStatus(batch.status),
        created_at=batch.created_at,
        created_by=batch.created_by.name if batch.created_by else "",
        check=state_of(batch),
        done=batch.done,
        total=batch.total,
        created=batch.created_count,
        updated=batch.updated_count,
        skipped=batch.skipped_count,
        refused=batch.refused_count,
        kept=batch.kept_count,
        has_errors=error_path(batch) is not None,
        message=batch.message,
        refused_files=[RefusedFileOut(**one) for one in batch.options.get("refused_files") or ()],
        problems=_problems(problems),
        sheets=[_sheet(sheet, layout, rows=rows) for layout in sheets for sheet in layout.sheets],
    )


def checked(batch: Batch) -> CheckOut:
    state = state_of(batch)
    if state in ("none", "running"):
        return CheckOut(state=state)
    noted = batch.options["analysis"]
    if state == "failed":
        return CheckOut(state=state, error=noted["error"])
    analysis = found_of(batch, noted)
    if analysis is None:  # of a load long done: the files are gone, and with them what was found
        return CheckOut(state="none")
    return CheckOut(
        state=state,
        total=analysis["total"],
        refused=analysis["refused"],
        problems=_problems(analysis["problems"]),
        referrals=referrals_of(analysis),
        unknown=[
            UnknownOut(
                what=one["what"], word=one["word"], rows=one["rows"],
                kind=kind_of_new(batch, one, "") if one["what"] == "item" else "",
            )
            for one in analysis["unknown"]
        ],
        met=[
            MetOut(
                group=group["group"],
                words=str(group["words"]),
                rows=group["rows"],
                same=group["same"],
                decisions=[decision for decision, _words in group["decisions"]],
                changes=[
                    ChangeOut(
                        customer=line["name"], field=str(line["field"]), before=str(line["before"]),
                        after=str(line["after"]),
                    )
                    for line in group["lines"]
                ],
            )
            for group in met_of(batch, analysis)
        ],
    )  # fmt: skip


def form_of(body: ColumnsIn, layouts: Sequence[Layout]) -> tuple[dict[str, str], set[str]]:
    """What was sent, as the page's form says it: over what was understood; and the sheets in use."""
    known = {key_of(sheet): (sheet, layout) for layout in layouts for sheet in layout.sheets}
    form = {column.key: column.field for layout in layouts for column in layout.columns}
    form |= {f"store|{key}": sheet["store"] for key, (sheet, _layout) in known.items()}
    used = {key for key, (sheet, _layout) in known.items() if sheet["used"]}
    said: dict[str, Mapping[str, str]] = {}
    for place, one in enumerate(body.sheets):
        if one.sheet not in known:
            raise Invalid(field=f"sheets[{place}].sheet", reason="there is no such sheet")
        layout = known[one.sheet][1]
        used = used | {one.sheet} if one.use else used - {one.sheet}
        if one.store is not None:
            form[f"store|{one.sheet}"] = one.store
        if one.columns is None:
            continue
        if said.setdefault(layout.signature, one.columns) != one.columns:
            raise Invalid(field=f"sheets[{place}].columns", reason="a sheet with the same columns means other things")
        form |= _columns(one.columns, layout, f"sheets[{place}].columns")
    form |= {"source": body.source}
    form |= {"numbers_restart": "1"} if body.numbers_restart_daily else {}
    form |= {"accept_currency": "1"} if body.accept_currency else {}
    return form, used


def _columns(given: Mapping[str, str], layout: Layout, where: str) -> dict[str, str]:
    keys = {column.name: column.key for column in layout.columns}
    may_mean = _fields(layout)
    chosen = dict.fromkeys(keys.values(), "")
    for field, name in given.items():
        if field not in may_mean:
            raise Invalid(field=f"{where}.{field}", reason="choose one of %(choices)s", choices=", ".join(may_mean))
        if name not in keys:
            raise Invalid(field=f"{where}.{field}", reason="there is no column %(name)s", name=name)
        if chosen[keys[name]]:
            raise Invalid(field=f"{where}.{field}", reason="the column %(name)s means something already", name=name)
        chosen[keys[name]] = field
    return chosen


def _fields(layout: Layout) -> list[str]:
    return [field for _title, fields in layout.meanings for field, _words in fields]


def _sheet(sheet: Mapping[str, Any], layout: Layout, *, rows: bool) -> SheetOut:
    mapped = set(layout.mapping)
    return SheetOut(
        key=key_of(dict(sheet)),
        file=sheet["file"],
        name=sheet["name"],
        kind=layout.kind,
        source=sheet.get("source") or "",
        origin=sheet["origin"],
        encoding=sheet["encoding"] or "",
        delimiter=sheet["delimiter"] or "",
        used=sheet["used"],
        store=sheet["store"],
        columns=[
            ColumnOut(name=one.name, field=one.field, samples=one.samples if rows else []) for one in layout.columns
        ],
        fields=_fields(layout),
        missing=[list(group) for group in NEEDED[layout.kind] if not mapped & set(group)],
        first_rows=sheet["first_rows"] if rows else [],
    )


def _problems(kept: Sequence[Mapping[str, Any]]) -> list[ProblemOut]:
    return [
        ProblemOut(
            code=group["code"],
            words=" ".join(filter(None, (group["reason"], group["remedy"]))),
            rows=group["rows"],
            examples=[ExampleOut(**one) for one in group.get("examples") or ()],
        )
        for group in groups_of(kept, get_language() or "zh-hans")
    ]
