"""Who stays, who buys again, where they are lost: docs/algorithms/cohorts.md.

days.py        purchase days, from any frame
retention.py   how many of a first month's customers bought in each later month
everywhere.py  the same counts over the facts of PostgreSQL, DuckDB or Spark, as a statement
repurchase.py  who bought again, within how many days
survival.py    Kaplan and Meier, with Greenwood's intervals
funnel.py      how far they come along ordered steps
bottleneck.py  the step at which most is lost

retention(receipts, observation_end="2026-10-31")["active"]
"""

from changke.engine.cohorts.bottleneck import Bottleneck, bottleneck
from changke.engine.cohorts.funnel import Funnel, FunnelStep, NotAFunnel, funnel
from changke.engine.cohorts.repurchase import NotAWindow, Repurchase, Within, repurchase
from changke.engine.cohorts.retention import average_retention, retention
from changke.engine.cohorts.survival import BadDurations, Survival

__all__ = [
    "BadDurations",
    "Bottleneck",
    "Funnel",
    "FunnelStep",
    "NotAFunnel",
    "NotAWindow",
    "Repurchase",
    "Survival",
    "Within",
    "average_retention",
    "bottleneck",
    "funnel",
    "repurchase",
    "retention",
]
