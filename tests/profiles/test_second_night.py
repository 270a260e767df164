"""The second night writes few rows in full, and leaves what a first night would have written."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.models import Store
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import BulkRun, Profile
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import fold, night, refresh_all, refresh_customers
from tests.profiles.world import NOW, TODAY, Book, build

pytestmark = pytest.mark.django_db(transaction=True)

NIGHT = dt.timedelta(days=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The mirror after the first night."""
    build(customers=250)
    path = tmp_path / "mirror.duckdb"
    refresh_all(now=NOW, mirror=path, months=0)
    return path


@pytest.fixture
def in_full(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each slice wrote in full."""
    found: list[int] = []
    write = night.write_slice

    def count(lines: list[bytes], *rest: Any) -> tuple[int, int]:
        found.append(len(lines))
        return write(lines, *rest)

    monkeypatch.setattr(night, "write_slice", count)
    return found


def rows() -> dict[int, dict[str, Any]]:
    return {row["customer_id"]: row for row in Profile.objects.values("customer_id", "as_of", "stage", *COLUMNS)}


def standings() -> list[tuple[int, str, str]]:
    return list(Standing.objects.order_by("customer_id", "model").values_list("customer_id", "model", "stage"))


def as_if_first(now: dt.datetime, tmp_path: Path) -> None:
    """What stands is what a night that knows nothing of the one before writes."""
    stood, where = rows(), standings()
    assert {row["as_of"] for row in stood.values()} == {now.date()}
    Profile.objects.all().delete()
    Standing.objects.all().delete()
    refresh_all(now=now, mirror=tmp_path / "another.duckdb", months=0)
    assert rows() == stood
    assert standings() == where


def test_a_quiet_night_writes_few_in_full(file: Path, in_full: list[int], tmp_path: Path) -> None:
    before, everybody = rows(), Profile.objects.count()
    done = refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert (done.customers, done.written) == (everybody, everybody)
    assert 0 < sum(in_full) < everybody / 3
    assert any(
        row["silent_days"] == before[her]["silent_days"] + 1 for her, row in rows().items() if row["silent_days"]
    )
    as_if_first(NOW + NIGHT, tmp_path)


def test_what_was_followed_and_withdrawn_since_is_written_in_full(
    file: Path, in_full: list[int], tmp_path: Path
) -> None:
    """Her row as the mirror sees her is the same as last night, but another one stands in PostgreSQL."""
    store, gone = Store.objects.all()[0], Batch.objects.create(kind="load", created_at=NOW)
    her = Profile.objects.filter(purchases__gt=0).order_by("pk")[0].pk
    Book().receipt(Customer.objects.get(pk=her), store, TODAY - dt.timedelta(days=700), number="X1").save(
        force_insert=True
    )
    fold(NOW)
    followed = Profile.objects.get(pk=her).purchases
    Receipt.objects.filter(number="X1").update(withdrawn_by=gone, txid=current_xid())
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert Profile.objects.get(pk=her).purchases == followed - 1
    assert sum(in_full) < Profile.objects.count() / 3
    as_if_first(NOW + NIGHT, tmp_path)


def test_whoever_lost_her_row_gets_one(file: Path, in_full: list[int], tmp_path: Path) -> None:
    Profile.objects.filter(pk__in=list(Profile.objects.values_list("pk", flat=True)[:40])).delete()
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    as_if_first(NOW + NIGHT, tmp_path)


def test_after_a_night_that_broke_off_all_are_written_in_full(
    file: Path, in_full: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the machine went down")

    with monkeypatch.context() as broken:
        broken.setattr(night, "_remember", fail)
        with pytest.raises(RuntimeError, match="went down"):
            refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    in_full.clear()
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert sum(in_full) == Profile.objects.count()
    as_if_first(NOW + NIGHT, tmp_path)


def test_hashes_of_another_run_count_for_nothing(file: Path, in_full: list[int], tmp_path: Path) -> None:
    """As after a restore, or answers computed elsewhere: what stands is not what was told from here."""
    BulkRun.objects.update(snapshot=BulkRun.objects.get().snapshot - 1)
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert sum(in_full) == Profile.objects.count()
    as_if_first(NOW + NIGHT, tmp_path)


def test_a_row_that_is_newer_is_left_alone(file: Path, tmp_path: Path) -> None:
    her = Profile.objects.filter(purchases__gt=0).order_by("pk")[0].pk
    refresh_customers([her], now=NOW + 3 * NIGHT)
    newer = rows()[her]
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert rows()[her] == newer
