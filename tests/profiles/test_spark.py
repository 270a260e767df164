"""Spark says what PostgreSQL and DuckDB say: every attribute, and the stage in every model that comes with the product.

One file, because a parallel run gives a file to one worker: one JVM is enough.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import spark as on_spark
from changke.engine.plan import EVERYBODY, Plan, read_plan
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS, COMPOSER
from changke.profiles.attributes.queries import settings_of, values_for
from changke.profiles.attributes.services.populations import compute_populations
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.services import hand_out, refresh_all, switch_on
from changke.profiles.lifecycle.services.publish import shipped_models
from changke.profiles.lifecycle.services.refresh import compute_some, open_mirror, statement_for
from tests.profiles.world import NOW, TODAY
from tests.spark import small_session

pytestmark = pytest.mark.django_db

SHIPPED = sorted(one["key"] for one in shipped_models())


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with small_session(tmp_path_factory.mktemp("scratch")) as running:
        yield running


@pytest.fixture(scope="module")
def mirror(spark: Any, invented: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented chain with every model that comes with the product in use."""
    for key in SHIPPED:
        switch_on(key, chain=the_chain(), now=NOW)
    path = tmp_path_factory.mktemp("mirror") / "mirror.duckdb"
    refresh_all(now=NOW, mirror=path, months=0)
    return path


@pytest.fixture(scope="module")
def folder(spark: Any, mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What went out, with Spark's answers."""
    path = tmp_path_factory.mktemp("elsewhere")
    plan = hand_out(path, now=NOW, mirror=mirror)
    assert read_plan(path) == plan
    on_spark.compute(spark, str(path), Plan.loads(plan.dumps()))
    return path


@pytest.fixture(scope="module")
def three(spark: Any, folder: Path, mirror: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of three engines."""
    models = models_in_use()
    with open_mirror(mirror) as (duck, _):
        version = compute_populations(
            duck, COMPOSER, settings=settings_of(the_chain()), today=TODAY, snapshot=0, now=NOW, nightly=False
        )
        values = values_for(settings_of(the_chain()), today=TODAY, version=version.pk)
        statement, bound = statement_for(models, engine="duckdb")
        found = on_duckdb.run(duck, statement, {**values, **bound}).fetchall()
    by_duckdb = _ordered(dict(zip(statement.columns, row, strict=True)) for row in found)
    by_postgres = _ordered(compute_some([row["customer_id"] for row in by_duckdb], models, values))
    rows = spark.read.parquet(f"{folder}/answers/{TODAY}/{EVERYBODY}").collect()
    return {"duckdb": by_duckdb, "postgres": by_postgres, "spark": _ordered(row.asDict() for row in rows)}


def _ordered(rows: Any) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["customer_id"])


@pytest.mark.parametrize("column", ["customer_id", *COLUMNS, *(f"stage_{key}" for key in SHIPPED)])
def test_three_engines_agree(three: dict[str, list[dict[str, Any]]], column: str) -> None:
    found = {engine: [row[column] for row in rows] for engine, rows in three.items()}
    assert len(found["spark"]) > 300
    assert found["spark"] == found["duckdb"] == found["postgres"]
