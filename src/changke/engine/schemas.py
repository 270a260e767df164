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
    subjects
        Columns, among them, with the ids of those a row speaks of: whoever is named by a row that comes, or by the one
        it replaces, is noted as touched.
    """

    name: str
    columns: tuple[str, ...]
    key: str = "id"
    txid: str = "txid"
    subjects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for word in (self.name, self.key, self.txid, *self.columns, *self.subjects):
            if not word.isidentifier():  # they are written into statements
                raise ValueError(f"not the name of a table or column: {word!r}")
        if self.key not in self.columns:
            raise ValueError(f"{self.name} is mirrored without its key {self.key}")


def mirror_tables(
    listed: Mapping[str, Sequence[str]], subjects: Mapping[str, Sequence[str]] | None = None
) -> list[MirrorTable]:
    """Tables by name with their columns, key `id`, transaction `txid`; and whom their rows speak of."""
    about = subjects or {}
    return [MirrorTable(name, tuple(columns), subjects=tuple(about.get(name, ()))) for name, columns in listed.items()]
