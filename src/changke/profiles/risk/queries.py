"""The rule in use, and what was asked of the past."""

import datetime as dt

from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.risk.models import BackTest, RiskRule

BACKTESTS_KEPT = 20
"""Shown on the page, the newest first."""


def rule_in_use() -> RiskRule | None:
    """The rule that warns; None where nobody chose one."""
    return RiskRule.objects.filter(is_in_use=True).select_related("backtest").first()


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
