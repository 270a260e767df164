"""What the mirror is asked to copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MirrorTable:
    """A table of PostgreSQL that stands in DuckDB under the same name, with some of its columns.

    Parameters
    ----------
    name
        Its name on both engines, found by PostgreSQL's search path.
    columns
        What is copied. Types follow PostgreSQL's; a column that PostgreSQL does not have fails the first copy.
    key
        The column, among them, by which a changed row is found again.
    txid
        The column of type xid8 that every insert and every update sets to the writing transaction. Indexed, or
        every copy of what is new reads the whole table.
    """

    name: str
    columns: tuple[str, ...]
    key: str = "id"
    txid: str = "txid"

    def __post_init__(self) -> None:
        for word in (self.name, self.key, self.txid, *self.columns):
            if not word.isidentifier():  # they are written into statements
                raise ValueError(f"not the name of a table or column: {word!r}")
        if self.key not in self.columns:
            raise ValueError(f"{self.name} is mirrored without its key {self.key}")


def mirror_tables(listed: Mapping[str, Sequence[str]]) -> list[MirrorTable]:
    """Tables by name with their columns, key `id`, transaction `txid`."""
    return [MirrorTable(name, tuple(columns)) for name, columns in listed.items()]
