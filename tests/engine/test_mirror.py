"""The mirror equals PostgreSQL: after inserts, changes, rollbacks, late commits; under writers; after a restore."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from adbc_driver_manager import ProgrammingError
from psycopg import sql

from changke.engine.mirror import Mirror, MirrorError
from changke.engine.schemas import MirrorTable, mirror_tables

TABLES = mirror_tables({"sale": ("id", "customer_id", "day", "cash", "kind", "withdrawn_by"), "person": ("id", "name")})
VIEWS = {"sales": "SELECT customer_id, day AS business_date, cash FROM sale WHERE withdrawn_by IS NULL"}
SCHEMA = """
DROP TABLE IF EXISTS sale, person;
CREATE TABLE sale (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  customer_id bigint, day date NOT NULL, cash bigint NOT NULL, kind varchar(8) NOT NULL, withdrawn_by bigint);
CREATE INDEX ON sale (txid);
CREATE TABLE person (id bigint PRIMARY KEY, txid xid8 NOT NULL DEFAULT pg_current_xact_id(), name text);
"""
SALE = "INSERT INTO sale (customer_id, day, cash, kind) SELECT nullif(g % 9, 0), date '2026-01-01' + g % 300, g, 'sale'"
WITHDRAW = "UPDATE sale SET withdrawn_by = 1, txid = pg_current_xact_id() WHERE id % 10 = 3 AND withdrawn_by IS NULL"


@pytest.fixture
def source(empty_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute(f"{SALE} FROM generate_series(1, 1000) g")
        connection.execute("INSERT INTO person (id, name) SELECT g, '客' || g FROM generate_series(1, 50) g")
        yield connection


@pytest.fixture
def copy() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def differing(source: psycopg.Connection, copy: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables whose rows are not the same."""
    return [
        table.name
        for table in TABLES
        if sorted(source.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}").fetchall(), key=str)
        != sorted(copy.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}").fetchall(), key=str)
    ]


def test_the_first_round_copies_all_the_next_what_is_new(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    mirror = Mirror(copy, TABLES, VIEWS)
    assert mirror.read_below is None
    first = mirror.sync(empty_database)
    assert (first.rebuilt, first.rows) == (True, {"sale": 1000, "person": 50})
    assert mirror.sync(empty_database).total == 0
    source.execute(f"{SALE} FROM generate_series(1, 7) g")
    second = mirror.sync(empty_database)
    assert (second.rebuilt, second.rows) == (False, {"sale": 7, "person": 0})
    assert second.read_below == mirror.read_below
    assert differing(source, copy) == []
    assert copy.execute("SELECT COUNT(*) FROM live.sales").fetchall() == [(1007,)]


def test_a_changed_row_replaces_the_old_one(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    mirror = Mirror(copy, TABLES, VIEWS)
    mirror.sync(empty_database)
    source.execute(WITHDRAW)
    source.execute("UPDATE person SET name = 'Vera', txid = pg_current_xact_id() WHERE id = 7")
    assert mirror.sync(empty_database).rows == {"sale": 100, "person": 1}
    assert differing(source, copy) == []
    assert copy.execute("SELECT COUNT(*) FROM live.sales").fetchall() == [(900,)]


def test_a_table_that_is_seldom_asked_comes_when_it_is_and_is_kept_up(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    [seldom] = mirror_tables({"person": ("id", "name")})
    further = [(seldom, "people", "SELECT name FROM person")]
    assert Mirror(copy, TABLES[:1], VIEWS).sync(empty_database).rows == {"sale": 1000}
    come = Mirror(copy, TABLES[:1], VIEWS, further).sync(empty_database)
    assert (come.rebuilt, come.rows) == (False, {"sale": 0, "person": 50}), "the others are not copied again"
    source.execute("UPDATE person SET name = 'Vera', txid = pg_current_xact_id() WHERE id = 7")
    kept = Mirror(copy, TABLES[:1], VIEWS, further).sync(empty_database)
    assert kept.rows == {"sale": 0, "person": 1}
    assert copy.execute("SELECT COUNT(*) FROM live.people WHERE name = 'Vera'").fetchall() == [(1,)]


def test_a_late_commit_is_late_and_never_lost(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    """The id of the late row is below ids that were already committed: a mark on the id would pass it by."""
    mirror = Mirror(copy, TABLES, VIEWS)
    mirror.sync(empty_database)
    with psycopg.connect(empty_database) as late:
        late.execute(f"{SALE} FROM generate_series(1, 3) g")
        source.execute(f"{SALE} FROM generate_series(1, 5) g")
        assert mirror.sync(empty_database).total == 0
        late.commit()
    assert mirror.sync(empty_database).total == 8
    assert differing(source, copy) == []


def test_a_transaction_open_during_the_first_round_is_not_lost(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    mirror = Mirror(copy, TABLES, VIEWS)
    with psycopg.connect(empty_database) as late:
        late.execute(f"{SALE} FROM generate_series(1, 3) g")
        source.execute(f"{SALE} FROM generate_series(1, 5) g")
        assert mirror.sync(empty_database).rows["sale"] == 1005
        late.commit()
    mirror.sync(empty_database)  # brings the five again: the key keeps them single
    assert differing(source, copy) == []


def test_a_reader_does_not_delay_the_mark(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    mirror = Mirror(copy, TABLES, VIEWS)
    mirror.sync(empty_database)
    with psycopg.connect(empty_database) as reader:
        reader.execute("SELECT COUNT(*) FROM sale")
        source.execute(f"{SALE} FROM generate_series(1, 5) g")
        assert mirror.sync(empty_database).total == 5


def test_exact_under_writers_that_roll_back_and_withdraw(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    mirror = Mirror(copy, TABLES, VIEWS)
    mirror.sync(empty_database)
    enough = threading.Event()

    def write(seed: int) -> None:
        dice = random.Random(seed)
        with psycopg.connect(empty_database) as connection:
            while not enough.is_set():
                for _ in range(dice.randint(1, 5)):
                    connection.execute(f"{SALE} FROM generate_series(1, 20) g")
                    if dice.random() < 0.3:
                        row = dice.randint(1, 2000) // 3 * 3 + seed  # its own rows: no deadlocks
                        connection.execute(
                            "UPDATE sale SET withdrawn_by = 1, txid = pg_current_xact_id() WHERE id = %s", [row]
                        )
                    time.sleep(dice.random() * 0.02)
                connection.commit() if dice.random() < 0.8 else connection.rollback()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for writer in writers:
        writer.start()
    rounds, deadline = [], time.monotonic() + 4
    while time.monotonic() < deadline:
        rounds.append(mirror.sync(empty_database).total)
    enough.set()
    for writer in writers:
        writer.join()
    mirror.sync(empty_database)
    assert sum(1 for total in rounds if total) > 10, rounds
    assert differing(source, copy) == []


def test_the_mark_and_the_rows_are_kept_together(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    """The second table fails: the first has to forget its rows, or they would be missed after the repair."""
    mirror = Mirror(copy, TABLES, VIEWS)
    before = mirror.sync(empty_database).read_below
    source.execute(f"{SALE} FROM generate_series(1, 5) g")
    source.execute("ALTER TABLE person RENAME name TO called")
    with pytest.raises(ProgrammingError, match="name"):
        mirror.sync(empty_database)
    assert mirror.read_below == before
    assert copy.execute("SELECT COUNT(*) FROM sale").fetchall() == [(1000,)]
    source.execute("ALTER TABLE person RENAME called TO name")
    assert mirror.sync(empty_database).rows == {"sale": 5, "person": 0}


@pytest.mark.parametrize("change", ["server", "truncate", "declaration"])
def test_another_source_is_copied_anew(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str, change: str
) -> None:
    Mirror(copy, TABLES, VIEWS).sync(empty_database)
    tables = TABLES
    if change == "server":
        copy.execute("UPDATE mirror_mark SET identity = replace(identity, '7', '8'), read_below = 1000000000000")
    if change == "truncate":
        source.execute("TRUNCATE person")
    if change == "declaration":
        tables = [TABLES[0], MirrorTable("person", ("id",))]
    again = Mirror(copy, tables, VIEWS).sync(empty_database)
    assert again.rebuilt
    assert again.rows["person"] == (0 if change == "truncate" else 50)


def test_rows_of_a_restored_dump_carry_ids_of_another_server(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    source.execute("UPDATE sale SET txid = '4000000000000' WHERE id <= 10")
    mirror = Mirror(copy, TABLES, VIEWS)
    mirror.sync(empty_database)
    source.execute(f"{SALE} FROM generate_series(1, 5) g")
    assert mirror.sync(empty_database).total == 5
    assert differing(source, copy) == []


def test_the_mirror_survives_in_its_file(source: psycopg.Connection, empty_database: str, tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "mirror.duckdb") as connection:
        Mirror(connection, TABLES, VIEWS).sync(empty_database)
    source.execute(f"{SALE} FROM generate_series(1, 5) g")
    with duckdb.connect(tmp_path / "mirror.duckdb") as connection:
        again = Mirror(connection, TABLES, VIEWS).sync(empty_database)
        assert (again.rebuilt, again.total) == (False, 5)
        assert connection.execute("SELECT COUNT(*) FROM live.sales").fetchall() == [(1005,)]


def test_a_role_that_does_not_see_every_row_is_refused(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    role, secret = f"narrow_{source.info.backend_pid}", "tests"
    source.execute("ALTER TABLE sale ENABLE ROW LEVEL SECURITY")
    source.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(secret)))
    source.execute(sql.SQL("GRANT SELECT ON sale, person TO {}").format(sql.Identifier(role)))
    try:
        with pytest.raises(MirrorError, match="hides rows of sale"):
            Mirror(copy, TABLES, VIEWS).sync(psycopg.conninfo.make_conninfo(empty_database, user=role, password=secret))
    finally:
        source.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        source.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_it_needs_no_pyarrow(source: psycopg.Connection, empty_database: str) -> None:
    """The base install has none; a test environment may."""
    program = f"""
import sys
sys.modules["pyarrow"] = sys.modules["pandas"] = None
import duckdb
from changke.engine.mirror import Mirror
from changke.engine.schemas import mirror_tables
with duckdb.connect() as copy:
    print(Mirror(copy, mirror_tables({{"person": ("id", "name")}}), {{}}).sync({empty_database!r}).rows)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": "src"})
    assert done.stdout.strip() == "{'person': 50}", done.stderr


@pytest.mark.parametrize("word", ["sale; DROP TABLE sale", "a b", ""])
def test_names_are_names(word: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        MirrorTable(word, ("id",))
    with pytest.raises(ValueError, match="not the name"):
        MirrorTable("sale", ("id", word))


def test_a_table_needs_its_key() -> None:
    with pytest.raises(ValueError, match="without its key"):
        MirrorTable("sale", ("cash",))


def test_catching_up_copies_news_and_never_the_whole(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    mirror = Mirror(copy, TABLES, VIEWS)
    assert mirror.catch_up(empty_database) is None, "there is none yet"
    mirror.sync(empty_database)
    source.execute(f"{SALE} FROM generate_series(1, 7) g")
    done = mirror.catch_up(empty_database)
    assert done is not None
    assert (done.rebuilt, done.rows) == (False, {"sale": 7, "person": 0})
    assert differing(source, copy) == []
    copy.execute("UPDATE mirror_mark SET read_below = read_below + 1000")
    assert mirror.catch_up(empty_database) is None, "the server was put back to an earlier day"
    source.execute("TRUNCATE person")
    assert mirror.catch_up(empty_database) is None, "the files of a table are others"
    assert copy.execute("SELECT COUNT(*) FROM person").fetchall() == [(50,)]


PARTED = mirror_tables(
    {"sale": ("id", "customer_id", "withdrawn_by"), "line": ("sale_id", "thing", "cash"), "thing": ("id", "kind")},
    parts={"line": ("sale", "sale_id")},
    whole=("thing",),
)


def test_parts_come_with_their_whole_and_a_small_table_anew(
    source: psycopg.Connection, copy: duckdb.DuckDBPyConnection, empty_database: str
) -> None:
    source.execute("""
        DROP VIEW IF EXISTS thing; DROP TABLE IF EXISTS line, kind;
        CREATE TABLE line (sale_id bigint, thing bigint, cash bigint); CREATE INDEX ON line (sale_id);
        INSERT INTO line SELECT 1 + g / 2, g % 5, g FROM generate_series(1, 1500) g;
        CREATE TABLE kind (id bigint, kind text);
        INSERT INTO kind SELECT g, 'kind ' || g % 2 FROM generate_series(0, 4) g;
        CREATE VIEW thing AS SELECT id, kind FROM kind""")
    mirror = Mirror(copy, PARTED, {})

    def round_with(statement: str) -> tuple[dict[str, int], bool]:
        """What a round copied, and whether everybody is noted."""
        copy.execute("DELETE FROM mirror_touched")
        source.execute(statement)
        rows = dict(mirror.sync(empty_database).rows)
        for table in PARTED:
            query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY ALL"
            theirs = source.execute(query.replace("ALL", ", ".join(table.columns))).fetchall()
            assert copy.execute(query).fetchall() == theirs
        return rows, copy.execute("SELECT COUNT(*) FROM mirror_touched WHERE subject IS NULL").fetchall() == [(1,)]

    assert mirror.sync(empty_database).rows == {"sale": 1000, "line": 1500, "thing": 5}
    assert round_with("SELECT 1") == ({"sale": 0, "line": 0, "thing": 0}, False)
    added = """
        WITH new AS (INSERT INTO sale (customer_id, day, cash, kind) VALUES (1, '2026-05-05', 9, 'sale') RETURNING id)
        INSERT INTO line SELECT id, thing, 5 FROM new, unnest(ARRAY[1, 1, 2]) AS thing"""
    assert round_with(added) == ({"sale": 1, "line": 3, "thing": 0}, False)
    withdrawn = "UPDATE sale SET withdrawn_by = 1, txid = pg_current_xact_id() WHERE id = 5"
    assert round_with(withdrawn) == ({"sale": 1, "line": 2, "thing": 0}, False), (
        "they come again and replace themselves"
    )
    assert round_with("INSERT INTO kind VALUES (9, 'kind 9')") == ({"sale": 0, "line": 0, "thing": 1}, False)
    assert round_with("UPDATE kind SET kind = 'other' WHERE id = 3") == ({"sale": 0, "line": 0, "thing": 1}, True)
    assert round_with("DELETE FROM kind WHERE id = 4") == ({"sale": 0, "line": 0, "thing": 1}, True)
