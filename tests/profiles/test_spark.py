"""Spark says what PostgreSQL and DuckDB say: every attribute, stage, score, condition, cohort and variant.

One file, because a parallel run gives a file to one worker: one JVM is enough.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import connection

from changke.engine.cohorts import retention
from changke.engine.cohorts.everywhere import retention_statement
from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.engine.engines import spark as on_spark
from changke.engine.experiments import Experiment, Variant
from changke.engine.plan import EVERYBODY, Plan, read_plan
from changke.engine.prediction.margins import Margins
from changke.facts.catalog.models import Category
from changke.foundation.database import rows_seen
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS, COMPOSER, POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.queries import settings_of, values_for
from changke.profiles.attributes.services.populations import compute_populations
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.services import bring_into_use, hand_out, switch_on, take_scores
from changke.profiles.lifecycle.services.mirror import open_mirror
from changke.profiles.lifecycle.services.publish import shipped_models
from changke.profiles.lifecycle.services.some import compute_some, statement_for
from changke.profiles.segments.asking import FROM, Words, question
from changke.profiles.value.models import Prediction
from changke.profiles.value.services.learn import learn as learn_values
from changke.profiles.value.services.predict import days_of, predict_customers, predict_everybody
from changke.profiles.value.services.settings import change_value_rules
from tests.profiles.segments.test_agreement import TABLES, duck, everybody, rows, words
from tests.profiles.test_models_of_deeds import MANY_DEEDS
from tests.profiles.test_models_of_deeds import model as of_deeds
from tests.profiles.test_models_of_fields import model
from tests.profiles.value.night import told_apart
from tests.profiles.world import NOW, TODAY
from tests.spark import small_session

__all__ = ["duck", "everybody", "rows", "words"]
pytestmark = pytest.mark.django_db

SHIPPED = sorted(one["key"] for one in shipped_models())


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with small_session(tmp_path_factory.mktemp("scratch")) as running:
        yield running


@pytest.fixture(scope="module")
def mirror(spark: Any, everybody: list[int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented chain with every model that comes with the product in use."""
    for key in SHIPPED:
        switch_on(key, chain=the_chain(), now=NOW)
    bring_into_use(model(), chain=the_chain(), now=NOW)
    Category.objects.filter(name="面部").update(
        margin_basis_points=7_000
    )  # some customers' margins differ from the chain's
    days, bought = days_of(everybody, today=TODAY)
    told_apart(learn_values(days, horizon_days=90, now=NOW, margins=Margins.of(bought)))
    change_value_rules({"margin_percent": 55}, now=NOW)
    bring_into_use(of_deeds(MANY_DEEDS), chain=the_chain(), now=NOW)
    return tmp_path_factory.mktemp("mirror") / "mirror.duckdb"


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


@pytest.mark.parametrize("column", ["customer_id", *COLUMNS, *(f"stage_{key}" for key in (*SHIPPED, "deeds"))])
def test_three_engines_agree(three: dict[str, list[dict[str, Any]]], column: str) -> None:
    found = {engine: [row[column] for row in rows] for engine, rows in three.items()}
    assert len(found["spark"]) > 300
    assert found["spark"] == found["duckdb"] == found["postgres"]


def test_the_values_of_the_population_agree(spark: Any, folder: Path, mirror: Path) -> None:
    with open_mirror(mirror) as (duck, _):
        version = compute_populations(
            duck, COMPOSER, settings=settings_of(the_chain()), today=TODAY, snapshot=0, now=NOW, nightly=False
        )
        for one in REGISTRY.populations:
            table = POPULATION_TABLE.format(name=one.name)
            names = ", ".join(column.name for column in one.columns)
            here = duck.execute(f"SELECT {names} FROM {table} WHERE version = {version.pk}").fetchall()
            there = duck.execute(
                f"SELECT {names} FROM read_parquet('{folder}/answers/{TODAY}/{table}/*.parquet')"
            ).fetchall()
            assert there == here
            assert None not in here[0]


def test_scores_agree(folder: Path, mirror: Path) -> None:
    """Whole numbers, as they are written: basis points, thousandths and minor units."""
    found = {}
    taken = take_scores(folder)
    assert taken is not None
    found["spark"] = predicted()
    with open_mirror(mirror) as (duck, copy):
        assert predict_everybody(duck, snapshot=copy.read_below or 0, now=NOW).fit == taken.fit
    found["duckdb"] = predicted()
    predict_customers([row["customer_id"] for row in found["spark"]], now=NOW)
    found["postgres"] = predicted()
    assert len(found["spark"]) == taken.customers > 250
    assert len({row["margin_bp"] for row in found["spark"]}) > 100
    assert len({row["p_active_bp"] for row in found["spark"]}) > 100
    assert found["spark"] == found["duckdb"] == found["postgres"]


def predicted() -> list[dict[str, Any]]:
    """What is written, and forget it."""
    rows = list(Prediction.objects.order_by("pk").values())
    Prediction.objects.all().delete()
    return [{**row, "snapshot": 0} for row in rows]


def test_some_customers_are_their_rows_of_all(spark: Any, three: dict[str, list[dict[str, Any]]]) -> None:
    some = [row["customer_id"] for row in three["spark"][::40]]
    scope = Scope(some)
    statement = COMPOSER.statement(["purchases", "silent_days", "average_ticket"], engine="spark", scope=scope)
    settings = settings_of(the_chain())
    found = on_spark.run(spark, statement, {**settings, "today": TODAY, **scope.values}).collect()
    expected = [{name: row[name] for name in statement.columns} for row in three["spark"][::40]]
    assert _ordered(row.asDict() for row in found) == expected
    nobody = on_spark.run(spark, statement, {**settings, "today": TODAY, "customer_ids": []})
    assert nobody.collect() == []


TREES: list[dict[str, Any]] = [
    {"attribute": "silent_days", "op": ">=", "value": 60},
    {"attribute": "last_visit_on", "op": "<", "value": "2026-01-01"},
    {"known": "birth_year"},
    {"attribute": "was_brought", "op": "=", "value": True},
    {"not": {"attribute": "custom.children", "op": "=", "value": 0}},
    {"attribute": "custom.skin", "op": "in", "value": ["油性", "干性"]},
    {"attribute": "stage", "op": "!=", "value": "lost"},
    {"attribute": "stage.m4", "op": "in", "value": ["growth", "intro"]},
    {"attribute": "source", "op": "=", "value": "抖音"},
    {"tag": "敏感肌"},
    {"not": {"tag": "敏感肌"}},
    {"segment": "vip"},
    {"segment": "often"},
    {"consent": "marketing", "channel": "sms"},
    {"measure": "count", "deed": {"kind": "purchase", "item": "I1"}, "days": 365, "op": ">=", "value": 1},
    {"measure": "sum", "deed": {"kind": "use", "category": "身体"}, "op": "<=", "value": 12_345},
    {"measure": "count", "deed": {"kind": "event", "of": "app.opened"}, "since": "visit", "op": "=", "value": 0},
    {"measure": "sum", "deed": {"kind": "return"}, "days": 365, "op": ">", "value": 0},
    {"first": {"kind": "purchase"}, "then": {"kind": "use"}, "within": 60, "days": 400},
    {"first": {"kind": "visit"}, "then": {"kind": "return"}, "within": 7},
    {"or": [
        {"and": [{"attribute": "purchases", "op": ">", "value": 4}, {"tag": "敏感肌"}]},
        {"not": {"or": [{"segment": "vip"}, {"attribute": "net_spend", "op": ">=", "value": 20_000}]}},
    ]},
]  # fmt: skip
"""One of each kind of question that a condition may be made of, and some joined."""


def test_conditions_mean_the_same_on_spark(
    spark: Any, folder: Path, words: Words, rows: dict, duck: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    spark.sql("CREATE DATABASE IF NOT EXISTS asked")
    for table in (name for name in TABLES if not name.startswith("live.")):
        duck.execute(f"COPY {table} TO '{tmp_path}/{table}' (FORMAT parquet, PER_THREAD_OUTPUT)")
        spark.catalog.createTable(f"asked.{table}", path=f"{tmp_path}/{table}", source="parquet")
    spark.sql("USE asked")
    try:
        parts, bound, by_hand = [], {}, {}
        for number, tree in enumerate(TREES):
            condition = words.condition(tree)
            asked = question(condition, words, today=TODAY, engine="spark")
            where = re.sub(r":(\w+)", rf":q{number}_\1", asked.where)
            parts.append(f"SELECT {number} AS number, customer_id FROM {FROM} WHERE {where}")
            bound |= {f"q{number}_{name}": value for name, value in asked.values.items()}
            by_hand[number] = {pk for pk, row in rows.items() if condition.holds(row)}
        found: dict[int, set[int]] = {number: set() for number in by_hand}
        for number, pk in spark.sql(" UNION ALL ".join(parts), args=bound).collect():
            found[number].add(pk)
    finally:
        spark.sql("USE default")
    for number, tree in enumerate(TREES):
        assert found[number] == by_hand[number], tree
        assert 0 < len(found[number]) < len(rows), tree


def test_cohorts_agree(spark: Any, folder: Path, mirror: Path) -> None:
    until = {"until": TODAY}
    found = {"spark": [tuple(row) for row in on_spark.run(spark, retention_statement("spark"), until).collect()]}
    with open_mirror(mirror) as (duck, _):
        found["duckdb"] = on_duckdb.run(duck, retention_statement("duckdb"), until).fetchall()
        bought = duck.execute("SELECT customer_id, business_date AS date FROM live.purchases").fetchnumpy()
    connection.ensure_connection()
    with rows_seen.aloud():
        found["postgres"] = on_postgres.run(connection.connection, retention_statement("postgres"), until)
    by_frame = retention(dict(bought), observation_end=TODAY)
    cohorts = by_frame["cohort"].astype("datetime64[M]").astype(int) + 1970 * 12
    cells = zip(cohorts, by_frame["age"], by_frame["customers"], by_frame["active"], strict=True)
    seen = sorted(tuple(map(int, cell)) for cell in cells if cell[3])
    assert len(seen) > 100
    assert sorted(found["spark"]) == sorted(found["duckdb"]) == sorted(found["postgres"]) == seen


@pytest.mark.parametrize("coverage_bp", [10_000, 3_000])
def test_spark_assigns_as_python_does(spark: Any, coverage_bp: int) -> None:
    variants = (Variant("control", 2_000), Variant("sms", 3_000), Variant("call", 5_000))
    experiment = Experiment("spring", variants, coverage_bp=coverage_bp)
    chosen = experiment.sql(engine="spark", customer_id="who.customer_id")
    people = "SELECT id AS customer_id FROM range(1, 3001)"
    found = dict(spark.sql(f"SELECT customer_id, {chosen} FROM ({people}) AS who").collect())
    assert found == {customer: experiment.variant_of(customer) for customer in range(1, 3001)}
    text = experiment.sql(engine="spark")
    ids = ["a-17", "客户-8", "O'Neill", ""]
    listed = spark.createDataFrame([(one,) for one in [*ids, None]], "customer_id STRING")
    listed.createOrReplaceTempView("who")
    assert dict(spark.sql(f"SELECT customer_id, {text} FROM who").collect()) == {
        **{one: experiment.variant_of(one) for one in ids}, None: None,
    }  # fmt: skip
