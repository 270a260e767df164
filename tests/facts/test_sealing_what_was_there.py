"""An installation from before: phones in clear become ciphertext, also when the upgrade is killed."""

import importlib
from collections.abc import Iterator

import pytest
from django.db import connection

from changke.facts.customers.models import Identifier
from changke.facts.customers.queries import by_phone, known_as, values_of, with_phone_tail
from changke.foundation.persons.models import KeyVersion, PersonKey
from changke.foundation.persons.queries import forget_vault
from tests.cast import Cast

migration = importlib.import_module("changke.facts.migrations.0011_seal_identifiers")
pytestmark = pytest.mark.django_db


@pytest.fixture
def before(cast: Cast) -> Iterator[Cast]:
    """Identifiers as version 0.1 wrote them."""
    forget_vault()
    PersonKey.objects.all().delete()
    Identifier.objects.all().delete()
    old = [
        (cast.vera.pk, "phone", "", "+8613800000003"),
        (cast.vera.pk, "email", "", "vera@example.com"),
        (cast.vera.pk, "external", "till", "M-1"),
        (cast.mo.pk, "phone", "", "+8613800000004"),
        (cast.lan.pk, "wecom", "", "wm-lan"),
    ]
    with connection.cursor() as sql:
        sql.execute("SET CONSTRAINTS ALL IMMEDIATE")
        sql.execute("ALTER TABLE facts_identifier DROP CONSTRAINT identifier_clear_or_sealed")
        for row in old:
            sql.execute("INSERT INTO facts_identifier (customer_id, kind, source, value) VALUES (%s, %s, %s, %s)", row)
    yield cast
    forget_vault()


def test_what_was_in_clear_is_sealed_and_found(before: Cast) -> None:
    migration.seal_all(None, None)
    assert not Identifier.objects.filter(value__isnull=False).exclude(kind="external").exists()
    assert by_phone("13800000003") == before.vera
    assert with_phone_tail("0004") == [before.mo.pk]
    assert known_as("vera@example.com") == known_as("M-1") == [before.vera.pk]
    assert sorted(values_of(Identifier.objects.filter(customer=before.vera)).values()) == [
        "+8613800000003",
        "M-1",
        "vera@example.com",
    ]
    assert KeyVersion.objects.count() == 1


def test_a_killed_upgrade_goes_on_where_it_was(before: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "CHUNK", 1)
    seal, calls = migration._seal, []

    def killed(sql: object, rows: list[object]) -> None:
        calls.append(rows)
        if len(calls) == 3:
            raise KeyboardInterrupt
        seal(sql, rows)

    monkeypatch.setattr(migration, "_seal", killed)
    with pytest.raises(KeyboardInterrupt):
        migration.seal_all(None, None)
    assert Identifier.objects.filter(sealed__isnull=False).count() == 2
    migration.seal_all(None, None)
    assert len(calls) == 3 + 2
    assert by_phone("13800000003") == before.vera
    assert known_as("wm-lan") == [before.lan.pk]


def test_an_upgraded_installation_is_not_sealed_again(before: Cast) -> None:
    migration.seal_all(None, None)
    sealed = set(map(bytes, Identifier.objects.exclude(sealed=None).values_list("sealed", flat=True)))
    migration.seal_all(None, None)
    assert set(map(bytes, Identifier.objects.exclude(sealed=None).values_list("sealed", flat=True))) == sealed
