"""Over skewed random facts: one answer, whoever computes it."""

import datetime as dt
from pathlib import Path

import pytest

from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS, COMPOSER, REGISTRY
from changke.profiles.attributes.models import POPULATIONS, Profile
from changke.profiles.attributes.queries import last_bulk_run, settings_of, values_for
from changke.profiles.attributes.services.populations import compute_populations
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.services import compare, refresh_all, refresh_customers
from changke.profiles.lifecycle.services.mirror import open_mirror
from changke.profiles.lifecycle.services.some import compute_some, statement_for
from tests.profiles.world import NOW, TODAY

pytestmark = pytest.mark.django_db

EARLIER = dt.date(2025, 9, 9)


@pytest.fixture(scope="module")
def file(invented: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mirror") / "mirror.duckdb"
    refresh_all(now=NOW, mirror=path, months=3)
    return path


@pytest.fixture(scope="module", params=[TODAY, EARLIER], ids=str)
def both(file: Path, request: pytest.FixtureRequest) -> tuple[list[dict], list[dict], dict]:
    """Every row of both engines as of a day, and the values it was asked with."""
    models, settings = models_in_use(), settings_of(the_chain())
    with open_mirror(file) as (duck, copy):
        copy.sync(conninfo("reader"))
        version = compute_populations(
            duck, COMPOSER, settings=settings, today=request.param, snapshot=0, now=NOW, nightly=False
        )
        values = values_for(settings, today=request.param, version=version.pk)
        statement, bound = statement_for(models, engine="duckdb")
        found = on_duckdb.run(duck, statement, {**values, **bound}).fetchall()
    bulk = sorted((dict(zip(statement.columns, row, strict=True)) for row in found), key=lambda row: row["customer_id"])
    ids = [row["customer_id"] for row in bulk]
    single = sorted(compute_some(ids, models, values), key=lambda row: row["customer_id"])
    return bulk, single, values


@pytest.mark.parametrize("column", [*COLUMNS, "stage_m1", "stage_m2", "stage_m4"])
def test_postgresql_and_duckdb_agree(both: tuple, column: str) -> None:
    bulk, single, _ = both
    assert [row[column] for row in single] == [row[column] for row in bulk]


def test_one_customer_is_her_row_of_all(both: tuple) -> None:
    bulk, _, values = both
    heaviest = sorted(bulk, key=lambda row: -row["purchases"])[:5]
    for row in [*bulk[::23], *heaviest]:
        assert compute_some([row["customer_id"]], models_in_use(), values) == [row]


def test_the_world_is_worth_asking(both: tuple) -> None:
    """Equal answers prove little when they are all unknown: every column takes several values."""
    bulk, _, _ = both
    assert len(bulk) > 300
    dull = [name for name in COLUMNS if len({row[name] for row in bulk}) < 2 and name != "adviser_id"]
    assert dull == []
    assert {row["stage_m4"] for row in bulk} == {"intro", "growth", "mature", "silent", "lost"}
    assert {row["stage_m1"] for row in bulk} == {"awareness", "interest", "decision", "purchase", "use", "lost"}
    assert {row["stage_m2"] for row in bulk} == {"attract", "acquire", "convert", "retain", "develop", "win_back"}


def test_the_stored_rows_are_the_computed_ones_and_the_single_path_changes_nothing(file: Path) -> None:
    found = compare(now=NOW, sample=10_000, mirror=file)
    assert found.differences == []
    assert found.customers == Profile.objects.count() > 300
    again = refresh_customers(list(Profile.objects.values_list("pk", flat=True)), now=NOW)
    assert (again.written, again.changed) == (0, 0)


def test_compare_finds_a_row_that_is_wrong(file: Path) -> None:
    one = Profile.objects.filter(purchases__gt=2).first()
    Profile.objects.filter(pk=one.pk).update(purchases=1)
    found = compare(now=NOW, sample=10_000, mirror=file)
    assert [(each.customer_id, each.column, each.stored) for each in found.differences] == [(one.pk, "purchases", 1)]
    refresh_customers([one.pk], now=NOW)
    assert compare(now=NOW, sample=10_000, mirror=file).agrees


def test_every_customer_stands_somewhere_in_every_model(file: Path) -> None:
    assert Standing.objects.count() == 3 * Profile.objects.count()
    assert dict(Standing.objects.filter(model="m4").values_list("customer", "stage")) == dict(
        Profile.objects.values_list("pk", "stage")
    )


def test_the_population_has_one_row_per_version(file: Path) -> None:
    bulk = last_bulk_run()
    assert bulk is not None
    for definition in REGISTRY.populations:
        assert POPULATIONS[definition.name]._default_manager.filter(version=bulk.version_id).count() == 1


def test_an_empty_list_asks_nobody(both: tuple) -> None:
    assert Scope([]).values == {"customer_ids": []}
