"""A load killed in the middle (SIGKILL, no chance to tidy up) and run again: nothing twice, nothing lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.organisation.services import add_store, found_chain
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import SourceFile
from tests.interfaces.importers.conftest import NOW, counts

ROWS = 30_000

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

    url = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DATABASE_URL": urlunsplit(url._replace(path="/" + str(connection.settings_dict["NAME"]))),
        "DATA_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DJANGO_SETTINGS_MODULE": "changke.settings",
    }
    command = [sys.executable, "-c", CHILD, str(batch.pk), NOW.isoformat()]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while not Receipt.objects.exists() and child.poll() is None:
            pass
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert 0 < Receipt.objects.count() < ROWS
    assert Batch.objects.get(pk=batch.pk).status == BatchStatus.RUNNING

    assert counts(pipeline.run(batch.pk, now=NOW)) == (ROWS, 0, 0, 0)
    assert Receipt.objects.count() == Line.objects.count() == ROWS
    assert Customer.objects.count() == ROWS // 3
