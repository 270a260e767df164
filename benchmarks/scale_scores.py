"""What to expect of everybody on Spark and on this machine, by one fit over the same facts.

    python -m benchmarks.scale_scores FOLDER --customers 1000000 --purchases 10000000 --cores 1

Both read purchase days by the product's definitions and ask the same functions. The rows must be equal. The fit is
learned first, once, on this machine, and counts for neither. Seconds of the clock, and of the processors: what all
processes of this session used, Java and its Pythons among them (Linux alone tells).
"""

import argparse
import json
import os
import shutil
import time
from pathlib import Path

import duckdb
from benchmarks.refresh import TODAY, mirrored
from benchmarks.scale import hand_out

from changke.engine.definitions.staged import KEPT, Staged
from changke.engine.engines import duckdb as run_on_duckdb
from changke.engine.engines import spark
from changke.engine.engines.spark_scores import NAMES, require_scores, scored
from changke.engine.plan import SCORES, Scores
from changke.engine.prediction.fitted import fit
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.scores import Asked, purchase_days
from changke.facts.tables import TABLES, VIEWS
from changke.profiles.attributes.catalogue import COMPOSER, REGISTRY

Seconds = tuple[float, float]
"""Of the clock and of the processors."""

ROWS = ("days_bought", "days_before", "person")
STAGED = ("receipts",)
"""What a plan keeps in a table and the rows are read from."""


def read(duck: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    statements = (COMPOSER.rows(name, engine="duckdb") for name in ROWS)
    return [run_on_duckdb.run(duck, one, {"today": TODAY}).fetchnumpy() for one in statements]


def learned(duck: duckdb.DuckDBPyConnection, file: Path) -> Asked:
    """The fit of these facts, learned once."""
    if not file.exists():
        bought, before, homes = read(duck)
        model = fit(purchase_days(bought, before, homes, today=TODAY), horizon_days=90)
        numbers = {"margin_percent": None, "discount_percent": 10, "worth_years": 3}
        asked = Asked(json.loads(model.to_json()), Margins.of(bought).as_json(), today=TODAY, **numbers)
        file.write_text(json.dumps(asked.as_json()), encoding="utf-8")
    return Asked.from_json(json.loads(file.read_text(encoding="utf-8")))


def now() -> Seconds:
    """The clock, and what this session's processes have used until now."""
    ticks, session = 0, os.getsid(0)
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = one.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has just ended: its parent counts it
            continue
        if int(told[3]) == session:
            ticks += sum(map(int, told[11:15]))
    return time.perf_counter(), ticks / os.sysconf("SC_CLK_TCK")


def between(begun: Seconds, ended: Seconds) -> str:
    return f"{ended[0] - begun[0]:.1f} s ({ended[1] - begun[1]:.1f} s of the processors)"


def here(duck: duckdb.DuckDBPyConnection, asked: Asked, file: Path) -> tuple[str, str]:
    """How long until the days were read, and what followed. What came out is left in a file."""
    began = now()
    rows = read(duck)
    known = now()
    said = asked.of(*rows)
    done = now()
    duck.register("said", {name: said[name] for name in NAMES})
    duck.execute(f"COPY said TO '{file}' (FORMAT parquet)")
    return between(began, known), between(known, done)


def there(folder: Path, asked: Asked, customers: int, cores: int, memory: str) -> tuple[str, str]:
    """How long until receipts lay in Spark's tables, and what followed."""
    options = {"spark.sql.shuffle.partitions": str(4 * cores)}
    scratch = folder / "scratch"
    staged = Staged(REGISTRY, engine="spark", names=STAGED)
    rows = (staged.composer.rows(name, engine="spark", ordered=False) for name in ROWS)
    scores, values = Scores(*rows, asked.as_json()), {"today": TODAY.isoformat()}
    with spark.session(scratch=str(scratch), master=f"local[{cores}]", memory=memory, options=options) as session:
        require_scores(session)
        began = now()
        spark.show_facts(session, f"{folder}/facts", tuple(TABLES), VIEWS)
        session.sql(f"CREATE DATABASE IF NOT EXISTS {KEPT}")
        for step in staged.steps:
            spark.create_table(session, step.table, spark.run(session, step.statement, values))
        kept = now()
        days = (spark.run(session, one, values) for one in (scores.bought, scores.before, scores.homes))
        scored(*days, scores, customers=customers).write.mode("overwrite").parquet(f"{folder}/{SCORES}")
        done = now()
    shutil.rmtree(scratch, ignore_errors=True)
    return between(began, kept), between(kept, done)


def differing(folder: Path) -> tuple[int, int]:
    """Rows, and those that are not the same in both."""
    names = ", ".join(NAMES)
    ours, theirs = (
        f"SELECT {names} FROM read_parquet('{files}')"
        for files in (f"{folder}/said.parquet", f"{folder}/{SCORES}/*.parquet")
    )
    [(rows,)] = duckdb.sql(f"SELECT COUNT(*) FROM ({ours})").fetchall()
    [(count,)] = duckdb.sql(
        f"SELECT COUNT(*) FROM (({ours} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {ours}))"
    ).fetchall()
    return int(rows), int(count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--memory", default="4g")
    given = parser.parse_args()
    spark.require()
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.absolute() / f"scores_{given.purchases}"
    with mirrored(given.folder, given.customers, given.purchases) as duck:
        duck.execute(f"SET enable_progress_bar = false; SET threads = {given.cores}")
        hand_out(duck, folder)
        asked = learned(duck, folder / "asked.json")
        days, said = here(duck, asked, folder / "said.parquet")
    print(f"DuckDB and this process: days {days}, scores {said}", flush=True)
    receipts, rest = there(folder, asked, given.customers, given.cores, given.memory)
    print(f"Spark: receipts {receipts}, days and scores {rest}", flush=True)
    rows, count = differing(folder)
    print(f"rows {rows:,}, differing {count}")
    shutil.rmtree(folder)
    return int(count > 0)


if __name__ == "__main__":
    raise SystemExit(main())
