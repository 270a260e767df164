"""What the mirror is asked to copy."""

from collections.abc import Collection, Mapping, Sequence
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
        every copy of what is new reads the whole table. Empty: a small table or view that has none. It is copied whole
        in every round, and where a row of it is another than before, everybody is noted as touched.
    subjects
        Columns, among them, with the ids of those a row speaks of: whoever is named by a row that comes, or by the one
        it replaces, is noted as touched.
    follows
        The table whose parts these rows are: written with their whole, never changed, without a transaction id of their
        own. They come when it comes, and `key` is what they call it.
    """

    name: str
    columns: tuple[str, ...]
    key: str = "id"
    txid: str = "txid"
    subjects: tuple[str, ...] = ()
    follows: str = ""

    def __post_init__(self) -> None:
        may_lack = [word for word in (self.txid, self.follows) if word]
        for word in (self.name, self.key, *self.columns, *self.subjects, *may_lack):
            if not word.isidentifier():  # they are written into statements
                raise ValueError(f"not the name of a table or column: {word!r}")
        if self.key not in self.columns:
            raise ValueError(f"{self.name} is mirrored without its key {self.key}")


def mirror_tables(
    listed: Mapping[str, Sequence[str]],
    subjects: Mapping[str, Sequence[str]] | None = None,
    *,
    parts: Mapping[str, tuple[str, str]] | None = None,
    whole: Collection[str] = (),
) -> list[MirrorTable]:
    """Tables by name with their columns, key `id`, transaction `txid`; and whom their rows speak of.

    Parameters
    ----------
    parts
        Table -> the table whose parts its rows are, and the column that says of which.
    whole
        Small ones without a transaction id.
    """
    about, of = subjects or {}, parts or {}
    return [
        MirrorTable(
            name,
            tuple(columns),
            key=of[name][1] if name in of else "id",
            txid="" if name in whole else "txid",
            subjects=tuple(about.get(name, ())),
            follows=of[name][0] if name in of else "",
        )
        for name, columns in listed.items()
    ]
