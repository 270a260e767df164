"""All attributes and stages of everybody, over facts already mirrored: composed against written by hand, in one run.

    python -m benchmarks.refresh FOLDER --customers 1000000 --purchases 10000000

The world is written into the folder once and used again. Both sides read the same tables of one DuckDB file with the
same threads and memory, each starts with nothing computed (the population's values included), and their rows must be
equal: a baseline that computed something else would prove nothing. Pairs alternate; medians are compared.
"""

import argparse
import datetime as dt
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
from benchmarks.told import tell
from benchmarks.world import write_world

from changke.engine.definitions import POPULATION_VERSION, TYPES, Composer
from changke.engine.engines import duckdb as on_duckdb
from changke.facts.tables import VIEWS
from changke.profiles import lifecycle
from changke.profiles.attributes.catalogue import COLUMNS, POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables
from changke.profiles.lifecycle.rules import read_model

TODAY = dt.date(2026, 11, 21)
SETTINGS = {
    "activity_visit": 1,
    "activity_purchase": 1,
    "activity_use": 1,
    "gap_weight": 3,
    "first_gap_days": 30,
    "silent_after_days": 60,
    "lost_after_days": 180,
    "mature_visit_days": 6,
}
WINDOWS = (30, 60, 90, 180, 365)
SHIPPED = Path(lifecycle.__file__).parent / "shipped"
BY_HAND = Path(__file__).parent / "refresh_by_hand.sql"
AT_MOST = 1.5


def mirrored(folder: Path, customers: int, purchases: int) -> duckdb.DuckDBPyConnection:
    """The facts as the mirror keeps them, made once."""
    file = folder / f"mirror_{customers}_{purchases}.duckdb"
    if file.exists():
        return duckdb.connect(str(file))
    write_world(folder, customers, purchases, today=TODAY)
    duck = duckdb.connect(str(file))
    duck.execute(f"""
        CREATE TABLE facts_customer AS
        SELECT customer_id AS id, home_store_id, known_on, gender, birth_year, birth_month, birth_day, adviser_id,
               TRUE AS is_active, NULL::BIGINT AS merged_into_id FROM '{folder}/customers.parquet'""")
    duck.execute(f"""
        CREATE TABLE facts_receipt AS
        SELECT receipt_id AS id, kind, number, source, customer_id, store_id, original_number, cash_minor,
               consumed_minor, margin_minor, margin_basis, items, business_date, NULL::BIGINT AS withdrawn_by_id
        FROM '{folder}/receipts.parquet'""")
    duck.execute(f"""
        CREATE TABLE facts_visit AS
        SELECT visit_id AS id, customer_id, store_id, business_date, NULL::BIGINT AS withdrawn_by_id
        FROM '{folder}/visits.parquet'""")
    # A tenth of the customers came from an old system.
    duck.execute("""
        CREATE TABLE facts_opening AS
        SELECT id, id AS customer_id, home_store_id AS store_id, known_on + 90 AS business_date, known_on AS first_on,
               known_on + 90 AS last_on, CAST(1 + id % 7 AS INTEGER) AS purchases, id % 100000 AS cash_minor,
               NULL::BIGINT AS withdrawn_by_id
        FROM facts_customer WHERE id % 10 = 0""")
    duck.execute("""
        CREATE TABLE facts_scorevalue (id BIGINT, customer_id BIGINT, score_id BIGINT, number BIGINT, text TEXT,
                                       scored_on DATE, withdrawn_by_id BIGINT)""")
    duck.execute("""
        CREATE TABLE facts_fieldvalue (id BIGINT, customer_id BIGINT, field_id BIGINT, text TEXT, number BIGINT,
                                       day DATE)""")
    # Two tags each, one of which came off again.
    duck.execute("""
        CREATE TABLE facts_tagspell AS
        SELECT 2 * id + place AS id, id AS customer_id, id * 7 % 40 + place AS tag_key, known_on AS first_on,
               CASE place WHEN 1 THEN known_on + 100 END AS ended_on
        FROM facts_customer, (VALUES (0), (1)) AS places (place)""")
    # One to three lines on a receipt, of 120 items in 12 categories; every tenth item is a card, every eighth of none.
    duck.execute("""
        CREATE TABLE facts_line AS
        SELECT id AS receipt_id, 1 + (id * 7919 + place * 31) % 120 AS item_id,
               consumed_minor // (1 + id % 3) AS amount_minor
        FROM facts_receipt, (VALUES (0), (1), (2)) AS places (place) WHERE place <= id % 3""")
    duck.execute("""
        CREATE TABLE facts_sold AS
        SELECT id, CASE WHEN id % 10 = 0 THEN 'card' WHEN id % 3 = 0 THEN 'product' ELSE 'service' END AS kind,
               id * 104729 AS item_key, CASE WHEN id % 8 > 0 THEN 1 + id % 12 END AS category_id,
               CASE WHEN id % 8 > 0 THEN (1 + id % 12) * 1299709 END AS category_key
        FROM range(1, 121) AS items (id)""")
    # A fifth of the customers came through a friend, most of them through few.
    duck.execute("""
        CREATE TABLE facts_referral AS
        SELECT id, id AS customer_id, CAST(1 + floor(power((id * 7919 % 1000) / 1000.0, 3) * (id - 1)) AS BIGINT)
               AS referrer_id, known_on AS business_date, NULL::BIGINT AS withdrawn_by_id
        FROM facts_customer WHERE id % 5 = 0""")
    duck.execute("CREATE SCHEMA live")
    for name, query in VIEWS.items():
        duck.execute(f"CREATE VIEW live.{name} AS {query}")
    return duck


def composed(duck: duckdb.DuckDBPyConnection) -> None:
    """What the night does between the mirror and the writing: the population's values, then everybody."""
    values: dict[str, object] = {**SETTINGS, "today": TODAY, POPULATION_VERSION: 1}
    with shared_tables(duck, settings=SETTINGS, today=TODAY) as composer:
        _populations(duck, composer, values)
        shipped = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SHIPPED.glob("*.json"))]
        models = [read_model(one, attributes=REGISTRY.attributes, settings=SETTINGS) for one in shipped]
        compute_everybody(duck, composer, "fresh", COLUMNS, {model.column: model.cases for model in models}, values)


def _populations(duck: duckdb.DuckDBPyConnection, composer: Composer, values: Mapping[str, object]) -> None:
    for definition in REGISTRY.populations:
        table = POPULATION_TABLE.format(name=definition.name)
        columns = ", ".join(f"{column.name} {TYPES[column.type]}" for column in definition.columns)
        duck.execute(f"CREATE OR REPLACE TABLE {table} (version BIGINT, {columns})")
        rows = on_duckdb.run(duck, composer.population(definition.name, engine="duckdb"), values).fetchall()
        for row in rows:
            duck.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * (1 + len(row)))})", [1, *row])


def by_hand(duck: duckdb.DuckDBPyConnection) -> None:
    """The same by hand."""
    values: Mapping[str, object] = {**SETTINGS, "today": TODAY}
    for statement in hand_statements():
        used = {name: value for name, value in values.items() if f"${name}" in statement}
        duck.execute(statement, used)


def hand_statements() -> list[str]:
    """The file's statements, its windows written out."""
    lines = BY_HAND.read_text(encoding="utf-8").splitlines()
    written = (_written_out(line) if "{n}" in line else line for line in lines if not line.startswith("--"))
    return [text for text in "\n".join(written).split(";") if text.strip()]


def _written_out(line: str) -> str:
    """Every column of the line that names a window, once for each of them; the others as they are."""
    columns, depth, start = [], 0, 0
    for place, letter in enumerate(line):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            columns.append(line[start:place])
            start = place + 1
    columns.append(line[start:])
    written = [column.replace("{n}", str(n)) for column in columns for n in (WINDOWS if "{n}" in column else (0,))]
    return ",".join(written)


def same_rows(duck: duckdb.DuckDBPyConnection) -> int:
    """How many rows differ in any column."""
    names = ", ".join(["customer_id", *COLUMNS, "stage_m1", "stage_m2", "stage_m4"])
    [(differ,)] = duck.execute(
        f"SELECT COUNT(*) FROM ((SELECT {names} FROM fresh EXCEPT SELECT {names} FROM hand_profile)"
        f" UNION ALL (SELECT {names} FROM hand_profile EXCEPT SELECT {names} FROM fresh))"
    ).fetchall()
    return int(differ)


def timed(work: Callable[[duckdb.DuckDBPyConnection], None], duck: duckdb.DuckDBPyConnection) -> tuple[float, float]:
    """Wall seconds, and CPU seconds of the process: the fairer figure on a machine that others use."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(duck)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="6GB")
    arguments = parser.parse_args()
    duck = mirrored(arguments.folder, arguments.customers, arguments.purchases)
    duck.execute("SET enable_progress_bar = false")
    duck.execute(f"SET threads = {arguments.threads}; SET memory_limit = '{arguments.memory}'")
    ours, theirs = [], []
    for pair in range(arguments.pairs):
        ours.append(timed(composed, duck))
        theirs.append(timed(by_hand, duck))
        (wall, cpu), (their_wall, their_cpu) = ours[-1], theirs[-1]
        print(
            f"pair {pair + 1}: composed {wall:.2f} s (CPU {cpu:.2f}), by hand {their_wall:.2f} s (CPU {their_cpu:.2f})"
        )
    ratio = statistics.median(wall for wall, _ in ours) / statistics.median(wall for wall, _ in theirs)
    cpu = statistics.median(cpu for _, cpu in ours) / statistics.median(cpu for _, cpu in theirs)
    differ = same_rows(duck)
    print(f"{len(COLUMNS)} attributes and 3 stages; rows that differ: {differ}")
    print(f"ratio {ratio:.2f} (CPU {cpu:.2f}), at most {AT_MOST}")
    tell(
        customers=arguments.customers,
        purchases=arguments.purchases,
        seconds=statistics.median(wall for wall, _ in ours),
        by_hand_seconds=statistics.median(wall for wall, _ in theirs),
        ratio=ratio,
        ratio_at_most=AT_MOST,
        ratio_cpu=cpu,
        rows_that_differ=differ,
    )
    return int(differ > 0 or ratio > AT_MOST)


if __name__ == "__main__":
    raise SystemExit(main())
