"""How busy the coming window is, and how much a day in it brings, from the same window a year earlier."""

from dataclasses import dataclass

from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.prediction.days import Days
from changke.engine.prediction.festivals import Calendar
from changke.engine.prediction.models import Blend, Rhythm

YEAR = 364  # whole weeks: the same days of the week
LEAST_BEFORE = 120
SHRINK_DAYS = 365
PLAIN = Calendar()


@dataclass(frozen=True)
class Season:
    """What the same window a year earlier says.

    Attributes
    ----------
    busy
        The factor by which time is stretched: 1 where the past is too short to know, or known by number only.
    money
        How many times as much money a day brought as was said, unshrunk.
    weight
        How far it is believed, 0..1.
    """

    busy: float = 1.0
    money: float = 1.0
    weight: float = 0.0


def season(days: Days, horizon: int, rhythm: Rhythm = Rhythm(), calendar: Calendar = PLAIN) -> Season:
    """Ask of the same window a year earlier how many days and how much money came for what was said then, of holidays
    that stand elsewhere each year what stood in that window."""
    cut = days.end - YEAR
    before = cut - days.first_day
    if before < LEAST_BEFORE or horizon > YEAR or cut + 1 < (days.dated_from or cut):
        return Season()  # nothing is known of it, or days that were laid evenly: they know no season
    window = days.until(cut)
    known = window.summary()
    holidays = calendar.learned_from(days.first_day, cut).pace(cut + 1, horizon)
    expected = float(Blend.fitted(known, rhythm).ask(known, horizon * holidays)[0].sum())
    came, brought = window.outcome(horizon)
    if expected <= 0 or not came.any():
        return Season()
    weight = min(before, 730) / (min(before, 730) + SHRINK_DAYS)
    busy = float(min(max((float(came.sum()) / expected) ** weight, 0.5), 2.0))
    if not days.has_money:
        return Season(busy, 1.0, weight)
    said = float(RobustSpend().fit(known).expected_spend(known) @ came)
    money = float(brought.sum()) / said if said > 0 and brought.sum() > 0 else 1.0
    return Season(busy, min(max(money, 0.5), 2.0), weight)
