"""A load killed in the middle (SIGKILL, no chance to tidy up) and run again: nothing twice, nothing lost."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import duckdb
import pytest
from benchmarks.kills import killed_again_and_again, mended
from benchmarks.load import NOW as BENCH_NOW
from benchmarks.load import write_sales
from django.conf import settings
from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.organisation.services import add_store, found_chain
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import SourceFile
from tests.interfaces.importers.conftest import NOW, counts
from tests.interfaces.processes import AS_IN_A_SHOP

ROWS = 30_000


def database_url() -> str:
    """The address of this test's database, for a process of its own."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(url._replace(path="/" + str(connection.settings_dict["NAME"])))


CHILD = """
import sys, datetime, django
django.setup()
from changke.interfaces.importers import pipeline
pipeline.run(int(sys.argv[1]), now=datetime.datetime.fromisoformat(sys.argv[2]),
             progress=lambda done, total, step: print(step, done, flush=True))
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_load_is_finished_by_running_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    found_chain(name="花漾", now=NOW)
    add_store(code="JA", name="静安店", now=NOW)
    file = tmp_path / "many.csv"
    rows = "".join(f"{number},2026-01-03,1380{number // 3:07d},{number % 900 + 1}\n" for number in range(ROWS))
    file.write_text("单号,日期,手机号,金额\n" + rows)
    batch = pipeline.start([SourceFile(file, file.name)], kind="purchases", now=NOW)

    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(AS_IN_A_SHOP), *(path for path in sys.path if path)]),
        "DJANGO_SETTINGS_MODULE": "changke.settings",
    }
    command = [sys.executable, "-c", CHILD, str(batch.pk), NOW.isoformat()]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while not Receipt.objects.exists() and child.poll() is None:
            time.sleep(0.01)  # the core is the child's
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert 0 < Receipt.objects.count() < ROWS
    assert Batch.objects.get(pk=batch.pk).status == BatchStatus.RUNNING

    assert counts(pipeline.run(batch.pk, now=NOW)) == (ROWS, 0, 0, 0)
    assert Receipt.objects.count() == Line.objects.count() == ROWS
    assert Customer.objects.count() == ROWS // 3


@pytest.mark.django_db(transaction=True)
def test_killed_three_times_every_row_is_in_or_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small version of `benchmarks.kills`: GBK, CRLF, quotes, 1 % bad rows of eight kinds."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    found_chain(name="花漾", now=BENCH_NOW)
    file, rows = tmp_path / "sales.csv", 10_000
    bad = write_sales(file, rows, "gb18030")
    assert bad == rows // 100
    batch = pipeline.start([SourceFile(file, file.name)], kind="purchases", create=True, language="en", now=BENCH_NOW)
    environment = os.environ | {
        "DATABASE_URL": database_url(), "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "changke.settings",
        "PYTHONPATH": os.pathsep.join([str(AS_IN_A_SHOP), *(path for path in sys.path if path)]),
    }  # fmt: skip
    hits, _ = killed_again_and_again(
        batch.pk, rows=rows, kills=3, environment=environment, now=BENCH_NOW, dice=random.Random(1)
    )
    assert hits == 3
    batch.refresh_from_db()
    assert (batch.status, batch.created_count, batch.refused_count) == (BatchStatus.DONE, rows - bad, bad)
    assert Receipt.objects.count() == Line.objects.count() == rows - bad
    reasons = {row["Error reason"] for row in error_rows(Path(batch.error_file))}
    assert len(reasons) == 8
    target = tmp_path / "mended.csv"
    assert mended(Path(batch.error_file), target) == bad
    again = pipeline.start([SourceFile(target, target.name)], kind="purchases", create=True, now=BENCH_NOW)
    assert counts(pipeline.run(again.pk, now=BENCH_NOW)) == (bad, 0, 0, 0)
    assert Receipt.objects.count() == rows


def error_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.django_db
def test_what_does_not_fit_is_tried_once_more_in_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where receipts were written before the memory was at its end: they are known again, and counted once."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    found_chain(name="花漾", now=NOW)
    add_store(code="JA", name="静安店", now=NOW)
    file = tmp_path / "some.csv"
    file.write_text("单号,日期,手机号,金额\n" + "".join(f"{n},2026-01-03,1380{n:07d},{n + 1}\n" for n in range(50)))
    batch = pipeline.start([SourceFile(file, file.name)], kind="purchases", now=NOW)
    take_in, limits = pipeline.take_in, []

    def too_much(work: Any, load: Any, *others: Any, **more: Any) -> None:
        found = load.scratch.connection.execute("SELECT current_setting('memory_limit')").fetchone()
        limits.append(found[0])
        take_in(work, load, *others, **more)
        if len(limits) == 1:
            raise duckdb.OutOfMemoryException("failed to pin a block")

    monkeypatch.setattr(pipeline, "take_in", too_much)
    outcome = pipeline.run(batch.pk, now=NOW)
    assert limits == ["68.6 MiB", "244.1 MiB"]  # `MEMORY_LIMIT`, then `MORE_MEMORY`
    assert (outcome.total, outcome.created, outcome.skipped, Receipt.objects.count()) == (50, 50, 0, 50)
