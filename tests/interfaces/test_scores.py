"""A chain's own scores come back: the pseudonym that went out is the one that comes in."""

import csv
import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge
from changke.facts.scores.models import Score, ScoreValue
from changke.facts.scores.queries import latest_of, scores_for
from changke.facts.scores.services import change_score, define_score, retire_score
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import HOUSE
from changke.foundation.batches.models import Batch
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.erase import erase
from changke.interfaces.publish import pseudonym, pseudonym_key
from changke.interfaces.scores import reading, work
from changke.profiles.conditions import TextError
from changke.profiles.lifecycle.services.some import refresh_customers
from changke.profiles.segments import queries
from changke.profiles.segments.asking import persons, words_of_the_chain
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def scores(cast: Cast, settings: Any, tmp_path: Path) -> dict[str, Score]:
    settings.DATA_DIR = tmp_path
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return {
        key: define_score(key=key, kind=kind, labels={"en": key}, roles=roles, now=NOW)
        for key, kind, roles in (
            ("churn", "chance", []),
            ("worth", "money", []),
            ("cluster", "label", []),
            ("secret", "number", ["owner"]),
        )
    }


def parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as duck:
        quoted = str(path).replace("'", "''")
        duck.execute(f"COPY ({query}) TO '{quoted}' (FORMAT parquet)")
    return path


def name(pk: int) -> str:
    return pseudonym(pseudonym_key(), pk)


def load(path: Path, *, on: dt.date | None = None) -> Batch:
    batch = work.start(path, path.name, scored_on=on, role=None, by=HOUSE, created_by=None, language="en", now=LATER)
    work.run(batch.pk, LATER)
    batch.refresh_from_db()
    assert batch.message == ""
    return batch


def told(pk: int) -> dict[str, tuple[object, dt.date]]:
    found = latest_of([pk], scores_for()).get(pk, [])
    return {one.score.key: (one.text if one.number is None else one.number, one.scored_on) for one in found}


def fitting(text: str) -> list[int]:
    words = words_of_the_chain()
    _, condition = words.read(text)
    ids = sorted(queries.sample(condition, words, now=LATER, scope=CHAIN_WIDE, most=99))
    people = persons(ids, words, today=TODAY)
    assert [pk for pk in ids if condition.holds(people[pk])] == ids, "Python agrees"
    return ids


def test_the_pseudonym_that_went_out_comes_back(cast: Cast, tmp_path: Path) -> None:
    rows = f"VALUES ('{name(cast.vera.pk)}', 0.73, DATE '{TODAY}'), ('{name(cast.mo.pk)}', 0.2, DATE '2026-01-05')"
    path = parquet(tmp_path / "it's.parquet", f"SELECT * FROM ({rows}) AS t(customer, churn, scored_on)")
    batch = load(path)
    assert (batch.created_count, batch.skipped_count, batch.refused_count) == (2, 0, 0)
    assert told(cast.vera.pk) == {"churn": (7300, TODAY)}
    assert told(cast.mo.pk) == {"churn": (2000, dt.date(2026, 1, 5))}
    assert fitting("score.churn >= 73") == [cast.vera.pk]
    assert fitting("score.churn >= 10 and score.churn_on >= 2026-02-01") == [cast.vera.pk]
    line = AuditLine.objects.get(action="batch.run")
    assert (line.after or {})["created_count"] == 2
    again = load(path)
    assert (again.created_count, again.skipped_count) == (0, 2)


def test_a_later_day_counts_and_undoing_brings_back_what_stood(cast: Cast, tmp_path: Path) -> None:
    def file(worth: str, day: str) -> Path:
        path = tmp_path / f"{day}-{worth}.csv"
        path.write_text(f"customer_id,worth,cluster,scored_on\n{cast.vera.pk},{worth},A,{day}\n")
        return path

    load(file("100.5", "2026-02-01"))
    newer = load(file("200", "2026-02-20"))
    late = load(file("50", "2026-01-01"))
    assert told(cast.vera.pk)["worth"] == (20000, dt.date(2026, 2, 20)), "what came late speaks of an earlier day"
    corrected = load(file("201", "2026-02-20"))
    assert told(cast.vera.pk)["worth"][0] == 20100
    assert (corrected.created_count, corrected.skipped_count) == (1, 1), "the cluster was the same"
    assert fitting("score.worth > 200.5") == [cast.vera.pk]
    work.undo(corrected.pk, LATER)
    assert told(cast.vera.pk)["worth"][0] == 20000
    work.undo(newer.pk, LATER)
    assert work.before_undo(newer.pk).goes == ()
    assert told(cast.vera.pk)["worth"] == (10050, dt.date(2026, 2, 1))
    assert late.created_count == 2
    assert AuditLine.objects.filter(action="batch.undone").count() == 2


def test_what_cannot_go_in_is_named_cell_by_cell(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    vera, mo = name(cast.vera.pk), name(cast.mo.pk)
    path.write_text(
        "customer,churn,secret,scored_on\n"
        f"{vera},0.5,1,2026-02-01\n"
        f"{vera},0.6,2,2026-02-01\n"  # again
        f"{mo},NaN,3,\n"
        f"{mo},0.4,x,2026-02-02\n"
        f"{mo},0.4,4,2999-01-01\n"
        f"{'0' * 24},0.4,4,\n"
        f"{cast.vera.pk},0.4,4,\n"
        ",0.4,4,\n"
        f"{mo},1.4,,2026-02-03\n"
    )
    batch = load(path, on=dt.date(2026, 2, 10))
    assert (batch.created_count, batch.refused_count) == (4, 8)
    assert told(cast.mo.pk) == {"churn": (4000, dt.date(2026, 2, 2)), "secret": (3, dt.date(2026, 2, 10))}
    with Path(batch.error_file).open(encoding="utf-8-sig") as stream:
        refused = list(csv.reader(stream))[1:]
    assert [(row[0], row[2], row[3]) for row in refused] == [
        ("3", "customer", vera),
        ("4", "churn", "NaN"),
        ("5", "secret", "x"),
        ("6", "scored_on", "2999-01-01"),
        ("7", "customer", "0" * 24),
        ("8", "customer", str(cast.vera.pk)),
        ("9", "customer", ""),
        ("10", "churn", "1.4"),
    ]
    assert sum(one["count"] for one in batch.options["problems"]) == 8


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"customer,unheard\n1,2\n", "scores_unknown"),
        (b"name,churn\nVera,0.3\n", "scores_without_customer"),
        (b"customer,customer_id,churn\na,1,0.3\n", "scores_without_customer"),
        (b"customer,scored_on\na,2026-01-01\n", "scores_missing"),
        (b"customer,churn,churn\na,0.1,0.2\n", "scores_twice"),
        (b"", "scores_unreadable"),
        (b"PAR1 and then nothing of the kind", "scores_unreadable"),
        (b"\xff\xfe\x00\x01" * 40, "scores_unreadable"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DomainError) as refused:
        load(path)
    assert refused.value.code in {code, "scores_without_customer"}
    assert not Batch.objects.filter(kind=work.KIND).exists()


def test_files_are_read_as_imports_are_in_whatever_encoding_and_form(cast: Cast, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["customer_id", "churn", "cluster"])
    book.active.append([cast.vera.pk, 0.25, "常来"])
    book.save(tmp_path / "scores.xlsx")
    assert load(tmp_path / "scores.xlsx").created_count == 2
    assert told(cast.vera.pk)["cluster"][0] == "常来"
    (tmp_path / "gbk.csv").write_bytes(
        f"customer_id;cluster\n{cast.vera.pk};沉睡\n{cast.mo.pk};常来\n".encode("gb18030")
    )
    assert load(tmp_path / "gbk.csv").created_count == 2
    assert told(cast.vera.pk)["cluster"][0] == "沉睡"
    # As a frame writes whole numbers beside one that is missing.
    rows = f"VALUES ({cast.vera.pk}::DOUBLE, 3::DOUBLE), ({cast.mo.pk}::DOUBLE, 'nan'::DOUBLE)"
    gaps = load(parquet(tmp_path / "gaps.parquet", f"SELECT * FROM ({rows}) AS t(customer_id, cluster)"))
    assert (gaps.created_count, gaps.refused_count) == (1, 1)
    assert told(cast.vera.pk)["cluster"][0] == "3"


def test_a_strangers_parquet_is_parsed_in_a_process_of_its_own(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path / "scores.parquet", f"SELECT {cast.vera.pk} AS customer_id, 0.5 AS churn")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("parsed beside our secrets")

    monkeypatch.setattr(duckdb, "connect", never)
    assert load(path).created_count == 1


def test_a_day_to_come_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("customer_id,churn\n1,0.3\n")
    with pytest.raises(Invalid):
        load(path, on=TODAY + dt.timedelta(days=400))


def test_who_may_not_see_a_score_may_neither_write_nor_ask_it(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("customer_id,secret\n1,3\n")
    with pytest.raises(reading.ScoresUnknown):
        reading.look(path, path.name, role="hq")
    assert "score.secret" in words_of_the_chain(role="owner").attributes
    assert "score.secret" not in words_of_the_chain(role="manager").attributes
    with pytest.raises(TextError):
        words_of_the_chain(role="manager").read("score.secret > 1")


def test_a_retired_score_is_asked_no_more_and_comes_back(scores: dict[str, Score]) -> None:
    retire_score(scores["churn"], now=NOW)
    assert "score.churn" not in words_of_the_chain().attributes
    retire_score(scores["churn"], back=True, now=NOW)
    assert "score.churn" in words_of_the_chain().attributes
    change_score(scores["churn"], {"labels": {"en": "Leaves"}}, now=NOW)
    assert words_of_the_chain(language="en").attributes["score.churn"].words == "Leaves (%)"


@pytest.mark.parametrize("key", ["", "Churn", "churn_on", "a b", "x" * 41, "churn"])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(DomainError):
        define_score(key=key, kind="chance", labels={"en": "x"}, now=NOW)


def test_of_a_person_with_two_records_the_latest_counts(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text(f"customer_id,churn,scored_on\n{cast.vera.pk},0.2,2026-01-01\n{cast.mo.pk},0.8,2026-02-01\n")
    load(path)
    merge(cast.mo.pk, cast.vera.pk, now=LATER)
    assert told(cast.vera.pk)["churn"] == (8000, dt.date(2026, 2, 1))


def test_erasing_empties_what_was_said(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(f"customer_id,churn\n{cast.vera.pk},0.9\n")
    load(path)
    erase(cast.vera.pk, reason="asked", by=HOUSE, now=LATER)
    row = ScoreValue.objects.get()
    assert (row.number, row.text) == (None, None)
    again = load(path)
    assert (again.created_count, again.refused_count) == (0, 1), "nobody is there any more"


def test_the_command(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def said(*words: str) -> dict[str, Any]:
        out = StringIO()
        call_command("scores", *words, "--json", stdout=out, stderr=StringIO())
        found: dict[str, Any] = json.loads(out.getvalue())
        return found

    path = tmp_path / "one.csv"
    path.write_text(f"customer_id,taste\n{cast.vera.pk},7\n{cast.mo.pk},7.5\n")
    with pytest.raises(CommandError, match="no score taste"):
        said("--load", str(path))
    said("--define", "taste", "--kind", "number", "--name", "Taste")
    done = said("--load", str(path), "--on", "2026-02-01")
    assert (done["rows"], done["created"], done["refused"]) == (2, 1, 1)
    assert said()["scores"][-1] == {
        "key": "taste", "kind": "number", "name": "Taste", "values": 1, "latest": "2026-02-01", "retired": False,
    }  # fmt: skip
    assert said("--undo", str(done["batch"]))["withdrawn"] == 1
    with pytest.raises(CommandError, match="no load"):
        said("--undo", "999999")
    with pytest.raises(CommandError, match="no file"):
        said("--load", str(tmp_path / "none"))
