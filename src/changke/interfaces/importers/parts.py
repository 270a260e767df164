"""What a source says of a sheet: which kind of rows it holds, how its columns become ours. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from changke.interfaces.importers.folding import folded, is_ours
from changke.interfaces.importers.sheets import RawRow


@dataclass(frozen=True)
class Row:
    """One row by heading, as the file writes it, or, once it is turned, by our field."""

    line: int
    cells: Mapping[str, str]
    problem: str = ""

    def get(self, *headings: str) -> str:
        """The first of these cells that is filled."""
        return next((cell for heading in headings if (cell := self.cells.get(folded(heading), ""))), "")


@dataclass(frozen=True)
class Ground:
    """What the same row means here: `currency` is the chain's, or "" where the person takes any figures as they are."""

    currency: str = ""


Turn = Callable[[Iterator[Row], Ground], Iterator[Row]]
"""Rows by folded heading -> rows by our fields. It streams, holding no more than the rows of one order."""


@dataclass(frozen=True)
class Part:
    """One kind of sheet of a source.

    `needs`: a heading of each group makes the sheet one of these. `columns`: field -> the headings that may carry it;
    the first is how we call the column from then on, also in the error file. `turn` is there where a row is more than
    itself.
    """

    key: str
    kind: str
    needs: Sequence[Sequence[str]]
    columns: Mapping[str, Sequence[str]]
    turn: Turn | None = None

    @property
    def mapping(self) -> dict[str, str]:
        return {field: headings[0] for field, headings in self.columns.items()}

    def recognises(self, names: Sequence[str]) -> bool:
        here = {folded(name) for name in names if name}
        return all(any(folded(heading) in here for heading in group) for group in self.needs)

    def is_turned(self, names: Sequence[str]) -> bool:
        """Whether this is our own error file of such a sheet: turned already."""
        own = [name for name in names if name and not is_ours(name)]
        return len(own) < len([name for name in names if name]) and set(own) == set(self.mapping.values())


@dataclass(frozen=True)
class Turned:
    """A sheet that a source understood: its new header, what each column means, and the way to turn its rows."""

    source: str
    part: Part
    names: Sequence[str]

    @property
    def is_plain(self) -> bool:
        """Each row is one of ours, only its columns have other names; our own columns of an error file stay."""
        return self.part.turn is None or self.part.is_turned(self.names)

    @property
    def header(self) -> tuple[str, ...]:
        ours = [name for name in self.names if is_ours(name)] if self.is_plain else []
        return (*ours, *self.part.mapping.values())

    def rows(self, rows: Iterator[RawRow], ground: Ground) -> Iterator[RawRow]:
        """Rows of the width of `header`."""
        headings = [folded(name) for name in self.names]
        read = (Row(line, dict(zip(headings, cells, strict=False)), problem) for line, cells, problem in rows)
        if self.is_plain or self.part.turn is None:
            ours = [folded(name) for name in self.names if is_ours(name)]
            for row in read:
                cells = [row.get(*names) for names in self.part.columns.values()]
                yield row.line, [*(row.cells.get(name, "") for name in ours), *cells], row.problem
        else:
            for row in self.part.turn(read, ground):
                yield row.line, [row.cells.get(field, "") for field in self.part.columns], row.problem
