"""What may be asked of a back-test and what may warn, and a back-test's answer as rows. docs/algorithms/risk.md"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from changke.engine.churn import Backtest, Judged

HORIZON_DAYS = (30, 365)
MINIMUM_SILENCE_DAYS = (7, 90)
LEAST_PURCHASES = (1, 5)
PRECISION_PERCENT = (5, 95)
WEEKLY = (1, 10_000)
FIXED_DAYS = (7, 720)
USABLE = ("fixed", "outlook", "fall")
"""Multiples of the own gap are shown beside them, and lose against a fixed number of days."""


ONE_MODEL = "BG/NBD"

EXAMINED_FOR_DAYS = 7
"""A model is learned every night and held against the past once a week."""


def held_by(*, fallback: str | None, at_edge: bool, converged: bool) -> str:
    """Why a model is not the plain optimum, in one word: the engine's own reason, `edge`, `stopped`, or empty."""
    return fallback or ("edge" if at_edge else "" if converged else "stopped")


def models_of(parameters: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Model -> name -> value, of a fit as it was kept; the oldest named no model, there was one."""
    if parameters and not any(isinstance(value, Mapping) for value in parameters.values()):
        return {ONE_MODEL: dict(parameters)}
    return {name: dict(values) for name, values in parameters.items()}


@dataclass(frozen=True)
class Asked:
    """What somebody asks of the past. Without a wish the rules are held against fixed days alone."""

    horizon_days: int = 90
    minimum_silence_days: int = 14
    least_purchases: int = 1
    precision_percent: int | None = None
    weekly: int | None = None

    def wrong(self) -> tuple[str, int, int] | None:
        """The first field outside its bounds, with the bounds."""
        bounds: dict[str, tuple[int | None, tuple[int, int]]] = {
            "horizon_days": (self.horizon_days, HORIZON_DAYS),
            "minimum_silence_days": (self.minimum_silence_days, MINIMUM_SILENCE_DAYS),
            "least_purchases": (self.least_purchases, LEAST_PURCHASES),
            "precision_percent": (self.precision_percent, PRECISION_PERCENT),
            "weekly": (self.weekly, WEEKLY),
        }
        return _outside(bounds)


@dataclass(frozen=True)
class Wanted:
    """A rule that is to warn."""

    kind: str
    threshold: int
    """Days of a fixed rule, else basis points."""
    horizon_days: int = 90
    minimum_silence_days: int = 14
    least_purchases: int = 1
    latest_days: int | None = None
    """Silent days after which an outlook or its fall warns at the latest, whatever it says; None: never by itself."""
    per_line: bool | None = None
    """Warn too of those who still come and have let a line of services go; None: as the rule before did."""

    def wrong(self) -> tuple[str, int, int] | None:
        """The first field outside its bounds, with the bounds. The kind is looked at by whoever asks."""
        bounds: dict[str, tuple[int | None, tuple[int, int]]] = {
            "threshold": (self.threshold, FIXED_DAYS if self.kind == "fixed" else (1, 9_999)),
            "horizon_days": (self.horizon_days, HORIZON_DAYS),
            "minimum_silence_days": (self.minimum_silence_days, MINIMUM_SILENCE_DAYS),
            "least_purchases": (self.least_purchases, LEAST_PURCHASES),
            "latest_days": (self.latest_days, (self.minimum_silence_days + 1, FIXED_DAYS[1])),
        }
        return _outside(bounds)


def _outside(bounds: Mapping[str, tuple[int | None, tuple[int, int]]]) -> tuple[str, int, int] | None:
    for field, (value, (least, most)) in bounds.items():
        if value is not None and not least <= value <= most:
            return field, least, most
    return None


def rows_of(said: Backtest) -> list[dict[str, Any]]:
    """The rules of a back-test as they are kept: integers, shares in basis points, None where there was nothing to
    divide by. Two wishes that led to the same threshold are one row each: the page says what each came from.
    A last day beside a threshold of 0 is the fixed rule, which has its own row to be put into use."""
    return [_row(rule) for rule in said.rules]


def _row(rule: Judged) -> dict[str, Any]:
    fixed, days = rule.kind == "fixed", rule.kind in {"fixed", "gaps"}
    return {
        "kind": rule.kind,
        "threshold": round(rule.threshold) if days else round(10_000 * rule.threshold),
        "latest_days": rule.latest_days or None,
        "chosen_by": rule.chosen_by,
        "usable": fixed or (rule.kind in USABLE and rule.threshold > 0),
        "precision_bp": _part(rule.precision, 10_000),
        "recall_bp": _part(rule.recall, 10_000),
        "lead_days": _part(rule.lead_days, 1),
        "false_per_100": _part(rule.false_per_100, 1),
        "weekly_tenths": _part(rule.alerts_per_week, 10),
    }


def _part(value: float, times: int) -> int | None:
    return None if math.isnan(value) else round(value * times)


def has_signal(said: Backtest) -> bool | None:
    """Whether silence tells who stays away; None where too little is known to say."""
    found = said.signal
    if not found.stayed_away or found.stayed_away == found.customers:
        return None
    return bool(found)


def best_of(rows: list[dict[str, Any]]) -> int | None:
    """The row to look at first: of those that fulfil a wish, else of fixed 90 days and those as precise, the longest
    lead; the more precise where leads are equal. None where no personal rule found a threshold."""
    personal = [
        place
        for place, row in enumerate(rows)
        if row["kind"] in {"outlook", "fall"} and row["usable"] and row["lead_days"]
    ]
    wished = [place for place in personal if rows[place]["chosen_by"] in {"precision", "alerts"}]
    like_90 = [place for place in personal if rows[place]["chosen_by"] == "fixed_90"]
    # Where customers differ little, fixed days warn sooner than any personal rule as precise as they are.
    fixed = [place for place, row in enumerate(rows) if (row["kind"], row["threshold"]) == ("fixed", 90)]
    among = wished or (like_90 and like_90 + fixed) or personal
    return max(among, key=lambda place: (rows[place]["lead_days"], rows[place]["precision_bp"] or 0), default=None)


CAUSES = ("complaint", "objection", "oversold", "price", "moved", "needs", "gave_back", "staff_left", "ignored")
"""What may have driven her away, the weightiest first. Each rests on a fact; none of them is proof."""

TOPICS = {
    "投诉": "complaint", "complaint": "complaint",
    "异议": "objection", "顾虑": "objection", "objection": "objection",
    "过度推销": "oversold", "oversold": "oversold",
    "价格": "price", "price": "price",
    "搬家": "moved", "moved": "moved",
    "需求变化": "needs", "needs": "needs",
    "顾问离职": "staff_left", "staff_left": "staff_left",
}  # fmt: skip
"""Topic of a note or complaint -> cause."""

IGNORED_OTHERS = 5
"""How often her home store reached others meanwhile: below, the store writes down too little to say of anybody that
nobody turned to her."""

SUGGESTIONS = {
    "complaint": "apologise_and_mend",
    "objection": "answer_objection",
    "oversold": "call_without_selling",
    "price": "offer_what_she_uses",
    "moved": "ask_for_nearer_store",
    "needs": "ask_what_she_needs",
    "gave_back": "apologise_and_mend",
    "staff_left": "introduce_somebody",
    "ignored": "make_time_for_her",
}


def suggestion(*, cause: str, purchases: int, value_group: str | None, of_line: bool = False) -> str:
    """What to do about a warning: by its cause, else by what she lets go or who she is."""
    if cause in SUGGESTIONS:
        return SUGGESTIONS[cause]
    if of_line:
        return "offer_line_again"
    if purchases <= 1:
        return "invite_second_visit"
    return "call_and_book" if value_group == "high" else "call_and_ask"
