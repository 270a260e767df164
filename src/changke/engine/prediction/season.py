"""How busy the coming window is, from the same window a year earlier."""

from changke.engine.prediction.days import Days
from changke.engine.prediction.models import Blend

YEAR = 364  # whole weeks: the same days of the week
LEAST_BEFORE = 120
SHRINK_DAYS = 365


def season(days: Days, horizon: int, k: int = 1) -> float:
    """The factor by which time is stretched: 1 where the past is too short to know."""
    cut = days.end - YEAR
    before = cut - days.first_day
    if before < LEAST_BEFORE or horizon > YEAR:
        return 1.0
    window = days.until(cut)
    known = window.summary()
    expected = float(Blend.fitted(known, k).ask(known, horizon)[0].sum())
    came = float(window.outcome(horizon)[0].sum())
    if expected <= 0 or came <= 0:
        return 1.0
    weight = min(before, 730) / (min(before, 730) + SHRINK_DAYS)
    return float(min(max((came / expected) ** weight, 0.5), 2.0))
