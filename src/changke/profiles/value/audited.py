"""The chain's numbers are settings: every change is a line, and can be put back. The rest is computed."""

import datetime as dt
from collections.abc import Mapping

from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.profiles.value.models import ValueRules
from changke.profiles.value.services.settings import as_audited, change_value_rules


def _now(key: str) -> Values | None:
    one = ValueRules.objects.filter(pk=key).first()
    return as_audited(one) if one else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    change_value_rules(values, by=by, now=now)


register(Kind("value_rules", ("profiles_valuerules",), "settings.edit", _now, _restore))
leave_out("profiles_valuefit", "computed from facts")
leave_out("profiles_prediction", "computed from facts")
leave_out("profiles_lineage", "computed from facts")
