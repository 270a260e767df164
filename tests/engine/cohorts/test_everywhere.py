"""The counts of a cohort are the same from a frame, from DuckDB's tables and from PostgreSQL's."""

import duckdb
import psycopg
import sqlglot

from changke.engine.cohorts import retention
from changke.engine.cohorts.everywhere import retention_statement
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from tests.engine import world
from tests.engine.fixtures import duck, empty_database, postgres

__all__ = ["duck", "empty_database", "postgres"]


def test_cohorts_agree(duck: duckdb.DuckDBPyConnection, postgres: psycopg.Connection) -> None:
    until = {"until": world.TODAY}
    by_duckdb = sorted(on_duckdb.run(duck, retention_statement("duckdb"), until).fetchall())
    bought = duck.execute("SELECT customer_id, business_date AS date FROM live.purchases").fetchnumpy()
    by_frame = retention(dict(bought), observation_end=world.TODAY)
    months = by_frame["cohort"].astype("datetime64[M]").astype(int) + 1970 * 12
    cells = zip(months, by_frame["age"], by_frame["customers"], by_frame["active"], strict=True)
    seen = sorted(tuple(map(int, cell)) for cell in cells if cell[3])
    assert len(seen) > 100
    assert by_duckdb == sorted(on_postgres.run(postgres, retention_statement("postgres"), until)) == seen


def test_spark_gets_the_same_question() -> None:
    tree = sqlglot.parse_one(retention_statement("spark").sql, read="spark")
    assert tree.named_selects == ["cohort", "age", "customers", "active"]
