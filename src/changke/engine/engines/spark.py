"""Run statements on Spark: everybody, beyond one machine.

    python -m changke.engine.engines.spark FOLDER --master spark://host:7077

works off a folder that `changke refresh --export` wrote; `spark-submit` takes the same file. Nothing else imports
pyspark, and nothing here does before Spark is asked for: it comes with the extra `changke[spark]` and wants Java.
Definitions run as SQL; scores run in Python beside each of Spark's own processes (`spark_scores.py`).
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlglot

from changke.engine.definitions import POPULATION_VERSION, Statement
from changke.engine.definitions.staged import KEPT
from changke.engine.engines.spark_scores import require_scores, scored
from changke.engine.plan import DONE, EVERYBODY, FILE, SCORES, VERSION, Plan

LOCAL = "local[*]"
SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""In the environment where `spark-submit` started us: it knows the master."""
MEMORY = "4g"
"""Of the driver, which on one machine is all of Spark."""
PYTHON = "PYSPARK_PYTHON"
"""In the environment where it is said which Python scores run in. On one machine it is this one unless said."""
CUSTOMERS = "facts_customer"

PAGE = "1m"
"""What each sort and each hash table takes at least. The last statement has some hundred of them at once; of the pages
that Spark would choose (up to 64 MB) 4 GB hold too few, however few the customers are."""


class SparkMissing(RuntimeError):
    """pyspark or Java is not installed here; says what to install."""

    def __init__(self, missing: str, remedy: str) -> None:
        super().__init__(f"{missing} is not installed here: {remedy}")
        self.missing, self.remedy = missing, remedy


def require() -> None:
    """Refuse where pyspark or Java is missing.

    Raises
    ------
    SparkMissing
    """
    _pyspark("pyspark")
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and (Path(home) / "bin" / "java").exists())):
        raise SparkMissing("Java", "apt install default-jre-headless")


@contextmanager
def session(
    *, scratch: str, master: str | None = None, memory: str = MEMORY, options: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """A `pyspark.sql.SparkSession`, stopped at the end.

    Parameters
    ----------
    scratch
        Where tables lie that live as long as the run. Driver and workers see it under the same name.
    master
        The cluster. Unless given it is this machine, all cores; or what `spark-submit` was told.
    options
        Further settings of Spark, by their full names.

    Raises
    ------
    SparkMissing
    """
    require()
    if master is None and SUBMITTED not in os.environ:
        master = LOCAL
    if master and master.startswith("local"):
        os.environ.setdefault(PYTHON, sys.executable)
    here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    chosen = {
        "spark.driver.memory": memory,
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.buffer.pageSize": PAGE,
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": scratch,
        # Definitions speak of days, never of moments; and a number too large is an error, never another number.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        **(here if master and master.startswith("local") else {}),
        **({"spark.master": master} if master else {}),
        **(options or {}),
    }
    builder = _pyspark("pyspark.sql").SparkSession.builder.appName("changke")
    for name, value in chosen.items():
        builder = builder.config(name, value)
    running = builder.getOrCreate()
    try:
        yield running
    finally:
        running.stop()


def show_facts(session: Any, facts: str, tables: tuple[str, ...], views: Mapping[str, str]) -> None:
    """Let the session see a folder of facts as tables, and the views over them in the schema `live`.

    The views are given in the words that PostgreSQL and DuckDB share.
    """
    session.sql("CREATE DATABASE IF NOT EXISTS live")
    for table in tables:
        session.sql(f"DROP TABLE IF EXISTS {table}")  # a table over files: they stay
        session.catalog.createTable(table, path=f"{facts}/{table}", source="parquet")
    for name, query in views.items():
        session.sql(f"CREATE OR REPLACE VIEW live.{name} AS {spelled(query)}")


def spelled(query: str) -> str:
    """A query in DuckDB's words, in Spark's."""
    [text] = sqlglot.transpile(query, read="duckdb", write="spark")
    return text


def run(session: Any, statement: Statement, values: Mapping[str, object]) -> Any:
    """The statement's rows as a data frame of the session; Spark is lazy, so not yet run.

    Whether the population tables are filled is for the caller to know: looking would start a job.

    Raises
    ------
    SparkMissing
        If pyspark cannot be imported.
    KeyError
        If a parameter has no value.
    """
    if statement.engine != "spark":
        raise ValueError(f"a statement for {statement.engine}: compose it with engine='spark'")
    functions = _pyspark("pyspark.sql.functions")
    bound = statement.bind(values)
    assert isinstance(bound, dict)
    # Lists are not literals in Spark: they are written as arrays of them.
    arguments = {
        name: functions.array(*map(functions.lit, value)) if isinstance(value, list) else value
        for name, value in bound.items()
    }
    return session.sql(statement.sql, args=arguments)


def create_table(session: Any, name: str, rows: Any) -> None:
    """Keep a data frame as a table in the session's scratch, replacing it."""
    session.sql(f"DROP TABLE IF EXISTS {name}")
    rows.write.format("parquet").saveAsTable(name)


def compute(session: Any, folder: str, plan: Plan, *, with_scores: bool = True) -> None:
    """Work the plan off: read the folder's facts, write its answers.

    Raises
    ------
    CannotScore
        Before anything is computed.
    """
    functions = _pyspark("pyspark.sql.functions")
    answers = f"{folder}/answers"
    scores = plan.scores if with_scores else None
    if scores:
        require_scores(session)
    show_facts(session, f"{folder}/facts", plan.tables, plan.views)
    session.sql(f"CREATE DATABASE IF NOT EXISTS {KEPT}")
    counted: list[tuple[str, int, int | None]] = []
    for day in plan.days:
        values = plan.bound(day)
        for step in plan.steps:
            create_table(session, step.table, run(session, step.statement, values))
        for step in plan.populations if day == plan.days[0] else ():
            version = functions.lit(VERSION).cast("bigint").alias(POPULATION_VERSION)
            found = run(session, step.statement, values)
            create_table(session, step.table, found.select(version.alias("version"), *step.statement.columns))
            session.table(step.table).write.mode("overwrite").parquet(f"{answers}/{day}/{step.table}")
        path = f"{answers}/{day}/{EVERYBODY}"
        run(session, plan.everybody, values).write.mode("overwrite").parquet(path)
        rows, known = session.read.parquet(path).count(), None
        if scores and day == plan.days[0]:
            path = f"{answers}/{day}/{SCORES}"
            bought, before, homes = (run(session, one, values) for one in (scores.bought, scores.before, scores.homes))
            customers = session.table(CUSTOMERS).count()
            scored(bought, before, homes, scores, customers=customers).write.mode("overwrite").parquet(path)
            known = session.read.parquet(path).count()
        counted.append((day, rows, known))
        for step in plan.steps:
            session.sql(f"DROP TABLE {step.table}")
    listed = " UNION ALL ".join(
        f"SELECT '{day}' AS day, {rows}L AS customers, CAST({'NULL' if known is None else known} AS BIGINT) AS scored"
        for day, rows, known in counted
    )
    session.sql(listed).coalesce(1).write.mode("overwrite").parquet(f"{answers}/{DONE}")


def compute_folder(
    folder: str,
    *,
    master: str | None = None,
    memory: str = MEMORY,
    options: Mapping[str, str] | None = None,
    with_scores: bool = True,
) -> None:
    """Start Spark and work a folder off. `folder` may be any address that Spark reads.

    Raises
    ------
    SparkMissing, NotAPlan, CannotScore
    """
    scratch = f"{folder}/scratch"
    with session(scratch=scratch, master=master, memory=memory, options=options) as running:
        [row] = running.read.text(f"{folder}/{FILE}", wholetext=True).collect()
        compute(running, folder, Plan.loads(row[0]), with_scores=with_scores)


def _pyspark(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as problem:
        raise SparkMissing("pyspark", "pip install 'changke[spark]'") from problem


def main() -> None:
    """`python -m changke.engine.engines.spark FOLDER`"""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="what `changke refresh --export` wrote; a path or an address that Spark reads")
    parser.add_argument("--master", help="the cluster, as spark://host:7077; else this machine, all cores")
    parser.add_argument("--memory", default=MEMORY, help="of the driver")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of Spark")
    parser.add_argument(
        "--without-scores", action="store_true", help="no Python on Spark's machines: what to expect is said at home"
    )
    arguments = parser.parse_args()
    options = dict(one.split("=", 1) for one in arguments.set)
    compute_folder(
        arguments.folder,
        master=arguments.master,
        memory=arguments.memory,
        options=options,
        with_scores=not arguments.without_scores,
    )


if __name__ == "__main__":
    main()
