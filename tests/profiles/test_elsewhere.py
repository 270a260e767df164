"""What went out comes back whole, from the same database and under the same rules, or not at all."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F

from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import spark as on_spark
from changke.engine.engines.spark_scores import CannotScore, require_scores
from changke.engine.plan import DONE, EVERYBODY, FILE, SCORES, NotAPlan, Plan
from changke.engine.prediction.scores import Asked
from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.foundation.errors import DomainError
from changke.interfaces import analytics
from changke.profiles.attributes.catalogue import COLUMNS, COMPOSER, POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.models import BulkRun, Profile
from changke.profiles.attributes.queries import values_for
from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables
from changke.profiles.attributes.services.populations import compute_populations
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import hand_out, refresh_all, take_back, take_scores
from changke.profiles.lifecycle.services.elsewhere import (
    AnotherDatabase,
    AnswersOutdated,
    FolderNotEmpty,
    NothingToLoad,
)
from changke.profiles.lifecycle.services.mirror import open_mirror
from changke.profiles.lifecycle.services.night import begin
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.queries import current_fit
from changke.profiles.value.services.elsewhere import scores_for
from changke.profiles.value.services.learn import learn
from changke.profiles.value.services.predict import BEFORE, BOUGHT, HOMES, days_of, predict_everybody
from changke.profiles.value.services.settings import change_value_rules
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def mirror(committed: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make_chain()
    [store], book = make_stores(1), Book()
    for _ in range(3):
        book.receipt(book.customer(store, TODAY), store, TODAY).save()
    days, _ = days_of([*Customer.objects.values_list("pk", flat=True)], today=TODAY)
    learn(days, horizon_days=90, now=NOW)
    return tmp_path_factory.mktemp("mirror") / "mirror.duckdb"


@pytest.fixture(scope="module")
def finished(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its answers, computed by DuckDB: how it is worked off says nothing about how it is taken back."""
    folder = tmp_path_factory.mktemp("elsewhere")
    plan = hand_out(folder, now=NOW, mirror=mirror)
    lies = folder / "answers" / TODAY.isoformat()
    (folder / "answers" / DONE).mkdir(parents=True)
    with open_mirror(mirror) as (duck, _):
        night = begin(snapshot=plan.about["snapshot"], now=NOW)
        with shared_tables(duck, settings=night.numbers, today=TODAY) as composer:
            version = compute_populations(
                duck, composer, settings=night.numbers, today=TODAY, snapshot=0, now=NOW, nightly=False
            )
            values = values_for(night.numbers, today=TODAY, version=version.pk)
            compute_everybody(duck, composer, "fresh", COLUMNS, night.cases, values)
        parts = {POPULATION_TABLE.format(name=one.name): version.pk for one in REGISTRY.populations}
        for table, number in parts.items():
            (lies / table).mkdir(parents=True)
            chosen = f"SELECT * REPLACE (1 AS version) FROM {table} WHERE version = {number}"
            duck.execute(f"COPY ({chosen}) TO '{lies}/{table}/part.parquet'")
        (lies / EVERYBODY).mkdir()
        duck.execute(f"COPY fresh TO '{lies}/{EVERYBODY}/part.parquet'")
        assert plan.scores is not None
        days = (
            on_duckdb.run(duck, COMPOSER.rows(name, engine="duckdb"), {"today": TODAY}).fetchnumpy()
            for name in (BOUGHT, BEFORE, HOMES)
        )
        duck.register("said", Asked.from_json(plan.scores.asked).of(*days))
        (lies / SCORES).mkdir()
        duck.execute(f"COPY said TO '{lies}/{SCORES}/part.parquet'")
        done = f"SELECT '{TODAY}' AS day, COUNT(*) AS customers, COUNT(*) AS scored FROM fresh"
        duck.execute(f"COPY ({done}) TO '{folder}/answers/{DONE}/part.parquet'")
        duck.execute("DROP TABLE fresh")
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """One of our own, to spoil."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def change(folder: Path, **about: Any) -> None:
    told = json.loads((folder / FILE).read_text())
    told["about"] |= about
    (folder / FILE).write_text(json.dumps(told))


def refused(folder: Path, mirror: Path, refusal: type[DomainError], match: str) -> None:
    with pytest.raises(refusal, match=match):
        take_back(folder, now=NOW, mirror=mirror, months=0)
    assert not Profile.objects.exists()


def written() -> tuple[list[dict], list[dict], list[dict]]:
    events = Event.objects.filter(kind="stage.changed").order_by("customer", "data__model")
    stands = ("customer", "model", "stage", "since", "previous")
    return (
        [{**row, "snapshot": 0} for row in Profile.objects.order_by("pk").values()],
        list(Standing.objects.order_by("customer", "model").values(*stands)),
        list(events.values("customer", "store", "data", "happened_at", "business_date")),
    )


def test_answers_are_written_as_the_night_writes_its_own(folder: Path, mirror: Path) -> None:
    beginning = transaction.savepoint()
    done = take_back(folder, now=NOW, mirror=mirror, months=0)
    from_elsewhere = written()
    assert (done.customers, done.as_of) == (3, TODAY)
    assert [(row["purchases"], row["stage"]) for row in from_elsewhere[0]] == [(1, "intro")] * 3
    assert done.changed == len(from_elsewhere[1]) == len(from_elsewhere[2]) == 9
    transaction.savepoint_rollback(beginning)
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert written() == from_elsewhere


def test_what_to_expect_is_written_as_the_night_writes_its_own(folder: Path, mirror: Path) -> None:
    taken = take_scores(folder)
    assert taken is not None
    assert (taken.customers, taken.written, taken.fit) == (3, 3, current_fit())
    from_elsewhere = [{**row, "snapshot": 0} for row in Prediction.objects.order_by("pk").values()]
    assert [row["as_of"] for row in from_elsewhere] == [TODAY] * 3
    Prediction.objects.all().delete()
    with open_mirror(mirror) as (duck, copy):
        predict_everybody(duck, snapshot=copy.read_below or 0, now=NOW)
    assert [{**row, "snapshot": 0} for row in Prediction.objects.order_by("pk").values()] == from_elsewhere


def forget_that_they_were_scored(folder: Path) -> None:
    with open_mirror(":memory:") as (duck, _):
        part = folder / "answers" / DONE / "part.parquet"
        duck.execute(f"CREATE TABLE unscored AS SELECT day, customers, NULL::BIGINT AS scored FROM '{part}'")
        duck.execute(f"COPY unscored TO '{part}'")


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda _: change_value_rules({"margin_percent": 40}, now=NOW),
        lambda _: change_value_rules({"horizon_days": 30}, now=NOW),
        lambda _: ValueFit.objects.update(margins={"share": 0.4, "known": 0.9, "weight_minor": 1.0}),
        lambda _: ValueFit.objects.update(purchase_days=30),  # it has become another chain since it was learned
        lambda _: ValueFit.objects.all().delete(),
        forget_that_they_were_scored,
    ],
)
def test_what_holds_no_more_is_not_taken(folder: Path, meanwhile: Callable[[Path], object]) -> None:
    meanwhile(folder)
    assert take_scores(folder) is None
    assert not Prediction.objects.exists()


def test_a_chain_that_is_to_be_learned_first_sends_no_scores_out(mirror: Path) -> None:
    assert scores_for(COMPOSER, engine="spark", today=TODAY) is not None
    assert scores_for(COMPOSER, engine="spark", today=TODAY + dt.timedelta(days=7)) is None
    ValueFit.objects.all().delete()
    assert scores_for(COMPOSER, engine="spark", today=TODAY) is None


def test_where_spark_says_nothing_this_machine_does(folder: Path, mirror: Path, tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    told: list[str] = []
    analytics.load_from(folder, now=NOW, progress=lambda label, *_: told.append(label))
    assert Prediction.objects.count() == 3
    assert analytics.EXPECT_HERE not in told
    Prediction.objects.all().delete()
    forget_that_they_were_scored(folder)
    analytics.load_from(folder, now=NOW, progress=lambda label, *_: told.append(label))
    assert Prediction.objects.count() == 3
    assert analytics.EXPECT_HERE in told


def test_scores_in_which_a_customer_is_missing(folder: Path, mirror: Path) -> None:
    with open_mirror(":memory:") as (duck, _):
        part = folder / "answers" / TODAY.isoformat() / SCORES / "part.parquet"
        duck.execute(f"CREATE TABLE two AS FROM '{part}' LIMIT 2")
        duck.execute(f"COPY two TO '{part}'")
    refused(folder, mirror, NothingToLoad, "scores: 2 / 2 / 3")


def test_where_spark_runs_no_python_of_ours_it_is_said_first() -> None:
    class Bare:
        """A cluster whose machines lack what scores take."""

        def range(self, *_: object, **__: object) -> "Bare":
            return self

        def mapInArrow(self, *_: object) -> None:
            raise RuntimeError("Traceback ...\nModuleNotFoundError: No module named 'changke'\n  at java.lang.Thread")

    with pytest.raises(
        CannotScore, match=r"install 'changke\[spark\]'.*--without-scores\. ModuleNotFoundError: No mod"
    ):
        require_scores(Bare())


def test_answers_older_than_what_stands_are_refused(folder: Path, mirror: Path) -> None:
    take_back(folder, now=NOW, mirror=mirror, months=0)
    BulkRun.objects.update(snapshot=F("snapshot") + 1)
    with pytest.raises(AnswersOutdated):
        take_back(folder, now=NOW, mirror=mirror, months=0)


def test_a_folder_that_nobody_worked_off(folder: Path, mirror: Path) -> None:
    shutil.rmtree(folder / "answers")
    refused(folder, mirror, NothingToLoad, "no finished answers")


def test_a_folder_without_a_plan(tmp_path: Path, mirror: Path) -> None:
    refused(tmp_path, mirror, NothingToLoad, "no plan in")


def test_answers_in_which_a_customer_is_missing(folder: Path, mirror: Path) -> None:
    with open_mirror(":memory:") as (duck, _):
        part = folder / "answers" / TODAY.isoformat() / EVERYBODY / "part.parquet"
        duck.execute(f"CREATE TABLE two AS FROM '{part}' LIMIT 2")
        duck.execute(f"COPY two TO '{part}'")
    refused(folder, mirror, NothingToLoad, "2 / 2 / 3")


def test_answers_in_which_a_column_is_missing(folder: Path, mirror: Path) -> None:
    with open_mirror(":memory:") as (duck, _):
        part = folder / "answers" / TODAY.isoformat() / EVERYBODY / "part.parquet"
        duck.execute(f"CREATE TABLE narrow AS SELECT * EXCLUDE silent_days FROM '{part}'")
        duck.execute(f"COPY narrow TO '{part}'")
    refused(folder, mirror, NothingToLoad, "silent_days")


def test_answers_about_another_database(folder: Path, mirror: Path) -> None:
    change(folder, database="4711 1")
    refused(folder, mirror, AnotherDatabase, "another database")


@pytest.mark.parametrize("changed", [{"rules": {"m4": 9}}, {"numbers": {"silent_after_days": 61}}, {"attributes": ""}])
def test_answers_by_other_rules(folder: Path, mirror: Path, changed: dict[str, Any]) -> None:
    change(folder, **changed)
    refused(folder, mirror, AnswersOutdated, "Export again")


def test_only_a_folder_of_ours_is_cleared(finished: Path, tmp_path: Path, mirror: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FolderNotEmpty):
        hand_out(tmp_path, now=NOW, mirror=mirror)
    assert (tmp_path / "letter.txt").exists()


def test_old_answers_are_gone_once_facts_went_out_again(folder: Path, mirror: Path) -> None:
    hand_out(folder, now=NOW, mirror=mirror)
    refused(folder, mirror, NothingToLoad, "no finished answers")


def test_a_plan_of_another_version_is_refused() -> None:
    with pytest.raises(NotAPlan, match="another version"):
        Plan.loads('{"format": 0}')


def test_spark_is_asked_for_before_anything_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise on_spark.SparkMissing("Java", "apt install default-jre-headless")

    monkeypatch.setattr(on_spark, "require", missing)
    with pytest.raises(analytics.SparkNotInstalled, match="apt install default-jre-headless"):
        analytics.refresh_on_spark(now=NOW, master=None, memory="1g", folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_options_of_spark_without_spark_are_refused() -> None:
    with pytest.raises(CommandError, match="--engine spark"):
        call_command("refresh", master="local[2]")
    with pytest.raises(CommandError, match="--without-scores"):
        call_command("refresh", without_scores=True)


def test_the_command_writes_facts_and_says_what_comes_next(
    mirror: Path, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    out = tmp_path / "for spark"
    call_command("refresh", export=out, json=True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["next"] == [f"python -m changke.engine.engines.spark '{out}'", f"changke refresh --load '{out}'"]
    assert list((out / "facts" / "facts_receipt").glob("*.parquet"))
    with pytest.raises(CommandError):  # nobody worked it off
        call_command("refresh", load=out)
