"""Spark for tests: one small JVM for all of a module's tests, or a skip that says what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from changke.engine.engines import spark

SMALL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.ui.showConsoleProgress": "false",
    # Small plans over small tables: compiling each to bytecode takes longer than running it.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # Nor does a plan over a few hundred rows pay for being planned again and again.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def needed() -> None:
    """Skip where pyspark or Java is missing. CI fails on that skip."""
    try:
        spark.require()
    except spark.SparkMissing as missing:
        pytest.skip(f"Spark is not here: {missing}")


@contextmanager
def small_session(scratch: Path) -> Iterator[Any]:
    """A session in little memory."""
    needed()
    with spark.session(scratch=str(scratch), master="local[2]", memory="1g", options=SMALL) as running:
        yield running
