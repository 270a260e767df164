"""Lin may own the database; what he changes in the past is found, and named."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from changke.foundation.audit import heads
from changke.foundation.audit.heads import Head
from changke.foundation.audit.models import AuditLine, AuditSeal, AuditUnsealed
from changke.foundation.audit.queries import Broken, opened, verify
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import blank_values, record, seal

NOON = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
LIN = By("staff", 1, "林老板")


def add(days: int = 45, customer_id: int | None = None) -> AuditLine:
    before, after = {"days": 60}, {"days": days}
    record(
        by=LIN, action="chain.changed", subject="chain:1", before=before, after=after, customer_id=customer_id, now=NOON
    )
    return AuditLine.objects.latest("id")


def head(made: AuditSeal | None) -> Head:
    assert made is not None
    return Head(made.pk, bytes(made.digest).hex(), made.total, made.sealed_at.isoformat())


def as_superuser(*statements: str) -> None:
    """What the triggers would refuse everybody else."""
    with connection.cursor() as sql:
        for table in ("foundation_auditline", "foundation_auditseal"):
            sql.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            sql.execute(statement)
        for table in ("foundation_auditline", "foundation_auditseal"):
            sql.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def sealed(db: None) -> list[AuditLine]:
    """Four lines in two seals."""
    lines = [add(1), add(2)]
    seal(now=NOON)
    lines += [add(3), add(4)]
    seal(now=NOON)
    return lines


def test_an_untouched_trail_is_whole(sealed: list[AuditLine]) -> None:
    add(5)
    found = verify()
    assert (found.lines, found.seals, found.unsealed, found.broken) == (4, 2, 1, [])
    assert found.unsealed_since == NOON


def test_an_empty_trail_is_whole(db: None) -> None:
    assert (verify().broken_count, seal(now=NOON)) == (0, None)


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = '别人'",
        "at = at + interval '1 day'",
        "subject = 'chain:2'",
        """after = '{"days": 90}'""",
        "reason = 'because'",
        "before = NULL",
        "salt = '\\x00'",
        "contents = '\\x00'",
    ],
)
def test_a_changed_line_is_named(sealed: list[AuditLine], change: str) -> None:
    as_superuser(f"UPDATE foundation_auditline SET {change} WHERE id = {sealed[1].pk}")
    assert verify().broken == [Broken("altered", line=sealed[1].pk)]


def test_a_deleted_line_is_named(sealed: list[AuditLine]) -> None:
    as_superuser(f"DELETE FROM foundation_auditline WHERE id = {sealed[2].pk}")
    assert verify().broken == [Broken("missing", line=sealed[2].pk)]


def test_a_line_smuggled_in_is_named(sealed: list[AuditLine]) -> None:
    as_superuser(
        "INSERT INTO foundation_auditline (at, actor_kind, actor_name, address, request_id, action, subject, reason,"
        " contents) VALUES (now(), 'staff', 'x', '', '', 'chain.changed', 'chain:1', '', '')"
    )
    assert verify().broken == [Broken("slipped_in", line=AuditLine.objects.latest("id").pk)]


def test_who_mends_the_proof_too_breaks_the_seal(sealed: list[AuditLine]) -> None:
    first = AuditSeal.objects.earliest("id")
    as_superuser(f"UPDATE foundation_auditseal SET proofs = substring(proofs FROM 41) WHERE id = {first.pk}")
    assert Broken("seal_altered", seal=first.pk) in verify().broken


def test_a_seal_taken_out_leaves_a_gap(sealed: list[AuditLine]) -> None:
    first, second = AuditSeal.objects.order_by("id")
    as_superuser(f"DELETE FROM foundation_auditseal WHERE id = {first.pk}")
    assert Broken("seal_missing", seal=second.pk) in verify().broken


def test_cutting_off_the_end_is_noticed_by_the_head_outside(sealed: list[AuditLine], tmp_path: Path) -> None:
    first, last = (head(made) for made in AuditSeal.objects.order_by("id"))
    for made in (first, last):
        heads.write(tmp_path, made)
    as_superuser(
        f"DELETE FROM foundation_auditseal WHERE id = {last.seal}",
        f"DELETE FROM foundation_auditline WHERE id IN ({sealed[2].pk}, {sealed[3].pk})",
    )
    assert verify().broken == [], "from inside the chain is whole, only shorter"
    assert verify(heads=heads.read(tmp_path)).broken == [Broken("cut_off", seal=last.seal)]
    add(6)
    seal(now=NOON)
    assert verify(heads=heads.read(tmp_path)).broken == [Broken("cut_off", seal=last.seal)], "also when it grew again"


def test_a_chain_written_anew_does_not_fit_the_head_outside(sealed: list[AuditLine], tmp_path: Path) -> None:
    last = head(AuditSeal.objects.latest("id"))
    heads.write(tmp_path, last)
    as_superuser(f"UPDATE foundation_auditseal SET digest = '\\x{'ab' * 32}' WHERE id = {last.seal}")
    assert Broken("seal_altered", seal=last.seal) in verify(heads=heads.read(tmp_path)).broken


def test_after_a_restore_only_later_heads_count(tmp_path: Path) -> None:
    early, late = (Head(number, f"{number:02}", number, NOON.isoformat()) for number in (1, 2))
    again = Head(2, "other", 2, NOON.isoformat())
    heads.write(tmp_path, early)
    heads.write(tmp_path, late)
    heads.write(tmp_path, early, restored=True)
    heads.write(tmp_path, again)
    with next((tmp_path / heads.FOLDER).iterdir()).open("a") as torn:
        torn.write("3 ab")
    assert heads.read(tmp_path) == [early, again]


def test_of_past_months_only_the_last_head_is_asked(tmp_path: Path) -> None:
    made = [
        Head(number, f"{number:02}", number, NOON.replace(month=month).isoformat())
        for number, month in ((1, 1), (2, 1), (3, 2), (4, 2))
    ]
    for one in made:
        heads.write(tmp_path, one)
    assert heads.read(tmp_path) == made[1:]


class TestErasure:
    def test_leaves_the_chain_whole(self, db: None) -> None:
        of_vera, of_mo = add(1, customer_id=7), add(2, customer_id=8)
        seal(now=NOON)
        record(by=LIN, action="customer.erased", subject="customer:7", customer_id=7, now=NOON)
        assert blank_values([7]) == 2
        seal(now=NOON)
        of_vera.refresh_from_db()
        of_mo.refresh_from_db()
        assert (of_vera.before, of_vera.after, of_vera.sealed) == (None, None, None)
        assert opened([of_mo])[0].after == {"days": 2}
        assert verify().broken == []

    def test_without_its_line_is_no_erasure(self, db: None) -> None:
        line = add(1, customer_id=7)
        seal(now=NOON)
        assert blank_values([7]) == 1
        assert verify().broken == [Broken("blanked", line=line.pk)]


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    @pytest.fixture(autouse=True)
    def _nothing_left(self) -> Iterator[None]:
        yield
        as_superuser("TRUNCATE foundation_auditseal, foundation_auditunsealed, foundation_auditline")

    def test_a_line_whose_transaction_ends_late_is_sealed_later(self) -> None:
        wrote, may_end = threading.Event(), threading.Event()

        def slowly() -> None:
            with transaction.atomic():
                add(1)
                wrote.set()
                may_end.wait(10)
            connections.close_all()

        writer = threading.Thread(target=slowly)
        writer.start()
        wrote.wait(10)
        add(2)
        first = seal(now=NOON)
        assert first is not None
        assert first.rows == 1
        assert verify().broken == []
        may_end.set()
        writer.join()
        assert verify().unsealed == 1
        second = seal(now=NOON)
        assert second is not None
        assert (second.rows, second.total) == (1, 2)
        assert (verify().lines, verify().broken) == (2, [])

    def test_eight_writers_and_two_sealers(self) -> None:
        writing = threading.Event()
        writing.set()

        def write() -> None:
            for number in range(25):
                add(number)
            connections.close_all()

        def keep_sealing() -> None:
            while writing.is_set():
                seal(now=NOON, most=7)
            connections.close_all()

        writers = [threading.Thread(target=write) for _ in range(8)]
        sealers = [threading.Thread(target=keep_sealing) for _ in range(2)]
        for thread in (*writers, *sealers):
            thread.start()
        for thread in writers:
            thread.join()
        writing.clear()
        for thread in sealers:
            thread.join()
        while seal(now=NOON):
            pass
        found = verify()
        assert (found.lines, found.unsealed, found.broken) == (200, 0, [])
        assert not AuditUnsealed.objects.exists()
