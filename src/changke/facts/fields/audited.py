"""Definitions are rules, values are audited state; both can be put back."""

import datetime as dt
from collections.abc import Mapping

from changke.facts.fields.models import Field
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.services import change_field, set_values
from changke.facts.fields.services.define import as_audited
from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values


def _field(key: str) -> Values | None:
    field = Field.objects.filter(pk=key).first()
    return as_audited(field) if field else None


def _restore_field(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    change_field(Field.objects.get(pk=key), values, by=by, now=now)


def _values(key: str) -> Values | None:
    return dict(values_of(int(key), fields_for()))


def _restore_values(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    set_values(int(key), values, by=by, now=now)


register(Kind("field", ("facts_field",), "fields.manage", _field, _restore_field))
register(Kind("profile", ("facts_fieldvalue",), "customer.edit", _values, _restore_values))
leave_out("facts_fieldreplaced", "what a batch replaced, kept for its undo")
