"""A line says who did what to what, before and after; it is never edited."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from changke.foundation.audit import rules
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record

NOON = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
LIN = By("staff", 1, "林老板", "10.0.0.7", "a1b2")

nothing_given = (None, None)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ({"days": 60, "name": "花漾"}, {"days": 45, "name": "花漾"}, ({"days": 60}, {"days": 45})),
        (None, {"days": 45}, (None, {"days": 45})),  # made
        ({"days": 60}, None, ({"days": 60}, None)),  # deleted
        ({"a": 1}, {"b": 2}, ({"a": 1}, {"b": 2})),
        ({"day": dt.date(2026, 3, 1)}, {"day": dt.date(2026, 3, 2)}, ({"day": "2026-03-01"}, {"day": "2026-03-02"})),
        ({"kinds": {"b", "a"}}, {"kinds": ["a", "b"]}, ({}, {})),  # the same, written otherwise
        ({"sum": Decimal("1.50")}, {"sum": Decimal("2.00")}, ({"sum": "1.50"}, {"sum": "2.00"})),
        (None, None, nothing_given),
    ],
)
def test_only_what_differs_is_kept(before: object, after: object, kept: object) -> None:
    assert rules.difference(before, after) == kept  # type: ignore[arg-type]


def test_what_has_no_plain_form_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="pass its id or its code"):
        rules.difference(None, {"store": object()})


@pytest.mark.django_db
class TestALine:
    def add(self, **more: object) -> AuditLine:
        about = {"by": LIN, "action": "chain.changed", "subject": "chain:1", "now": NOON}
        record(**{**about, "before": {"days": 60}, "after": {"days": 45}, **more})  # type: ignore[arg-type]
        return AuditLine.objects.latest("id")

    def test_keeps_who_and_from_where(self) -> None:
        line = self.add(reason="season")
        assert (line.actor_kind, line.actor_id, line.actor_name) == ("staff", 1, "林老板")
        assert (line.address, line.request_id, line.reason) == ("10.0.0.7", "a1b2", "season")
        assert (line.before, line.after) == ({"days": 60}, {"days": 45})

    def test_is_not_written_where_nothing_changed(self) -> None:
        record(by=LIN, action="chain.changed", subject="chain:1", before={"days": 60}, after={"days": 60}, now=NOON)
        assert not AuditLine.objects.exists()

    def test_its_contents_are_what_was_hashed(self) -> None:
        line = self.add(before={"名": "花漾", "b": [1, None]}, after={"名": "花海", "b": []}, reason="“季”")
        line.refresh_from_db()
        again = rules.contents(salt=bytes(line.salt or b""), before=line.before, after=line.after, reason=line.reason)
        assert again == bytes(line.contents)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE foundation_auditline SET after = '{}'",
            "UPDATE foundation_auditline SET actor_name = 'nobody'",
            "DELETE FROM foundation_auditline",
            # Not about a person: there is nothing to erase.
            "UPDATE foundation_auditline SET before = NULL, after = NULL, reason = '', salt = NULL",
        ],
    )
    def test_is_neither_edited_nor_deleted(self, statement: str) -> None:
        self.add()
        with pytest.raises(IntegrityError, match="never edited"), connection.cursor() as sql:
            sql.execute(statement)

    def test_of_a_person_loses_its_values_with_her_and_nothing_else(self) -> None:
        line = self.add(customer_id=7)
        blank = "UPDATE foundation_auditline SET before = NULL, after = NULL, reason = '', salt = NULL"
        with connection.cursor() as sql:
            sql.execute(blank)
            line.refresh_from_db()
            assert (line.before, line.after, line.action) == (None, None, "chain.changed")
            with pytest.raises(IntegrityError, match="never edited"):
                sql.execute(f"{blank}, action = 'another'")
