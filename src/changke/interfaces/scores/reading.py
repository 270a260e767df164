"""A file of scores: which column is what, and its rows.

A row is a customer, perhaps the day that it speaks of, and one column per score, called by its key: CSV, a workbook's
first sheet or Parquet, read as imports are. Who she is stands in `customer` (the pseudonym of the analysts' file) or in
`customer_id` (our number).
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from django.utils.translation import get_language

from changke.facts.scores.models import Score
from changke.facts.scores.queries import scores_for
from changke.foundation.errors import DomainError
from changke.interfaces.importers.apart import open_sheets
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sheets import RawRow

PSEUDONYM, NUMBER, DAY = "customer", "customer_id", "scored_on"
MOST_ROWS = 20_000_000


class ScoresUnreadable(DomainError):
    code, status = "scores_unreadable", 422
    message = "This file cannot be read: %(problem)s"


class ScoresWithoutCustomer(DomainError):
    code, status = "scores_without_customer", 422
    message = (
        "A file of scores has one column customer (the pseudonym of the analysts' file) or customer_id; this one has:"
        " %(columns)s"
    )


class ScoresUnknown(DomainError):
    code, status = "scores_unknown", 422
    message = "There is no score %(unknown)s. Define it first, or leave the column out. There are: %(known)s"


class ScoresMissing(DomainError):
    code, status = "scores_missing", 422
    message = "This file holds no score. There are: %(known)s"


class ScoresTooMany(DomainError):
    code, status = "scores_too_many", 422
    message = "This file has more than %(most)s rows: load it in parts."


class ScoresTwice(DomainError):
    code, status = "scores_twice", 422
    message = "These columns stand in the file twice: %(columns)s"


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are."""

    whose: str
    """`customer` or `customer_id`."""
    columns: Sequence[str]
    scores: Mapping[str, Score]
    """Column -> score."""


def look(path: Path, name: str, *, role: str | None = None) -> Layout:
    """What the file holds; refused as a whole where a column is unknown. `role`: whose scores may be written."""
    with _opened(path, name) as rows:
        names = [cell.strip() for cell in next(rows, (1, [], ""))[1]]
    known = {one.key: one for one in scores_for(role)}
    said = ", ".join(known) or "–"
    whose = [one for one in (PSEUDONYM, NUMBER) if one in names]
    if len(whose) != 1 or names.count(whose[0]) != 1:
        raise ScoresWithoutCustomer(columns=", ".join(names)[:400])
    wanted = [one for one in names if one not in (*whose, DAY)]
    if unknown := [one for one in wanted if one not in known]:
        raise ScoresUnknown(unknown=", ".join(unknown)[:200], known=said)
    if not wanted:
        raise ScoresMissing(known=said)
    if twice := [one for one, times in Counter(names).items() if times > 1]:
        raise ScoresTwice(columns=", ".join(twice)[:200])
    return Layout(whose[0], names, {one: known[one] for one in wanted})


@dataclass(frozen=True)
class Line:
    """A row as it stands in the file, with the number that a person finds it by."""

    number: int
    whose: str
    day: str
    values: Sequence[str]
    """In the order of the layout's scores."""
    problem: str
    """Why the row cannot be read at all, as a code of the importers' problems; or an empty text."""
    again: bool = False
    """An earlier row speaks of the same customer and day."""


@dataclass(frozen=True)
class Keys:
    """Of which customers and days the rows of a file speak."""

    rows: int
    twice: frozenset[int]
    """Hashes of those that may stand there more than once."""


def keys(path: Path, name: str, layout: Layout) -> Keys:
    """Eight bytes a row: a file may have millions, and nearly all of them stand there once."""
    hashes = array("q")
    for line in _lines(path, name, layout):
        if len(hashes) >= MOST_ROWS:
            raise ScoresTooMany(most=f"{MOST_ROWS:,}")
        hashes.append(hash((line.whose, line.day)))
    found = np.sort(np.frombuffer(hashes, np.int64))
    return Keys(len(found), frozenset(found[1:][found[1:] == found[:-1]].tolist()))


def lines(path: Path, name: str, layout: Layout, known: Keys, *, at_once: int) -> Iterator[tuple[Line, ...]]:
    """The rows in their order, some at a time."""
    rows = _told_again(_lines(path, name, layout), known)
    while some := tuple(islice(rows, at_once)):
        yield some


def _told_again(rows: Iterator[Line], known: Keys) -> Iterator[Line]:
    seen: set[tuple[str, str]] = set()
    for line in rows:
        key = (line.whose, line.day)
        if hash(key) not in known.twice:
            yield line
            continue
        yield replace(line, again=key in seen)
        seen.add(key)


def _lines(path: Path, name: str, layout: Layout) -> Iterator[Line]:
    place = {one: at for at, one in enumerate(layout.columns)}
    whose, day, scores = place[layout.whose], place.get(DAY), [place[one] for one in layout.scores]
    with _opened(path, name) as rows:
        next(rows, None)
        for number, cells, problem in rows:
            full = [*cells, *[""] * (len(place) - len(cells))]
            at = "" if day is None else full[day].strip()
            yield Line(number, full[whose].strip(), at, [full[one] for one in scores], problem)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Iterator[RawRow]]:
    """The rows of the first table, the header among them."""
    try:
        with closing(open_sheets(path, name=name)) as sheets:
            sheet = next(sheets, None)
            yield sheet.rows if sheet else iter(())
    except UnreadableFile as error:
        raise ScoresUnreadable(problem=error.problem.words(get_language() or "zh-hans")) from None
