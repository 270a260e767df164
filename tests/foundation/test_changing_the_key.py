"""The master key is changed while the shop is open, also when whoever changes it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import by_phone, known_as, phone_of, with_phone_tail
from changke.facts.customers.services.intake import Candidate, take_in
from changke.facts.customers.services.names import NewName, write_many
from changke.facts.customers.services.register import PhoneKnown, register
from changke.foundation.database.config import databases
from changke.foundation.persons import cipher
from changke.foundation.persons.models import KeyVersion, PersonKey
from changke.foundation.persons.queries import WrongMasterKey, forget_vault, master_keys, vault
from changke.foundation.persons.services import rotate
from changke.foundation.persons.services.keys import settle_keys
from changke.interfaces.health import WARNING, keys
from tests.cast import NOW, Cast

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def key_file(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The key in a file, as at home. What this process knows of its versions goes with the file."""
    file = tmp_path / "secrets" / "master_key"
    file.parent.mkdir()
    file.write_text(settings.MASTER_KEY)
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", file
    forget_vault()
    yield file
    forget_vault()


def half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is being changed, and something of everything has moved."""
    monkeypatch.setattr(rotate, "CHUNK", 4)
    rotate.begin(now=NOW)
    while set(Identifier.objects.values_list("key_version", flat=True)) == {1}:
        assert rotate.step()
    assert set(Identifier.objects.values_list("key_version", flat=True)) == {1, 2}


@pytest.mark.django_db
def test_in_the_middle_everybody_is_found_and_nobody_twice(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    half_way(monkeypatch)
    for number in range(1, 7):
        phone = f"1380000000{number}"
        assert by_phone(phone) is not None
        assert len(known_as(phone)) == len(with_phone_tail(phone[-4:])) == 1
        with pytest.raises(PhoneKnown):
            register(name="又一位", phone=phone, home_store=cast.jing_an, now=NOW)
    six = [Candidate(number, phone=f"+861380000000{number}") for number in range(1, 7)]
    taken = take_in(six, source="file", batch_id=_batch(), now=NOW, decide=lambda _: "update")
    assert {one[0] for one in taken.values()} == set(Customer.objects.values_list("pk", flat=True))
    assert Identifier.objects.count() == 6


@pytest.mark.django_db
def test_in_the_end_the_former_key_opens_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch, key_file: Path) -> None:
    ciphertexts = set(map(bytes, Identifier.objects.values_list("sealed", flat=True)))
    half_way(monkeypatch)
    with pytest.raises(rotate.StillInUse):
        rotate.finish(now=NOW)
    while rotate.step():
        pass
    assert rotate.finish(now=NOW) == [1]
    assert vault().in_use == [2]
    assert set(PersonKey.objects.values_list("version", flat=True)) == {2}
    assert phone_of(cast.vera) == "+8613800000003"
    assert by_phone("13800000003") == cast.vera
    assert set(map(bytes, Identifier.objects.values_list("sealed", flat=True))) == ciphertexts, "facts would stay too"
    assert sorted(master_keys()) == [1, 2], "older backups need the former one"
    key_file.write_text(cipher.write_keys({1: master_keys()[1]}))
    forget_vault()
    with pytest.raises(WrongMasterKey):
        phone_of(cast.vera)


@pytest.mark.django_db
def test_a_change_that_was_interrupted_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch, key_file: Path) -> None:
    half_way(monkeypatch)
    before = key_file.read_text()
    assert rotate.begin(now=NOW) == 2
    assert key_file.read_text() == before


@pytest.mark.django_db
def test_a_key_that_was_written_just_before_a_crash_is_the_next_one(cast: Cast, key_file: Path) -> None:
    settle_keys(now=NOW)
    key_file.write_text(cipher.write_keys({**master_keys(), 2: bytes(32)}))
    assert rotate.begin(now=NOW) == 2
    assert master_keys()[2] == bytes(32)


@pytest.mark.django_db
def test_the_doctor_warns_until_a_copy_was_made(cast: Cast, key_file: Path) -> None:
    settle_keys(now=NOW)
    assert [one.status for one in keys(NOW)] == [WARNING]
    rotate.backed_up(key_file.read_text(), now=NOW)
    assert [one.remedy for one in keys(NOW)] == [""]


@pytest.mark.django_db
def test_another_key_is_not_put_back(cast: Cast, key_file: Path) -> None:
    settle_keys(now=NOW)
    copy = key_file.read_text()
    key_file.write_text(cipher.write_keys({1: cipher.new_key()}))
    forget_vault()
    (finding,) = keys(NOW)
    assert finding.remedy == "changke keys restore FILE"
    with pytest.raises(WrongMasterKey):
        rotate.put_back(cipher.write_keys({1: cipher.new_key()}))
    assert rotate.put_back(copy) == [1]
    assert phone_of(cast.vera) == "+8613800000003"


@pytest.mark.django_db(transaction=True)
def test_a_change_that_was_killed_is_finished_by_the_next_one(cast: Cast, key_file: Path) -> None:
    """Another process changes the key, is killed by SIGKILL among its transactions, and is started again."""
    people = Customer.objects.bulk_create(
        Customer(name="", known_on=NOW.date(), recorded_at=NOW, home_store=cast.jing_an) for _ in range(12_000)
    )
    write_many(NewName(one.pk, "phone", f"+8613{one.pk:09}") for one in people)
    settle_keys(now=NOW)
    first = _rotate(key_file)
    deadline = time.monotonic() + 60
    while not 0 < Identifier.objects.filter(key_version=2).count() < 10_000:
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)  # the core is the other's
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = Identifier.objects.filter(key_version=1).count()
    assert left > 0
    assert _rotate(key_file).wait(timeout=120) == 0
    assert not Identifier.objects.filter(key_version=1).exists()
    assert KeyVersion.objects.get(version=1).retired_at is not None
    forget_vault()
    assert by_phone(f"+8613{people[-1].pk:09}") == people[-1]


def _rotate(key_file: Path) -> "subprocess.Popen[str]":
    place = connection.settings_dict
    url = databases({"DATABASE_URL": os.environ["DATABASE_URL"]}, key_file.parent).owner.parameters
    address = " ".join(f"{name}={value}" for name, value in {**url, "dbname": place["NAME"]}.items())
    plain = {name: value for name, value in os.environ.items() if name not in {"MASTER_KEY", "DATABASE_URL"}}
    return subprocess.Popen(
        [sys.executable, "manage.py", "keys", "rotate"],
        cwd=ROOT,
        env=plain | {"DATABASE_URL": address, "MASTER_KEY_FILE": str(key_file), "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _batch() -> int:
    from changke.foundation.models import Batch  # noqa: PLC0415

    return Batch.objects.create(kind="import", title="file", created_at=NOW).pk
