"""A chain of shops that never existed: skewed, with churners, ties, strangers, late days and facts of tomorrow."""

import datetime

import duckdb
import psycopg

from changke.engine.definitions import POPULATION_VERSION, Composer

TODAY = datetime.date(2026, 11, 21)
CUSTOMERS = 3_000
VERSION = 7
SETTINGS = {"gap_weight": 3, "lost_after_days": 180, "silent_after_days": 60}
TABLES = ("customers", "purchases", "visits", "memberships")
INDEXES = """
ALTER TABLE live.customers ADD PRIMARY KEY (customer_id);
CREATE INDEX ON live.purchases (customer_id) INCLUDE (store_id, business_date, receipt_id, cash_minor, consumed_minor);
CREATE INDEX ON live.visits (customer_id) INCLUDE (store_id, business_date, visit_id);
CREATE INDEX ON live.memberships (customer_id) INCLUDE (business_date, membership_id, tier);
"""


def build(connection: duckdb.DuckDBPyConnection, customers: int = CUSTOMERS) -> None:
    """Ten receipts a customer on average, log-normal; a sixth never bought, some are known from tomorrow on."""
    connection.execute("CREATE MACRO u(a, b) AS ((hash(a * 1000003 + b) % 1000000007) + 1) / 1000000008")
    connection.execute("CREATE MACRO z(a, b) AS sqrt(-2 * ln(u(a, b))) * cos(2 * pi() * u(a, b + 1))")
    connection.execute("CREATE SCHEMA live")
    connection.execute(
        f"""
        CREATE TABLE people AS SELECT i AS customer_id, CAST(1 + 40 * pow(u(i, 1), 2) AS BIGINT) AS home_store_id,
          DATE '2023-01-01' + CAST(1425 * u(i, 2) AS INTEGER) AS known_on,
          CASE WHEN u(i, 3) < 0.16 THEN 0 ELSE least(CAST(ceil(exp(1.84 + 1.3 * z(i, 4))) AS BIGINT), 2000) END AS n,
          CAST(10 + 1400 * u(i, 6) AS INTEGER) AS life FROM range(1, {customers + 1}) AS r(i)"""
    )
    connection.execute(
        "CREATE TABLE live.customers AS"
        " SELECT customer_id, home_store_id, known_on FROM people ORDER BY hash(customer_id)"
    )
    connection.execute("""
        CREATE TABLE live.purchases AS SELECT customer_id,
          CASE WHEN u(seed, 10) < 0.8 THEN home_store_id ELSE CAST(1 + 40 * u(seed, 11) AS BIGINT) END AS store_id,
          known_on + CAST(life * u(seed, 12) AS INTEGER) AS business_date,
          row_number() OVER (ORDER BY customer_id, seed) AS receipt_id,
          CASE WHEN u(seed, 13) < 0.3 THEN 0 ELSE CAST(100 * ceil(exp(4.5 + z(seed, 14))) AS BIGINT) END AS cash_minor,
          CAST(100 * ceil(exp(4.2 + z(seed, 16))) AS BIGINT) AS consumed_minor
        FROM (SELECT *, customer_id * 7919 + j AS seed FROM (SELECT *, unnest(range(n)) AS j FROM people))
        WHERE known_on + CAST(life * u(seed, 12) AS INTEGER) < DATE '2026-12-15'""")
    connection.execute("""
        CREATE TABLE live.visits AS
        SELECT customer_id, store_id, business_date, receipt_id AS visit_id FROM live.purchases
        WHERE hash(receipt_id) % 2 = 0
        UNION ALL
        SELECT customer_id, home_store_id, known_on, 1000000000 + customer_id FROM people
        WHERE hash(customer_id) % 5 = 0""")
    connection.execute("""
        CREATE TABLE live.memberships AS SELECT customer_id, business_date, receipt_id AS membership_id,
          CASE WHEN cash_minor > 40000 THEN 'gold' WHEN cash_minor > 15000 THEN '银卡' ELSE 'none' END AS tier
        FROM live.purchases WHERE hash(receipt_id) % 9 = 0""")
    connection.execute("DROP TABLE people")


def copy_to_postgres(connection: duckdb.DuckDBPyConnection, postgres: psycopg.Connection) -> None:
    """The same facts, with the indexes that a product would have."""
    words = {"BIGINT": "bigint", "DATE": "date", "VARCHAR": "text"}
    postgres.execute("CREATE SCHEMA live")
    for table in TABLES:
        columns = connection.sql(f"SELECT * FROM live.{table} LIMIT 0")
        pairs = zip(columns.columns, columns.types, strict=True)
        listed = ", ".join(f"{name} {words[str(kind)]} NOT NULL" for name, kind in pairs)
        postgres.execute(f"CREATE TABLE live.{table} ({listed})")
        with postgres.cursor().copy(f"COPY live.{table} FROM STDIN") as copy:
            for row in connection.execute(f"SELECT * FROM live.{table}").fetchall():
                copy.write_row(row)
    postgres.execute(INDEXES)
    postgres.execute("VACUUM ANALYZE")


def fill_populations(
    composer: Composer,
    connection: duckdb.DuckDBPyConnection,
    postgres: psycopg.Connection | None = None,
    *,
    version: int = VERSION,
    today: datetime.date = TODAY,
) -> None:
    """What the night does: the small tables, in their order, computed by DuckDB for all and handed to both engines."""
    values = {"today": today, POPULATION_VERSION: version, **SETTINGS}
    for definition in composer.registry.populations:
        statement = composer.population(definition.name, engine="duckdb")
        rows = connection.execute(statement.sql, statement.bind(values)).fetchall()
        listed = ", ".join(["version BIGINT", *(f"{name} {kind}" for name, kind in definition.table.items())])
        for target, mark in ((connection, "?"), (postgres, "%s")):
            if target is None:
                continue
            target.execute(f"CREATE TABLE IF NOT EXISTS population_{definition.name} ({listed})")
            marks = ", ".join([mark] * (1 + len(statement.columns)))
            for row in rows:
                target.execute(f"INSERT INTO population_{definition.name} VALUES ({marks})", (version, *row))
