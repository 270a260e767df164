"""The trail kept while the house runs: sealed, verified, its head outside the database."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from changke.foundation.audit import heads, rules
from changke.foundation.audit.models import AuditCheck, AuditLine
from changke.foundation.audit.services import record
from changke.interfaces import health, jobs, trail

NOON = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def add() -> None:
    record(by=rules.system("test"), action="chain.changed", subject="chain:1", after={"days": 1}, now=NOON)


def test_a_seal_leaves_its_head_in_the_data_folder(tmp_path: Path) -> None:
    assert not trail.seal_once(NOON)
    add()
    assert trail.seal_once(NOON)
    assert [head.total for head in heads.read(tmp_path)] == [1]


def test_the_doctor_finds_it_well() -> None:
    add()
    trail.seal_once(NOON)
    (finding,) = health.audit_trail(NOON)
    assert (finding.status, finding.found) == (health.OK, "1 lines in 1 seals, none broken")


def test_the_doctor_and_the_night_name_a_broken_line(caplog: pytest.LogCaptureFixture) -> None:
    add()
    trail.seal_once(NOON)
    line = AuditLine.objects.get()
    with connection.cursor() as sql:
        sql.execute("ALTER TABLE foundation_auditline DISABLE TRIGGER USER")
        sql.execute("UPDATE foundation_auditline SET actor_name = 'nobody'")
    (finding,) = health.audit_trail(NOON)
    assert (finding.status, finding.found) == (health.FAILED, f"1 broken: altered line {line.pk}")
    assert jobs.verify_audit(0) == 1
    assert f"altered line {line.pk}" in caplog.text
    kept = AuditCheck.objects.get()
    assert (kept.broken_count, kept.broken) == (1, [{"kind": "altered", "line": line.pk, "seal": None}])


def test_the_doctor_misses_a_worker() -> None:
    add()
    (finding,) = health.audit_trail(NOON + dt.timedelta(minutes=6))
    assert finding.status == health.WARNING
    assert "1 lines unsealed" in finding.found


def test_the_doctor_misses_the_head_of_another_machine(tmp_path: Path) -> None:
    add()
    trail.seal_once(NOON)
    (tmp_path / heads.FOLDER).rename(tmp_path / "elsewhere")
    (finding,) = health.audit_trail(NOON)
    assert finding.status == health.WARNING
    assert "no head outside" in finding.found


def test_a_restore_is_a_line_and_a_new_beginning_outside(tmp_path: Path) -> None:
    add()
    trail.seal_once(NOON)
    heads.write(tmp_path, heads.Head(9, "later", 30, NOON.isoformat()))
    trail.note_restored(tmp_path, now=NOON)
    assert AuditLine.objects.latest("id").action == "backup.restored"
    (finding,) = health.audit_trail(NOON)
    assert finding.status == health.OK
