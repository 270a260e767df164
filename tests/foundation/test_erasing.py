"""A person is forgotten at her wish: what goes, what stays, and that no backup brings her back."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction

from changke.facts.consents.queries import history, may
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.links import customer_of, make_link
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer, Identifier, Note
from changke.facts.customers.queries import by_phone, customer_in
from changke.facts.customers.services.meet import known_since
from changke.facts.customers.services.register import register
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import system
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons import tombstones
from changke.foundation.persons.models import PersonKey, Suppression
from changke.foundation.persons.services.erase import erase, preview, replay
from changke.interfaces import person_file
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db
BY = system("test")


@pytest.fixture(autouse=True)
def stones(settings: Any, tmp_path: Path) -> Path:
    settings.ERASED_FILE = tmp_path / "erased.jsonl"
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "erased.jsonl"


@pytest.fixture
def known(cast: Cast) -> Cast:
    """Vera with everything a shop writes down."""
    vera = cast.vera
    add_tag(vera, "敏感肌", now=NOW)
    Customer.objects.filter(pk=vera.pk).update(allergies="酒精", birth_year=1990, birth_month=3, birth_day=8)
    note = Note(customer=vera, text="薇拉说她下月搬家", written_at=NOW)
    note.photo.save("vera.jpg", ContentFile(b"jpeg"), save=False)
    note.save()
    state(
        [vera.pk],
        [(Purpose.MARKETING, Channel.SMS)],
        given=True,
        proof=Proof("form", evidence="薇拉 签字 F-7"),
        source_key="form",
        happened_at=NOW,
        time_zone="Asia/Shanghai",
        now=NOW,
    )
    return cast


def all_that_is_written() -> str:
    with connection.cursor() as sql:
        sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(django|auth)'")
        tables = [name for (name,) in sql.fetchall()]
        found = []
        for table in tables:
            sql.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t")
            found.append(sql.fetchone()[0])
    return " ".join(found)


def test_nothing_says_any_more_who_she_was(known: Cast, tmp_path: Path) -> None:
    photo = Path(Note.objects.get().photo.path)
    assert photo.exists()
    assert "薇拉" in all_that_is_written()
    erase(known.vera.pk, reason="她要求删除", by=BY, now=NOW)
    written = all_that_is_written()
    for secret in ("薇拉", "weila", "酒精", "敏感肌", "搬家"):
        assert secret not in written
    assert not photo.exists()
    assert by_phone("13800000003") is None
    with pytest.raises(NotFound):
        customer_in(CHAIN_WIDE, known.vera.pk)


def test_what_she_bought_stays_under_her_bare_number(known: Cast) -> None:
    before = Receipt.objects.filter(customer=known.vera).count()
    assert before == 12
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    assert Receipt.objects.filter(customer=known.vera).count() == before
    assert {one.key for one in preview(known.vera.pk) if one.stays} >= {"purchases", "consents"}


def test_her_key_is_gone_and_the_proof_with_it(known: Cast) -> None:
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    assert not PersonKey.objects.filter(person_id=known.vera.pk).exists()
    assert [(one.evidence, one.consent.given) for one in history([known.vera.pk])] == [("", True)]
    assert may([known.vera.pk], Purpose.MARKETING, Channel.SMS, at=NOW, on=TODAY).reason == "erased"


def test_the_others_lose_nothing(known: Cast) -> None:
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    assert by_phone("13800000004") == known.mo
    assert Customer.objects.get(pk=known.mo.pk).name == "莫愁"
    assert Suppression.objects.count() == 1


def test_erasing_twice_changes_nothing_more(known: Cast, stones: Path) -> None:
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    lines, audit = stones.read_text(), AuditLine.objects.filter(action="customer.erased").count()
    changed = erase(known.vera.pk, reason="asked again", by=BY, now=NOW)
    assert stones.read_text() == lines
    assert AuditLine.objects.filter(action="customer.erased").count() == audit == 1
    assert changed["identifiers"] == changed["notes"] == changed["keys"] == 0


def test_it_is_a_line_of_the_trail_with_its_reason(known: Cast) -> None:
    erase(known.vera.pk, reason="她要求删除", by=BY, now=NOW)
    line = AuditLine.objects.get(action="customer.erased")
    assert (line.customer_id, line.reason, line.actor_name) == (known.vera.pk, "她要求删除", "test")


def test_without_a_reason_nobody_is_erased(known: Cast) -> None:
    with pytest.raises(Invalid, match="reason"):
        erase(known.vera.pk, reason="  ", by=BY, now=NOW)
    assert by_phone("13800000003") == known.vera


def test_a_sale_that_comes_late_does_not_bring_her_back(known: Cast) -> None:
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    known_since({known.vera.pk: TODAY.replace(year=2020)})
    assert not Customer.objects.get(pk=known.vera.pk).is_active


def test_who_comes_again_is_somebody_new_and_marked(known: Cast) -> None:
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    again = register(name="薇拉", phone="13800000003", home_store=known.jing_an, now=NOW)
    assert again.pk != known.vera.pk
    assert Identifier.objects.get(customer=again).suppressed


def test_her_own_page_is_closed(known: Cast) -> None:
    token = make_link(known.vera, by=None, now=NOW)
    assert customer_of(token, now=NOW) == known.vera
    erase(known.vera.pk, reason="asked", by=BY, now=NOW)
    assert customer_of(token, now=NOW) is None


# Backups


def as_after_a_restore(person_id: int) -> None:
    """Erase, and bring the database of before back: what a rolled back savepoint and a restore have in common."""
    with transaction.atomic():
        before = transaction.savepoint()
        erase(person_id, reason="asked", by=BY, now=NOW)
        transaction.savepoint_rollback(before)


def test_a_restored_backup_does_not_bring_her_back(known: Cast, stones: Path) -> None:
    as_after_a_restore(known.vera.pk)
    assert by_phone("13800000003") == known.vera, "the backup knows her"
    assert replay(by=BY, now=NOW) == [known.vera.pk]
    assert by_phone("13800000003") is None
    assert "薇拉" not in all_that_is_written()
    assert len(stones.read_text().splitlines()) == 1
    assert replay(by=BY, now=NOW) == []


def test_somebody_else_with_her_number_is_left_alone(known: Cast) -> None:
    """An older backup gives the number of an erased customer to somebody who is met afterwards."""
    as_after_a_restore(known.vera.pk)
    PersonKey.objects.filter(person_id=known.vera.pk).delete()
    Identifier.objects.filter(customer=known.vera).delete()
    Customer.objects.filter(pk=known.vera.pk).update(recorded_at=NOW, name="别人")
    assert replay(by=BY, now=NOW) == []
    assert Customer.objects.get(pk=known.vera.pk).name == "别人"


def test_a_tombstone_says_nothing_about_her(known: Cast, stones: Path) -> None:
    erase(known.vera.pk, reason="薇拉 13800000003", by=BY, now=NOW)
    (line,) = stones.read_text().splitlines()
    assert set(json.loads(line)) == {"person", "key", "recorded", "erased_at"}
    assert "薇拉" not in line
    assert stones.stat().st_mode & 0o077 == 0


def test_tombstones_of_two_copies_are_joined_and_a_torn_line_is_none(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first, second = (tombstones.Tombstone(number, "k", "r", "e") for number in (1, 2))
    tombstones.append(one, [first])
    tombstones.append(two, [first, second])
    two.write_text(two.read_text() + '{"person": 3, "k')
    assert [tombstones.merge(one, two), tombstones.merge(one, two)] == [1, 0]
    assert list(tombstones.read(one)) == [first, second]


# Her data as a file


def test_the_file_holds_everything_and_opens_the_seals(known: Cast) -> None:
    found = person_file.everything([known.vera.pk])
    assert {"profile", "identifiers", "purchases", "notes", "tags", "consents"} <= set(found)
    assert [one["value"] for one in found["identifiers"]] == ["+8613800000003"]
    assert found["consents"][0]["evidence"] == "薇拉 签字 F-7"
    assert {one["customer_id"] for one in found["purchases"]} == {known.vera.pk}


def test_a_cell_that_a_spreadsheet_would_compute_is_defused() -> None:
    assert [person_file._cell(text) for text in ("=1+1", "＝1", "+86", "-", "plain", 7)] == [
        "'=1+1", "'＝1", "'+86", "'-", "plain", "7",
    ]  # fmt: skip
