"""Everybody on Spark and on DuckDB over the same Parquet facts, by size and by cores: where a cluster begins to pay.

    python -m benchmarks.scale FOLDER --purchases 1000000 10000000 --cores 1 2

Both read the same files and write Parquet; the JVM's start is printed apart. The rows must be equal. A tenth as many
customers as purchases.
"""

import argparse
import datetime as dt
import json
import shutil
import time
from pathlib import Path

import duckdb
from benchmarks.refresh import SETTINGS, SHIPPED, TODAY, composed, mirrored

from changke.engine.definitions import values_of
from changke.engine.definitions.staged import Staged, Step
from changke.engine.engines import spark
from changke.engine.plan import EVERYBODY, Plan
from changke.facts.tables import TABLES, VIEWS
from changke.profiles.attributes.catalogue import COLUMNS, POPULATION_TABLE, REGISTRY
from changke.profiles.lifecycle.rules import LifecycleModel, read_model


def models() -> list[LifecycleModel]:
    """Those that come with the product."""
    shipped = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SHIPPED.glob("*.json"))]
    return [read_model(one, attributes=REGISTRY.attributes, settings=SETTINGS) for one in shipped]


def plan_of() -> Plan:
    """All attributes and the stages in each model."""
    cases = {model.column: model.cases for model in models()}
    staged = Staged(REGISTRY, engine="spark")
    populations = tuple(
        Step(POPULATION_TABLE.format(name=one.name), staged.composer.population(one.name, engine="spark"))
        for one in REGISTRY.populations
    )
    everybody = staged.composer.statement(COLUMNS, engine="spark", cases=cases)
    values = {**SETTINGS, **values_of(cases=cases)}
    return Plan(tuple(TABLES), VIEWS, staged.steps, populations, everybody, (TODAY.isoformat(),), values, {})


def hand_out(duck: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """The facts as Parquet; their bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "facts").mkdir(parents=True)
    for table, columns in TABLES.items():
        found = {row[0] for row in duck.execute(f"DESCRIBE {table}").fetchall()}
        chosen = ", ".join(name if name in found else f"NULL::BIGINT AS {name}" for name in columns)
        duck.execute(
            f"COPY (SELECT {chosen} FROM {table}) TO '{folder}/facts/{table}' (FORMAT parquet, PER_THREAD_OUTPUT)"
        )
    return sum(file.stat().st_size for file in folder.rglob("*.parquet"))


def on_spark(folder: Path, cores: int, memory: str) -> tuple[float, float]:
    """Seconds until Spark stood, and seconds of the work."""
    began = time.perf_counter()
    options = {"spark.sql.shuffle.partitions": str(4 * cores)}
    scratch = str(folder / "scratch")
    with spark.session(scratch=scratch, master=f"local[{cores}]", memory=memory, options=options) as session:
        session.sql("SELECT 1").collect()
        stood = time.perf_counter()
        spark.compute(session, str(folder), plan_of())
        done = time.perf_counter()
    shutil.rmtree(scratch, ignore_errors=True)
    return stood - began, done - stood


def on_duckdb(duck: duckdb.DuckDBPyConnection, folder: Path, cores: int) -> float:
    """Seconds of the same work over the mirror's tables. What came out is left in a file: both do not fit in memory."""
    duck.execute(f"SET threads = {cores}")
    began = time.perf_counter()
    composed(duck)
    seconds = time.perf_counter() - began
    duck.execute(f"COPY fresh TO '{folder}/ours.parquet' (FORMAT parquet)")
    return seconds


def differing(folder: Path, memory: str) -> int:
    """Rows that are not the same in both."""
    names = ", ".join(["customer_id", *COLUMNS, *(model.column for model in models())])
    ours, theirs = (
        f"SELECT {names} FROM read_parquet('{files}')"
        for files in (f"{folder}/ours.parquet", f"{folder}/answers/{TODAY}/{EVERYBODY}/*.parquet")
    )
    with duckdb.connect(config={"memory_limit": memory, "temp_directory": f"{folder}/spilled"}) as duck:
        [(count,)] = duck.execute(
            f"SELECT COUNT(*) FROM (({ours} EXCEPT {theirs}) UNION ALL ({theirs} EXCEPT {ours}))"
        ).fetchall()
    return int(count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--purchases", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--memory", default="12g", help="of each; with 4g Spark's last statement does not fit")
    arguments = parser.parse_args()
    spark.require()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for purchases in arguments.purchases:
        folder = arguments.folder.absolute() / f"spark_{purchases}"
        for place, cores in enumerate(arguments.cores):
            started = dt.datetime.now(dt.UTC)
            with mirrored(arguments.folder, purchases // 10, purchases) as duck:
                duck.execute(f"SET enable_progress_bar = false; SET memory_limit = '{arguments.memory.upper()}B'")
                if not place:
                    print(f"{purchases:,} purchases: {hand_out(duck, folder) / 1e6:.0f} MB of Parquet", flush=True)
                ours = on_duckdb(duck, folder, cores)
            print(f"  {cores} cores: DuckDB {ours:.1f} s", flush=True)
            start, theirs = on_spark(folder, cores, arguments.memory)
            print(f"  {cores} cores: Spark {theirs:.1f} s (its start {start:.1f} s), at {started:%H:%M}", flush=True)
            wrong += (differ := differing(folder, arguments.memory.upper() + "B"))
            print(f"  {cores} cores: rows that differ {differ}", flush=True)
        shutil.rmtree(folder)
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
