"""Which rule warns is a rule of the chain: every change is a line, and an earlier rule can be put back."""

import datetime as dt
from collections.abc import Mapping
from typing import cast

from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.profiles.risk.models import ServiceLine
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.rules import Wanted
from changke.profiles.risk.services.choose import NONE, as_audited, switch_line, use, use_none


def _now(key: str) -> Values | None:
    return as_audited(rule_in_use())


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    was = {**as_audited(rule_in_use()), **values}
    if not was["kind"]:
        use_none(by=by, now=now)
        return
    if "kind" in values and "latest_days" not in values:
        was["latest_days"] = None  # the line speaks of a rule that had no last day, or of its kind alone
    numbers = {name: cast(int, was[name]) for name in NONE if name not in {"kind", "per_line"}}
    use(Wanted(str(was["kind"]), per_line=bool(was["per_line"]), **numbers), by=by, now=now)


def _line_now(key: str) -> Values | None:
    line = ServiceLine.objects.filter(pk=int(key)).first() if key.isdigit() else None
    return {"is_on": line.is_on} if line else None


def _restore_line(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    switch_line(int(key), bool(values["is_on"]), by=by, now=now)


register(Kind("risk_rule", ("profiles_riskrule",), "settings.edit", _now, _restore))
register(Kind("service_line", ("profiles_serviceline",), "settings.edit", _line_now, _restore_line))
leave_out("profiles_backtest", "computed from facts; choosing from it is a line")
leave_out("profiles_churnwarning", "computed from facts; its beginning and end are events")
leave_out("profiles_riskfit", "computed from facts")
