"""What every reader yields: sheets of text rows, each row with the number under which a person finds it in the file."""

from collections.abc import Iterator
from dataclasses import dataclass

RawRow = tuple[int, list[str], str]
"""Line or row number as the person's program shows it, the cells as text, and the code of a problem or ''."""


@dataclass(frozen=True)
class Sheet:
    """One table of a file. `rows` streams: it can be read once and holds no more than a few rows in memory."""

    name: str
    rows: Iterator[RawRow]
    strict_width: bool = True
    """A row shorter than the header was cut off (CSV). Workbooks and Parquet have no such rows."""
    encoding: str = ""
    delimiter: str = ""
    """How a text file was understood, to be shown; empty for typed formats."""
