"""Which column is what: headers are recognised by the synonyms of `words.toml`, remembered per header signature."""

import hashlib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from changke.interfaces.importers.folding import folded, is_ours
from changke.interfaces.importers.normalise.texts import text

KINDS = ("purchases", "customers", "visits", "openings", "notes", "cards")
HEADER_WITHIN_ROWS = 20
"""Title, date of export and filter lines stand above the header; more than twenty of them were never seen."""

FieldMap = Mapping[str, str]
"""field -> header of the column"""

Own = Mapping[str, Collection[str]]
"""Columns that the chain added: field -> the folded headings that mean it."""
NONE: Own = {}


@dataclass(frozen=True)
class Header:
    """Where the header stands and what its columns are called, each once."""

    index: int
    names: tuple[str, ...]

    @property
    def signature(self) -> str:
        """The same file layout next month has the same signature; our own error columns do not change it."""
        own = "\x1f".join(name for name in self.names if not is_ours(name))
        return hashlib.sha256(own.encode()).hexdigest()[:32]


def fields_of(kind: str) -> tuple[str, ...]:
    """Every field that a file of this kind may carry."""
    groups = ["identity", *(["purchases"] if kind == "purchases" else [])]
    groups += [kind] if kind != "purchases" else []
    if kind not in {"customers", "notes", "cards"}:
        profile = [field for field in vocabulary()["customers"] if field in {"gender", "birthday"}]
    else:
        profile = []
    return tuple(dict.fromkeys([*(field for group in groups for field in vocabulary()[group]), *profile]))


def find_header(
    rows: Sequence[Sequence[str]], kind: str, *, wanted: FieldMap | None = None, own: Own = NONE
) -> Header | None:
    """The row that names the most known columns; with a given mapping, the row that has its columns."""
    best, best_score = None, (0, 0)
    for index, row in enumerate(rows[:HEADER_WITHIN_ROWS]):
        names = unique(row)
        filled = sum(bool(name) for name in names)
        if wanted:
            known = len(set(wanted.values()) & set(names))
        else:
            known = len(recognise(names, kind, own)) if filled > 1 or len(names) == 1 else 0
        if (known, 0) > best_score:
            best, best_score = Header(index, names), (known, 0)
    if best is None:
        # Nothing known: the first row in which most columns have a text, so that a person can map by hand.
        width = max((len(row) for row in rows), default=0)
        for index, row in enumerate(rows[:HEADER_WITHIN_ROWS]):
            filled = sum(bool(text(cell)) and not re.match(r"^[\d.,:/-]+$", text(cell)) for cell in row)
            if filled > 1 and filled * 2 > width:
                return Header(index, unique(row))
    return best


def recognise(names: Sequence[str], kind: str, own: Own = NONE) -> dict[str, str]:
    """field -> header. Exact synonyms in the order of the vocabulary; one column serves one field.

    A field that the chain named itself is believed before ours of the same name, but not before who she is.
    """
    by_word: dict[str, str] = {}
    for name in names:
        if name and not is_ours(name):
            by_word.setdefault(folded(name), name)
    found: dict[str, str] = {}
    ours = {field: synonyms(kind, field) for field in fields_of(kind)}
    who = {field: words for field, words in ours.items() if field in vocabulary()["identity"]}
    for field, words in {**who, **own, **ours}.items():
        for synonym in words:
            header = by_word.get(synonym)
            if header is not None and header not in found.values():
                found[field] = header
                break
    return found


def guess_kind(names: Sequence[str]) -> str:
    """What a file is about, by its columns: a first and a last date make a summary, an amount a purchase file."""
    openings = recognise(names, "openings")
    if {"first_on", "last_on"} <= openings.keys():
        return "openings"
    purchases = recognise(names, "purchases")
    # A till's receipts may also say what is left on the card; a list of cards has no receipt and no amount.
    if {"card", "remaining"} <= recognise(names, "cards").keys() and not {"number", "amount"} & purchases.keys():
        return "cards"
    if "happened" in purchases and {"amount", "unit_price", "quantity"} & purchases.keys():
        return "purchases"
    if {"happened", "text"} <= recognise(names, "notes").keys():
        return "notes"
    if "happened" in recognise(names, "visits"):
        return "visits"
    return "customers"


def unique(row: Sequence[str]) -> tuple[str, ...]:
    """Trimmed names; a name that comes again gets a number, an empty one stays empty."""
    names: list[str] = []
    for cell in row:
        name = " ".join(text(cell).split())
        again = 2
        candidate = name
        while candidate and candidate in names:
            candidate = f"{name} ({again})"
            again += 1
        names.append(candidate)
    while names and not names[-1]:
        names.pop()
    return tuple(names)


@cache
def vocabulary() -> Mapping[str, Mapping[str, Sequence[str]]]:
    loaded = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
    return {group: fields for group, fields in loaded.items() if group not in {"words", "ours"}}


@cache
def cell_words(field: str) -> Mapping[str, str]:
    """folded word -> code, for cells with words of their own: type, item_kind, sold_as, tender."""
    loaded = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
    return {folded(word): code for code, listed in loaded["words"][field].items() for word in listed}


def synonyms(kind: str, field: str) -> Sequence[str]:
    groups = vocabulary()
    for group in (kind, "identity", "customers"):
        if field in groups[group]:
            return groups[group][field]
    return ()
