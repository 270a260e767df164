"""The refused rows of a batch, as a table of the scratch database: which row, which field, why."""

from collections.abc import Sequence

import duckdb

REMARKS = frozenset({"referrer_unknown", "referrer_is_herself", "referral_circle", "referrer_stays"})
"""What is told beside a row that went in: all of it but this."""

SHAPE = "rn BIGINT, field VARCHAR, code VARCHAR, value VARCHAR, places VARCHAR"


def start(connection: duckdb.DuckDBPyConnection) -> None:
    """What the reader and the rules of single values refused."""
    connection.execute(f"CREATE OR REPLACE TABLE problems ({SHAPE})")
    connection.execute("INSERT INTO problems SELECT rn, '', problem, '', '' FROM typed WHERE problem <> ''")
    connection.execute(
        "INSERT INTO problems SELECT rn, each.field, each.code, each.value, each.places "
        "FROM (SELECT rn, unnest(bad) AS each FROM typed WHERE problem = '' AND len(bad) > 0)"
    )


def gather(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the problems of one kind of rows aside, before the next kind begins its own."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS all_problems ({SHAPE})")
    connection.execute(f"CREATE TABLE IF NOT EXISTS problems ({SHAPE})")
    connection.execute("INSERT INTO all_problems SELECT * FROM problems")
    connection.execute(f"CREATE OR REPLACE TABLE problems ({SHAPE})")


def gathered(connection: duckdb.DuckDBPyConnection) -> None:
    """All problems of the batch, as `problems` again."""
    connection.execute("CREATE OR REPLACE TABLE problems AS SELECT * FROM all_problems")


def refuse(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: str,
    code: str,
    field: str,
    when: str,
    value: str = "''",
    places: str = "''",
    fresh: bool = True,
) -> None:
    """Refuse the rows of `table` (it has `rn`) for which `when` holds; with `fresh`, only rows nobody refused
    before."""
    clean = "AND rn NOT IN (SELECT rn FROM problems)" if fresh else ""
    connection.execute(
        f"INSERT INTO problems SELECT rn, '{field}', '{code}', CAST({value} AS VARCHAR), {places} "  # noqa: S608 our own names
        f"FROM {table} WHERE ({when}) {clean}"
    )


def remark(connection: duckdb.DuckDBPyConnection, rows: Sequence[tuple[int, str, str, str]]) -> None:
    """Tell of rows that went in what did not: row, field, one of REMARKS, value."""
    if rows:
        connection.executemany("INSERT INTO problems VALUES (?, ?, ?, ?, '')", rows)


def place(name: str, value: str) -> str:
    """SQL for one filled place of a message."""
    return f"'{name}' || chr(30) || CAST({value} AS VARCHAR)"


def places_of(packed: str | None) -> dict[str, str]:
    """What `place` and `clean.judge` packed."""
    return dict(pair.split("\x1e", 1) for pair in (packed or "").split("\x1f") if "\x1e" in pair)


def refused_count(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows that did not go in."""
    codes = ", ".join(f"'{code}'" for code in sorted(REMARKS))
    found = connection.execute(f"SELECT count(DISTINCT rn) FROM problems WHERE code NOT IN ({codes})").fetchone()  # noqa: S608
    return int(found[0]) if found else 0


def told_count(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows of which anything is told, those that went in with them."""
    found = connection.execute("SELECT count(DISTINCT rn) FROM problems").fetchone()
    return int(found[0]) if found else 0
