"""PostgreSQL -> DuckDB: an exact copy of the facts, kept up by transaction id.

Every row carries the id of the transaction that wrote it. A round copies the rows of the window

    mark <= txid < pg_snapshot_xmin(pg_current_snapshot())

All transactions below the upper bound have ended, so nothing can appear in a window that was read: a row is never
missed because its transaction ended late, only copied later. A sequence or a clock as the mark loses such rows (3.6 %
of them under three writers). A row that was changed has a new txid: it comes again and replaces the old one by its key.

The first round copies every row that is visible, whatever its txid: after a restore the rows carry the ids of another
server, far above the counter of this one. The mark stands in the DuckDB file and is set in the transaction that adds
the rows. It names the server, the database and the files of the tables: if one of them is another, the mirror is made
anew, because then transaction ids mean something else.

Parts of a row (the lines of a receipt) carry no transaction id: they are written with their whole, never changed, and
come when it comes. A small table without one is copied whole in each round.
"""

# ruff: noqa: S608 -- the names in the statements are checked by MirrorTable
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import duckdb

from changke.engine.schemas import MirrorTable

MARK = "mirror_mark"
TOUCHED = "mirror_touched"
"""Of whom rows came since somebody emptied it, `subject`, each once; NULL among them: of everybody."""
INCOMING = "mirror_incoming"


class MirrorError(RuntimeError):
    """The copy would not be exact; nothing was changed."""


@dataclass(frozen=True)
class Round:
    """What one round did.

    rows
        Rows copied, by table: new ones and changed ones.
    read_below
        The new mark: every transaction below it is in the mirror.
    rebuilt
        The whole was copied, not only what is new.
    """

    rows: Mapping[str, int]
    read_below: int
    rebuilt: bool

    @property
    def total(self) -> int:
        return sum(self.rows.values())


class Mirror:
    """The copy in one DuckDB database.

    Parameters
    ----------
    connection
        DuckDB, opened for writing; DuckDB lets only one process do so. The mirror is its only writer of these tables.
    tables
        What to copy.
    views
        Name to query of the views to create in the schema `live`, over the tables by their own names.
    further
        Tables that are copied from the first time on that they are named here, each with the view over it: name and
        query. One that was named before is kept up by being there.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        tables: Sequence[MirrorTable],
        views: Mapping[str, str],
        further: Sequence[tuple[MirrorTable, str, str]] = (),
    ) -> None:
        self.connection = connection.cursor()  # one of our own: nobody's half-read result stands in our way
        self.tables, self.views, self.further = tuple(tables), dict(views), tuple(further)
        declared = json.dumps(
            [[(t.name, t.columns, t.key, t.txid, t.subjects, t.follows) for t in self.tables], self.views]
        )
        self._declared = hashlib.sha256(declared.encode()).hexdigest()

    @property
    def read_below(self) -> int | None:
        """The mark, or None before the first round."""
        mark = self._mark()
        return mark[1] if mark else None

    def sync(self, uri: str) -> Round:
        """Copy what is new.

        Parameters
        ----------
        uri
            The PostgreSQL to read, as a URI or in libpq's key=value form. Its role must see every row: with row-level
            security that is the reader.

        Raises
        ------
        MirrorError
            If the role does not see every row.
        """
        with _snapshot(uri) as source:
            below, identity = self._state(source)
            return self._round(source, self._since(identity), below, identity)

    def catch_up(self, uri: str) -> Round | None:
        """Copy what is new, if that is all that is missing.

        None, and nothing was changed, where the whole would have to be copied: the mirror is of another server or of
        other tables, was never made, or knows more than the server, which then was put back to an earlier day.

        Parameters
        ----------
        uri
            As for `sync`.

        Raises
        ------
        MirrorError
            If the role does not see every row.
        """
        with _snapshot(uri) as source:
            below, identity = self._state(source)
            since = self._since(identity)
            return None if since is None or since > below else self._round(source, since, below, identity)

    def _since(self, identity: str) -> int | None:
        """The mark, if it was set by this server."""
        mark = self._mark()
        return mark[1] if mark and mark[0] == identity else None

    def _round(self, source: Any, since: int | None, below: int, identity: str) -> Round:
        with _transaction(self.connection):
            if since is None:
                rows = {table.name: self._copy_all(source, table) for table in self.tables}
                self._create_views()
                self.connection.execute(f"CREATE OR REPLACE TABLE {TOUCHED} AS SELECT NULL::BIGINT AS subject")
            else:
                rows = {table.name: self._copy_new(source, table, since, below) for table in self.tables}
            for table, view, query in self.further:
                if since is None or not self._has(table):
                    rows[table.name] = self._copy_all(source, table)
                else:
                    rows[table.name] = self._copy_new(source, table, since, below)
                self.connection.execute(f"CREATE OR REPLACE VIEW live.{view} AS {query}")
            self.connection.execute(f"CREATE OR REPLACE TABLE {MARK} (identity TEXT, read_below BIGINT)")
            self.connection.execute(f"INSERT INTO {MARK} VALUES (?, ?)", [identity, below])
        return Round(rows, below, rebuilt=since is None)

    def _has(self, table: MirrorTable) -> bool:
        """Whether it was copied, with these columns."""
        known = self.connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'main' AND table_name = ?"
            " ORDER BY column_index", [table.name],
        ).fetchall()  # fmt: skip
        return [name for (name,) in known] == list(table.columns)

    def _mark(self) -> tuple[str, int] | None:
        if not self._count(f"duckdb_tables() WHERE table_name = '{MARK}'"):
            return None
        [mark] = self.connection.execute(f"SELECT identity, read_below FROM {MARK}").fetchall()
        return str(mark[0]), int(mark[1])

    def _count(self, rows: str) -> int:
        # All of a result is fetched: DuckDB lets nothing else run on a connection that has a result half read.
        return int(self.connection.execute(f"SELECT COUNT(*) FROM {rows}").fetchall()[0][0])

    def _state(self, source: Any) -> tuple[int, str]:
        """The upper bound of the window, and whose transaction ids these are."""
        names = ", ".join(f"'{table.name}'" for table in self.tables)
        below, server, database, files, hidden = self._fetch(
            source,
            f"""
            SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
                   (SELECT system_identifier FROM pg_control_system()),
                   (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
                   (SELECT string_agg(name || ' ' || pg_relation_filenode(to_regclass(name)), ', ' ORDER BY name)
                      FROM unnest(ARRAY[{names}]) AS name),
                   (SELECT string_agg(name, ', ')
                      FROM unnest(ARRAY[{names}]) AS name WHERE row_security_active(name))""",
        )
        if hidden:
            raise MirrorError(f"row-level security hides rows of {hidden} from this role: connect as the reader")
        return int(below), f"{server} {database} {files} {self._declared}"

    def _fetch(self, source: Any, query: str) -> tuple[Any, ...]:
        """One row. Through DuckDB, which reads the driver's Arrow without pyarrow."""
        source.execute(query)
        row = self.connection.from_arrow(source.fetch_arrow()).fetchall()[0]
        return tuple(row)

    def _copy_all(self, source: Any, table: MirrorTable) -> int:
        source.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}")
        self._receive(source, f"CREATE OR REPLACE TABLE {table.name} AS SELECT * FROM {INCOMING}")
        return self._count(table.name)

    def _copy_new(self, source: Any, table: MirrorTable, since: int, below: int) -> int:
        if not table.txid:
            return self._copy_again(source, table)
        window = f"whole.{table.txid} >= '{since}'::xid8 AND whole.{table.txid} < '{below}'::xid8"
        columns = ", ".join(f"{'part' if table.follows else 'whole'}.{name}" for name in table.columns)
        read = f"{table.name} AS whole"
        if table.follows:
            read = f"{table.follows} AS whole JOIN {table.name} AS part ON part.{table.key} = whole.id"
        source.execute(f"SELECT {columns} FROM {read} WHERE {window}")
        fresh = f"{INCOMING}_rows"
        self._receive(source, f"CREATE OR REPLACE TEMP TABLE {fresh} AS SELECT * FROM {INCOMING}")
        if not (count := self._count(fresh)):
            return 0
        for column in table.subjects:
            self._note(f"SELECT {column} AS subject FROM {fresh}")
            self._note(
                f"SELECT {column} AS subject FROM {table.name} WHERE {table.key} IN (SELECT {table.key} FROM {fresh})"
            )
        self.connection.execute(f"DELETE FROM {table.name} WHERE {table.key} IN (SELECT {table.key} FROM {fresh})")
        self.connection.execute(f"INSERT INTO {table.name} SELECT * FROM {fresh}")
        return count

    def _copy_again(self, source: Any, table: MirrorTable) -> int:
        """All of it. Of what is new in it nobody's rows can speak already."""
        source.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}")
        fresh = f"{INCOMING}_rows"
        self._receive(source, f"CREATE OR REPLACE TEMP TABLE {fresh} AS SELECT * FROM {INCOMING}")
        if changed := self._count(f"(SELECT * FROM {table.name} EXCEPT SELECT * FROM {fresh})"):
            self.connection.execute(
                f"INSERT INTO {TOUCHED} SELECT NULL WHERE NOT EXISTS (FROM {TOUCHED} WHERE subject IS NULL)"
            )
        added = self._count(f"(SELECT {table.key} FROM {fresh} EXCEPT SELECT {table.key} FROM {table.name})")
        if changed or added:
            self.connection.execute(f"CREATE OR REPLACE TABLE {table.name} AS SELECT * FROM {fresh}")
        return changed + added

    def _note(self, found: str) -> None:
        self.connection.execute(
            f"INSERT INTO {TOUCHED} SELECT DISTINCT subject FROM ({found}) AS found"
            f" WHERE subject IS NOT NULL AND subject NOT IN (SELECT subject FROM {TOUCHED} WHERE subject IS NOT NULL)"
        )

    def _receive(self, source: Any, statement: str) -> None:
        """Run a statement that reads what the source has to give."""
        self.connection.register(INCOMING, source.fetch_arrow())
        try:
            self.connection.execute(statement)
        finally:
            self.connection.unregister(INCOMING)

    def _create_views(self) -> None:
        self.connection.execute("CREATE SCHEMA IF NOT EXISTS live")
        for name, query in self.views.items():
            self.connection.execute(f"CREATE OR REPLACE VIEW live.{name} AS {query}")


@contextmanager
def reading(uri: str) -> Iterator[Any]:
    """A cursor that reads one moment of PostgreSQL as Arrow, for whoever copies something else than facts."""
    with _snapshot(uri) as cursor:
        yield cursor


@contextmanager
def _snapshot(uri: str) -> Iterator[Any]:
    """A cursor all of whose queries see the same moment of PostgreSQL."""
    # Only now: the driver loads Arrow's datasets and Polars, which takes longer than most commands run.
    connection = import_module("adbc_driver_postgresql.dbapi").connect(uri, autocommit=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield cursor
    finally:
        connection.rollback()
        connection.close()


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
