"""Put a rule into use, or let the chain's fixed days hold alone again."""

import datetime as dt

from django.db import transaction

from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid, NotFound
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, RiskRule, ServiceLine

SUBJECT = "risk_rule:chain"


class NoRule(DomainError):
    code, status = "no_risk_rule", 409
    message = "No rule warns yet. Put one into use first."


NONE: Values = {
    "kind": "", "threshold": 0, "horizon_days": 0, "minimum_silence_days": 0, "least_purchases": 0,
    "latest_days": None, "per_line": False,
}  # fmt: skip


@transaction.atomic
def use(wanted: rules.Wanted, *, backtest: BackTest | None = None, by: By = HOUSE, now: dt.datetime) -> RiskRule:
    """This rule warns from now on. The one before stays written down with its end.

    Raises
    ------
    Invalid
        If no rule of this kind can warn, or a number lies outside its bounds.
    """
    if wanted.kind not in rules.USABLE:
        raise Invalid(field="kind", reason="choose one of %(choices)s", choices=", ".join(rules.USABLE))
    if wrong := wanted.wrong():
        field, least, most = wrong
        raise Invalid(field=field, reason="choose a number from %(least)s to %(most)s", least=least, most=most)
    if wanted.kind == "fixed" and wanted.latest_days is not None:
        raise Invalid(field="latest_days", reason="fixed days are their own last day")
    before = _end(now)
    chosen = RiskRule.objects.create(
        kind=wanted.kind,
        threshold=wanted.threshold,
        horizon_days=wanted.horizon_days,
        minimum_silence_days=wanted.minimum_silence_days,
        least_purchases=wanted.least_purchases,
        latest_days=wanted.latest_days,
        per_line=bool(before["per_line"]) if wanted.per_line is None else wanted.per_line,
        backtest=backtest,
        chosen_by=by.name[:200],
        since=now,
    )
    record(by=by, action="risk_rule.chosen", subject=SUBJECT, before=before, after=as_audited(chosen), now=now)
    return chosen


def use_row(backtest: BackTest, place: int, *, by: By = HOUSE, now: dt.datetime) -> RiskRule:
    """The rule of a row of a back-test warns from now on.

    Raises
    ------
    Invalid
        If there is no such row, or its rule cannot warn.
    """
    if not 0 <= place < len(backtest.rows):
        raise Invalid(field="row", reason="there is no such row")
    row = backtest.rows[place]
    if not row["usable"]:
        raise Invalid(field="row", reason="the rule of this row cannot warn")
    wanted = rules.Wanted(
        row["kind"],
        row["threshold"],
        horizon_days=max(backtest.used_horizon_days or backtest.horizon_days, rules.HORIZON_DAYS[0]),
        minimum_silence_days=backtest.minimum_silence_days,
        least_purchases=backtest.least_purchases,
        latest_days=row.get("latest_days"),  # back-tests from before have none
    )
    return use(wanted, backtest=backtest, by=by, now=now)


@transaction.atomic
def look_at_lines(on: bool, *, by: By = HOUSE, now: dt.datetime) -> RiskRule:
    """The rule in use warns of lines of services too, or of whole customers only.

    Raises
    ------
    NoRule
        If none is in use.
    """
    standing = RiskRule.objects.select_for_update().filter(is_in_use=True).first()
    if standing is None:
        raise NoRule
    if standing.per_line != on:
        before = as_audited(standing)
        standing.per_line = on
        standing.save(update_fields=["per_line"])
        record(by=by, action="risk_rule.chosen", subject=SUBJECT, before=before, after=as_audited(standing), now=now)
    return standing


@transaction.atomic
def switch_line(line_id: int, on: bool, *, by: By = HOUSE, now: dt.datetime) -> ServiceLine:
    """This line of services may warn, or may not. What stands open ends as ever.

    Raises
    ------
    NotFound
        If there is no such line.
    """
    line = ServiceLine.objects.select_for_update().filter(pk=line_id).first() if 0 < line_id < 2**63 else None
    if line is None:
        raise NotFound
    if line.is_on != on:
        line.is_on = on
        line.save(update_fields=["is_on"])
        record(
            by=by, action="service_line.switched", subject=f"service_line:{line.pk}", before={"is_on": not on},
            after={"is_on": on}, now=now,
        )  # fmt: skip
    return line


@transaction.atomic
def use_none(*, by: By = HOUSE, now: dt.datetime) -> None:
    """No rule warns; the day's list goes by the chain's silent days, as it does anyway."""
    before = _end(now)
    if before != NONE:
        record(by=by, action="risk_rule.chosen", subject=SUBJECT, before=before, after=NONE, now=now)


def as_audited(rule: RiskRule | None) -> Values:
    """What an audit line keeps of it."""
    return {name: getattr(rule, name) for name in NONE} if rule else NONE


def _end(now: dt.datetime) -> Values:
    """End the rule in use, and say what it was."""
    standing = RiskRule.objects.select_for_update().filter(is_in_use=True).first()
    if standing is not None:
        standing.is_in_use, standing.until = False, now
        standing.save(update_fields=["is_in_use", "until"])
    return as_audited(standing)
