"""Sets of rows that one query yields: streamed in parts, so that memory does not grow with them."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.utils.functional import Promise

from changke.interfaces.exporters.shape import DATASETS, Ask, Column, Dataset, Row

CHUNK = 2_000
Told = Callable[[Iterable[Row], Ask], Iterable[Row]]
"""Makes of a part of the query's rows what stands in the file: opens what is sealed, puts codes into words."""


def as_they_are(rows: Iterable[Row], _ask: Ask) -> Iterable[Row]:
    return rows


def register(
    key: str,
    words: str | Promise,
    columns: tuple[Column, ...],
    found: Callable[[Ask], Any],
    *,
    told: Told = as_they_are,
) -> None:
    """`found` is an ordered `values_list`, in the scope of whoever asks; a row in, a row out."""

    def rows(ask: Ask) -> Iterator[Row]:
        ahead = found(ask).iterator(chunk_size=CHUNK)
        while chunk := list(islice(ahead, CHUNK)):
            for row in told(chunk, ask):
                yield tuple(map(_plain, row))

    DATASETS.register(key, Dataset(key, words, columns, rows, lambda ask: int(found(ask).order_by().count())))


def _plain(cell: Any) -> Any:
    if isinstance(cell, dict):
        return json.dumps(cell, ensure_ascii=False)
    return int(cell) if isinstance(cell, bool) else cell
