"""A sheet of items as rows: which column is what, and what each row says. CSV, Excel or Parquet, read as imports
are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import get_language, gettext, gettext_noop

from changke.facts.catalog import rules
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.money import calculable
from changke.interfaces import words
from changke.interfaces.importers.apart import open_sheets
from changke.interfaces.importers.clean import identity_text
from changke.interfaces.importers.columns import HEADER_WITHIN_ROWS, cell_words, synonyms, unique
from changke.interfaces.importers.folding import folded
from changke.interfaces.importers.normalise import numbers, texts
from changke.interfaces.importers.problems import Refused
from changke.interfaces.importers.sheets import RawRow

MOST_ROWS = 20_000
"""Ten times the largest catalogue we know of."""

HEADINGS: Mapping[str, Sequence[str]] = {
    "code": (
        *synonyms("purchases", "item_code"), "编号", "编码", "代码", "品项编号", "品项编码", "卡项编号", "編號", "編碼",
        "代碼", "品項編號", "code", "itemno", "itemnumber",
    ),
    "name": (
        *synonyms("purchases", "item"), "名称", "品项", "品项名称", "名稱", "品項", "品項名稱", "name", "title",
    ),
    "kind": (*synonyms("purchases", "item_kind"), "类型", "种类", "品项类型", "類型", "種類", "kind", "type"),
    "category": (*synonyms("purchases", "category"), "品项分类", "所属分类", "品項分類"),
    "price": (*synonyms("purchases", "unit_price"), "会员价", "门市价", "門市價", "saleprice"),
    "cost": (
        "成本", "单次成本", "单位成本", "成本价", "成本單價", "單次成本", "成本價", "cost", "unitcost", "costprice",
        "costofone", "costperitem",
    ),
    "cycle": (
        "周期", "间隔", "通常间隔", "护理周期", "回访周期", "服务周期", "通常间隔天", "通常间隔天数", "週期", "間隔",
        "通常間隔", "護理週期", "cycle", "cycledays", "usualcycle", "usualcycledays", "usualcycleindays",
    ),
    "margin": (
        "毛利率", "毛利", "分类毛利率", "分类毛利", "分類毛利率", "分類毛利", "margin", "marginpercent", "grossmargin",
        "categorymargin", "margininpercent",
    ),
    "used": ("在用", "启用", "是否启用", "上架", "是否上架", "使用中", "啟用", "inuse", "active", "isactive"),
}  # fmt: skip
"""Field -> how its column may be called; compared without case, spaces, punctuation and brackets."""

OWN_KINDS = {"sessioncard": "card", "儲值加值": "topup"}
"""As our own pages say it, beside the words of imports."""


class ItemsWithoutColumns(DomainError):
    code, status = "items_without_columns", 422
    message = (
        "No row of this sheet has a column code or name. Put the names of the columns into the first row: code, name,"
        " kind, category, price, cost, cycle, margin, in use."
    )


class ItemsTooMany(DomainError):
    code, status = "items_too_many", 422
    message = "A sheet of items has at most %(most)s rows: load it in parts."


@dataclass(frozen=True)
class Bad:
    """What cannot go in: where it stands in the file, and what would be right."""

    sheet: str
    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Row:
    """What one row says. `changes` holds columns of an item that are said; an empty cell says nothing."""

    sheet: str
    line: int
    code: str
    name: str
    changes: Mapping[str, object]
    category: str = ""
    margin: int | None = None


@dataclass
class Read:
    """A file as it was understood."""

    rows: list[Row] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Headings of columns that are none of ours."""


def read(path: Path, name: str, *, currency: str, most: int = MOST_ROWS) -> Read:
    """Every table of the file that names items. Raises a domain error for a file that cannot be used at all, and
    UnreadableFile."""
    found, has_header = Read(), False
    with closing(open_sheets(path, name=name)) as sheets:
        for sheet in sheets:
            layout = _header(sheet.rows)
            if layout is None:
                continue
            has_header = True
            found.unread += [one for one in layout.unread if one not in found.unread]
            for line, cells, problem in sheet.rows:
                _take(found, sheet.name, line, cells, problem, layout, currency)
                if len(found.rows) + len(found.bad) > most:
                    raise ItemsTooMany(most=f"{most:,}")
    if not has_header:
        raise ItemsWithoutColumns
    return found


@dataclass(frozen=True)
class Layout:
    """Where each field stands, and what its column is called."""

    places: Mapping[str, int]
    names: Sequence[str]
    unread: Sequence[str]


def _header(rows: Iterator[RawRow]) -> Layout | None:
    """The first row that names the items and something of them; above it stand titles and dates. The rows go on after
    it."""
    for _ in range(HEADER_WITHIN_ROWS):
        row = next(rows, None)
        if row is None:
            return None
        names = unique(row[1])
        places = _places(names)
        if {"code", "name"} & places.keys() and len(places) > 1:
            known = set(places.values())
            return Layout(places, names, [one for at, one in enumerate(names) if one and at not in known])
    return None


def _places(names: Sequence[str]) -> dict[str, int]:
    by_word: dict[str, int] = {}
    for at, name in enumerate(names):
        if name:
            by_word.setdefault(folded(name), at)
    found: dict[str, int] = {}
    for said, headings in HEADINGS.items():
        if places := [by_word[word] for word in headings if word in by_word and by_word[word] not in found.values()]:
            found[said] = places[0]
    return found


def _take(
    found: Read, sheet: str, line: int, cells: Sequence[str], problem: str, layout: Layout, currency: str
) -> None:
    """One row into `found`: what it says, or the first thing that is wrong with it."""
    said = {name: texts.text(cells[at]) if at < len(cells) else "" for name, at in layout.places.items()}
    said = {name: "" if texts.is_empty(text) else text for name, text in said.items()}
    if not any(said.values()) and not problem:
        return
    if problem:
        found.bad.append(Bad(sheet, line, "", "", in_words(Refused(problem))))
        return
    values: dict[str, object] = {}
    for name, text in said.items():
        if not text:
            continue
        try:
            values[name] = READERS[name](text, currency)
        except (Refused, Invalid) as refused:
            column = layout.names[layout.places[name]]
            found.bad.append(Bad(sheet, line, column, text[:200], in_words(refused)))
            return
    if "code" not in values and "name" not in values:
        found.bad.append(Bad(sheet, line, "", "", gettext("names no item: write its code or its name")))
        return
    category, margin = str(values.pop("category", "")), values.pop("margin", None)
    if margin is not None and not category:
        column = layout.names[layout.places["margin"]]
        reason = gettext("a margin is of a category: name the category in the same row")
        found.bad.append(Bad(sheet, line, column, said["margin"][:200], reason))
        return
    code, title = str(values.pop("code", "")), str(values.pop("name", ""))
    changes = {COLUMNS[name]: value for name, value in values.items()}
    found.rows.append(Row(sheet, line, code, title, changes, category, margin if isinstance(margin, int) else None))


COLUMNS = {
    "kind": "kind", "price": "price_minor", "cost": "unit_cost_minor", "cycle": "usual_cycle_days", "used": "is_active",
}  # fmt: skip
NOT_ONE = gettext_noop("1 may be 1 % or the whole: write 1% or 100%")


def _words(field_: str, longest: int) -> Callable[[str, str], object]:
    """As it stands in the file, if it can be kept: an item that an import brought is found under what was written
    there, double spaces and all."""

    def reader(text: str, currency: str) -> object:
        found = identity_text(text) if field_ == "code" else text
        rules.line(found, field=field_, longest=longest)
        return found

    return reader


def _kind(text: str, currency: str) -> object:
    plain = folded(text)
    found = cell_words("item_kind").get(plain) or OWN_KINDS.get(plain)
    if found is None:
        raise Refused("word_unknown", known="、".join(str(one) for one in words.ITEM_KINDS.values()))
    return found


def _money(column: str) -> Callable[[str, str], object]:
    def reader(text: str, currency: str) -> object:
        return rules.of_item({column: numbers.money(text, currency=currency)})[column]

    return reader


def _cycle(text: str, currency: str) -> object:
    days = numbers.number(text.removesuffix("days").removesuffix("day").rstrip("天日"))
    whole = int(days) if calculable(days) and abs(days) < 10**6 and days == int(days) else 0
    return rules.of_item({"usual_cycle_days": whole})["usual_cycle_days"]


def _margin(text: str, currency: str) -> object:
    """`60`, `60%`, `0.6`: what a workbook shows as 60 % it holds as 0.6, and no shop keeps less than 1 %."""
    if text.endswith(("%", "％")):
        return rules.basis_points(text)
    share = numbers.number(text)
    if share == 1:
        raise Invalid(field="margin", reason=NOT_ONE)
    return rules.basis_points(share * 100 if calculable(share) and 0 < share < 1 else share)


def _used(text: str, currency: str) -> object:
    return texts.boolean(text)


READERS: Mapping[str, Callable[[str, str], object]] = {
    "code": _words("code", rules.LONGEST_CODE), "name": _words("name", rules.LONGEST_NAME), "kind": _kind,
    "category": _words("category", rules.LONGEST_CATEGORY), "price": _money("price_minor"),
    "cost": _money("unit_cost_minor"), "cycle": _cycle, "margin": _margin, "used": _used,
}  # fmt: skip


def in_words(refused: Refused | DomainError) -> str:
    """In the reader's language, with what would be right."""
    if isinstance(refused, Refused):
        return refused.problem.words(get_language() or "zh-hans")
    return words.refusal(refused)
