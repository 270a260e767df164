"""The rule in use, and what was asked of the past."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from changke.foundation.organisation.scope import Scope
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.models import Profile
from changke.profiles.risk.models import BackTest, ChurnWarning, RiskFit, RiskRule, ServiceLine
from changke.profiles.risk.rules import EXAMINED_FOR_DAYS

BACKTESTS_KEPT = 20
"""Shown on the page, the newest first."""


def rule_in_use() -> RiskRule | None:
    """The rule that warns; None where nobody chose one."""
    return RiskRule.objects.filter(is_in_use=True).select_related("backtest").first()


def any_open() -> bool:
    """Whether any warning waits for its end."""
    return ChurnWarning.objects.filter(ended_on__isnull=True).exists()


def looks_at_lines() -> bool:
    """Whether somebody is or could be warned of for a line of services."""
    standing = rule_in_use()
    return (
        bool(standing and standing.per_line)
        or ChurnWarning.objects.filter(ended_on__isnull=True, line__isnull=False).exists()
    )


def service_lines() -> list[ServiceLine]:
    """The lines of services that were judged, those of most customers first."""
    return list(ServiceLine.objects.select_related("category", "item").order_by("-threads", "pk"))


def backtests() -> list[BackTest]:
    return list(BackTest.objects.all()[:BACKTESTS_KEPT])


def purchase_days(until: dt.date) -> str:
    """A query, in words of the mirror: the days on which each customer bought or used a card, and kept some of it.

    What stays of a receipt is said by the definition that every attribute reads too."""
    stays = REGISTRY.definitions["receipts"].query.sql("duckdb")
    return (
        "WITH purchases AS (SELECT * FROM live.purchases), uses AS (SELECT * FROM live.uses),"  # noqa: S608 our words
        f" returns AS (SELECT * FROM live.returns), receipts AS ({stays})"
        " SELECT DISTINCT receipts.customer_id, receipts.business_date AS date"
        " FROM receipts JOIN live.customers AS alive ON alive.customer_id = receipts.customer_id "
        f"WHERE stays = 1 AND receipts.business_date <= DATE '{until:%Y-%m-%d}'"
    )


PAGE = 50


@dataclass(frozen=True)
class Asked:
    """Which warnings of a scope. Empty means any."""

    store: int | None = None
    adviser: int | None = None
    stage: str = ""
    cause: str | None = None
    """"" are those of which no cause is known."""
    ended: str = ""
    """"" the open ones, `any` all, else how it ended."""
    line: int | None = None
    """A line of services by its id; 0 are those about the whole customer."""


def risk_fits(line: int | None = None, *, most: int = 20) -> list[RiskFit]:
    """The models that nights warned by, the newest first: of everybody's purchase days, or of the days of a line."""
    rows = RiskFit.objects.filter(line__isnull=True) if line is None else RiskFit.objects.filter(line=line)
    return list(rows.select_related("line__category", "line__item").order_by("-observation_end")[:most])


def card_is_due(today: dt.date) -> bool:
    """Whether a week has passed since the models of everybody were held against the past."""
    before = RiskFit.objects.filter(line__isnull=True, observation_end__lte=today).order_by("-observation_end")
    examined = before.values_list("examined_on", flat=True).first()
    return examined is None or (today - examined).days >= EXAMINED_FOR_DAYS


def lines_with_fits() -> list[ServiceLine]:
    """Lines of services of which a model was learned, those of most customers first."""
    learned = RiskFit.objects.filter(line__isnull=False).values("line")
    return list(ServiceLine.objects.filter(pk__in=learned).select_related("category", "item").order_by("-threads"))


def warnings_of(scope: Scope, asked: Asked) -> "QuerySet[ChurnWarning]":
    """The warnings of customers that the scope sees, unordered."""
    rows = ChurnWarning.objects.select_related("rule", "line__category", "line__item")
    if asked.line is not None:
        rows = rows.filter(line=asked.line) if asked.line else rows.filter(line__isnull=True)
    if asked.ended == "":
        rows = rows.filter(ended_on__isnull=True)
    elif asked.ended != "any":
        rows = rows.filter(ended=asked.ended)
    if asked.cause is not None:
        rows = rows.filter(cause=asked.cause)
    given: dict[str, int | str | None] = {
        "home_store_id": asked.store, "adviser_id": asked.adviser, "stage": asked.stage or None,
    }  # fmt: skip
    wanted = {name: value for name, value in given.items() if value is not None}
    if scope.whole_chain and not wanted:
        return rows
    return rows.filter(customer_id__in=Profile.objects.for_scope(scope).filter(**wanted).values("customer_id"))


def by_value(rows: "QuerySet[ChurnWarning]", after: tuple[int, int] | None) -> "QuerySet[ChurnWarning]":
    """The dearest first, from behind this value and id on."""
    if after is not None:
        value, pk = after
        rows = rows.filter(
            Q(value_at_risk_minor__lt=value) | Q(value_at_risk_minor=value, pk__gt=pk), value_at_risk_minor__lte=value
        )
    return rows.order_by("-value_at_risk_minor", "pk")


@dataclass(frozen=True)
class Tally:
    """Warnings and the money at risk, by cause."""

    cause: str
    warnings: int
    value_minor: int


def tallies(rows: "QuerySet[ChurnWarning]") -> list[Tally]:
    """By cause, the most money first."""
    counted = rows.order_by().values("cause").annotate(n=Count("pk"), money=Sum("value_at_risk_minor"))
    found = [Tally(row["cause"], row["n"], row["money"] or 0) for row in counted]
    return sorted(found, key=lambda one: (-one.value_minor, one.cause))


def ends(scope: Scope, *, since: dt.date) -> dict[str, int]:
    """How the warnings that began on or after a day have ended; "" are those still open."""
    rows = warnings_of(scope, Asked(ended="any")).filter(opened_on__gte=since)
    return {row["ended"]: row["n"] for row in rows.order_by().values("ended").annotate(n=Count("pk"))}


def history_of(customer_ids: Sequence[int]) -> list[ChurnWarning]:
    """The warnings of one person, the latest first."""
    return list(
        ChurnWarning.objects.filter(customer_id__in=customer_ids)
        .select_related("rule", "line__category", "line__item")
        .order_by("-opened_on", "-pk")[:20]
    )
