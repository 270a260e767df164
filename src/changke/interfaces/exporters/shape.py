"""What an exporter is made of: columns, a set of rows, and who asks."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.utils.functional import Promise

from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.scope import Scope
from changke.foundation.registry import Registry

Cell = str | int | dt.date | dt.datetime | None
Row = Sequence[Cell]

DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")
"""How a text begins that a spreadsheet would run."""


@dataclass(frozen=True)
class Column:
    """`kind` is text, int, money (minor units), day or moment."""

    key: str
    words: str | Promise
    kind: str = "text"


@dataclass(frozen=True)
class Ask:
    """Whose eyes the rows are read through, and which of them are wanted."""

    scope: Scope
    filters: str = ""
    """The query of the customer list, where the set has one."""
    shows_phones: bool = False
    currency: str = "CNY"
    role: str = ""
    """Which of the chain's own fields may be seen; "" is all."""


def no_more(_ask: Ask) -> tuple[Column, ...]:
    """Most sets have the same columns in every chain."""
    return ()


def no_secret(_ask: Ask) -> None:
    """The filters of most sets name nothing that a role may not know."""


@dataclass(frozen=True)
class Dataset:
    """A set of rows. `rows` streams them, `count` says how many there are; both keep to the scope."""

    key: str
    words: str | Promise
    columns: tuple[Column, ...]
    rows: Callable[[Ask], Iterator[Row]]
    count: Callable[[Ask], int]
    needs: Capability = Capability.CUSTOMER_EXPORT
    own: Callable[[Ask], tuple[Column, ...]] = no_more
    """Columns that this chain has besides, after the others; a row's cells follow them."""
    check: Callable[[Ask], None] = no_secret
    """Refuses filters by which whoever asks would learn what her role may not see."""


DATASETS: Registry[Dataset] = Registry("export datasets", Dataset)


class Format(Protocol):
    """A folder beside this file. Copy a neighbour."""

    KEY: str
    SUFFIX: str
    CONTENT_TYPE: str
    WORDS: Mapping[str, str]

    def write(self, path: Path, columns: Sequence[Column], rows: Iterator[Row], *, currency: str) -> None: ...


def guarded(text: str) -> str:
    """A text that no spreadsheet runs as a formula. Our own import takes the apostrophe away again."""
    return f"'{text}" if text.startswith(DANGEROUS) else text
