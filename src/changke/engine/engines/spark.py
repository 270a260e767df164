"""Run a statement on Spark: everybody, beyond one machine. Writes the text anywhere; runs it where pyspark is there."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from changke.engine.definitions import Statement


class SparkMissing(RuntimeError):
    """pyspark is not installed here: take the text to where it is."""


def write(statement: Statement, folder: Path, name: str) -> Path:
    """Write the statement as `name.sql`, its parameters by name, and return the file.

    `spark.sql(file.read_text(), args=...)` runs it where the facts lie in the schema `live`.
    """
    _require_spark(statement)
    path = folder / f"{name}.sql"
    parameters = ", ".join(f":{parameter}" for parameter in statement.parameters)
    path.write_text(f"-- parameters: {parameters or 'none'}\n{statement.sql}\n", encoding="utf-8")
    return path


def run(session: Any, statement: Statement, values: Mapping[str, object]) -> Any:
    """The statement's rows as a data frame of the session (`pyspark.sql.SparkSession`); Spark is lazy, so not yet run.

    Whether the population tables are filled is for the caller to know: looking would start a job.

    Raises
    ------
    SparkMissing
        If pyspark cannot be imported.
    KeyError
        If a parameter has no value.
    """
    _require_spark(statement)
    try:
        spark = import_module("pyspark.sql.functions")
    except ImportError as error:
        raise SparkMissing("pip install pyspark, or write() the statement and run it on the cluster") from error
    bound = statement.bind(values)
    assert isinstance(bound, dict)
    # Lists are not literals in Spark: they are written as arrays of them.
    arguments = {
        name: spark.array(*map(spark.lit, value)) if isinstance(value, list) else value for name, value in bound.items()
    }
    return session.sql(statement.sql, args=arguments)


def _require_spark(statement: Statement) -> None:
    if statement.engine != "spark":
        raise ValueError(f"a statement for {statement.engine}: compose it with engine='spark'")
