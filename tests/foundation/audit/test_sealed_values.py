"""What a line says of a person stands in it as ciphertext under her key: never in clear in a table that only grows."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.persons import lines
from changke.foundation.audit.queries import opened, verify
from changke.foundation.audit.rules import ERASED, HOUSE, MASK, contents
from changke.foundation.audit.services import record, restore, seal
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.keys import destroy_keys
from changke.interfaces.exporters.datasets.audit import rows
from changke.interfaces.exporters.shape import Ask
from tests.cast import NOW, Cast
from tests.foundation.audit.test_chain import as_superuser

pytestmark = pytest.mark.django_db


def last() -> AuditLine:
    return AuditLine.objects.latest("id")


@pytest.fixture
def line(cast: Cast) -> AuditLine:
    """Mo has an allergy now, and another adviser."""
    changes = {"allergies": "酒精", "adviser": cast.clerk, "birth_year": 1990}
    change(cast.mo.pk, changes, by=HOUSE, now=NOW)
    return last()


def test_the_table_holds_a_mark_and_the_page_says_what_it_was(cast: Cast, line: AuditLine) -> None:
    with connection.cursor() as sql:
        sql.execute("SELECT t::text FROM foundation_auditline AS t WHERE id = %s", [line.pk])
        assert "酒精" not in sql.fetchone()[0]
    assert line.before == {"allergies": "", "adviser": None, "birth_year": None}
    assert line.after == {"allergies": MASK, "adviser": cast.clerk.pk, "birth_year": MASK}
    client = Client()
    client.force_login(cast.hq)
    for address in ("/audit/", f"/customers/{cast.mo.pk}/changes/"):
        page = client.get(address).content.decode()
        assert "酒精" in page, address
        assert MASK not in page, address
    (told,) = [one for one in lines([cast.mo.pk]) if one["action"] == "customer.changed"]
    assert told["after"] == {"allergies": "酒精", "adviser": cast.clerk.pk, "birth_year": 1990}


def test_what_leaves_the_house_with_the_trail_is_masked(line: AuditLine) -> None:
    """No erasure reaches a file or another system."""
    told = str(list(rows(Ask(CHAIN_WIDE))))
    assert MASK in told
    assert "酒精" not in told


def test_it_can_be_put_back(cast: Cast, line: AuditLine) -> None:
    assert restore(line, by=HOUSE, now=NOW) == ["adviser", "allergies", "birth_year"]
    mo = Customer.objects.get(pk=cast.mo.pk)
    assert (mo.allergies, mo.birth_year, mo.adviser) == ("", None, cast.mo.adviser)
    restore(AuditLine.objects.filter(action="customer.changed").latest("id"), by=HOUSE, now=NOW)
    mo.refresh_from_db()
    assert (mo.allergies, mo.birth_year) == ("酒精", 1990)


def test_without_her_key_the_mark_stays_and_nothing_can_be_put_back(cast: Cast, line: AuditLine) -> None:
    destroy_keys([cast.mo.pk])
    (told,) = opened([last()])
    assert told.after == {"allergies": MASK, "adviser": cast.clerk.pk, "birth_year": MASK}
    with pytest.raises(Exception, match="nothing in this line"):
        restore(last(), by=HOUSE, now=NOW)


def test_the_chain_covers_the_ciphertext(line: AuditLine) -> None:
    seal(now=NOW)
    assert verify().broken_count == 0
    as_superuser(f"UPDATE foundation_auditline SET sealed = sealed || '\\x00' WHERE id = {line.pk}")
    assert [(one.kind, one.line) for one in verify().broken] == [("altered", line.pk)]
    assert opened([last()])[0].after["allergies"] == MASK  # the page does not break


def test_a_ciphertext_of_another_line_does_not_open(cast: Cast, line: AuditLine) -> None:
    change(cast.mo.pk, {"allergies": "花粉"}, by=HOUSE, now=NOW)
    as_superuser(
        "UPDATE foundation_auditline SET sealed = other.sealed FROM foundation_auditline AS other"
        f" WHERE foundation_auditline.id = {last().pk} AND other.id = {line.pk}"
    )
    assert opened([last()])[0].after == {"allergies": MASK}


def test_a_reason_is_sealed_but_that_of_her_erasure(cast: Cast) -> None:
    told: dict[str, Any] = {"by": HOUSE, "subject": f"customer:{cast.mo.pk}", "customer_id": cast.mo.pk, "now": NOW}
    record(action="customer.exported", reason="莫愁要求", **told)
    assert (last().reason, opened([last()])[0].reason) == (MASK, "莫愁要求")
    record(action=ERASED, reason="asked in the shop", **told)
    assert (last().reason, last().sealed) == ("asked in the shop", None)


def test_a_line_about_a_thing_stays_readable(cast: Cast) -> None:
    record(by=HOUSE, action="chain.changed", subject="chain:1", before={"name": "甲"}, after={"name": "乙"}, now=NOW)
    assert (last().before, last().after, last().sealed) == ({"name": "甲"}, {"name": "乙"}, None)


def test_a_line_of_a_former_version_is_read_verified_and_put_back(cast: Cast) -> None:
    """They stand as they were written: nobody rewrites the trail."""
    before, after = {"city": ""}, {"city": "苏州"}
    Customer.objects.filter(pk=cast.mo.pk).update(city="苏州")
    AuditLine.objects.create(
        at=NOW - dt.timedelta(days=30), actor_kind="system", actor_id=None, actor_name="changke",
        action="customer.changed", subject=f"customer:{cast.mo.pk}", customer_id=cast.mo.pk, before=before, after=after,
        salt=b"salt", contents=contents(salt=b"salt", before=before, after=after, reason=""),
    )  # fmt: skip
    old = last()
    seal(now=NOW)
    assert verify().broken_count == 0
    assert opened([old])[0].after == after
    assert restore(old, by=HOUSE, now=NOW) == ["city"]
    assert Customer.objects.get(pk=cast.mo.pk).city == ""
