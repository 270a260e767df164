"""Who bought a second time, and how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

from changke.engine.cohorts.days import purchase_days
from changke.engine.cohorts.survival import Survival
from changke.engine.days import Day, as_date
from changke.engine.refusals import Refusal

WINDOWS_DAYS = (30, 60, 90, 180, 365)
SECOND = """
WITH numbered AS (
  SELECT customer, day, row_number() OVER (PARTITION BY customer ORDER BY day) AS place FROM days),
waits AS (
  SELECT min(day) AS first_day, max(day) FILTER (place = 2) AS second_day
  FROM numbered WHERE place <= 2 GROUP BY customer)
SELECT date_diff('day', first_day, $until::DATE) AS followed_days,
       date_diff('day', first_day, second_day) AS waited_days, count(*) AS customers
FROM waits GROUP BY ALL
"""


class NotAWindow(Refusal):
    """A window is a whole number of days, at least one."""

    code = "not_a_window"


@dataclass(frozen=True)
class Within:
    """Of the customers followed for at least `days` since their first purchase, those who bought again within them."""

    days: int
    followed: int
    returned: int


@dataclass(frozen=True)
class Repurchase:
    """Second purchases.

    Attributes
    ----------
    buyers, repeat_buyers
        Customers with at least one, at least two purchase days.
    within
        By window.
    second
        Time in days from the first purchase day to the second; whoever has none is censored at the end of observation.
    """

    buyers: int
    repeat_buyers: int
    within: tuple[Within, ...]
    second: Survival


def repurchase(
    transactions: object,
    *,
    observation_end: Day,
    windows_days: Sequence[int] = WINDOWS_DAYS,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str | None = None,
) -> Repurchase:
    """Repurchase rates and the time to the second purchase; parameters as of `retention`.

    Raises
    ------
    NotAWindow, UnreadableFrame
    """
    if not all(isinstance(days, Integral) and days >= 1 for days in windows_days):
        raise NotAWindow(f"windows of {list(windows_days)} days")
    end = as_date(observation_end)
    with purchase_days(
        transactions, observation_end=end, customer_id=customer_id, date=date, amount=amount
    ) as database:
        rows: list[tuple[int, int | None, int]] = database.execute(SECOND, {"until": end}).fetchall()
    events: dict[int, int] = {}
    censored: dict[int, int] = {}
    for followed, waited, customers in rows:
        if waited is None:
            censored[followed] = censored.get(followed, 0) + customers
        else:
            events[waited] = events.get(waited, 0) + customers
    times = sorted({*events, *censored})
    return Repurchase(
        buyers=sum(customers for _, _, customers in rows),
        repeat_buyers=sum(events.values()),
        within=tuple(_within(rows, days) for days in windows_days),
        second=Survival.of_counts(times, [events.get(t, 0) for t in times], [censored.get(t, 0) for t in times]),
    )


def _within(rows: Sequence[tuple[int, int | None, int]], days: int) -> Within:
    followed = [(waited, customers) for known, waited, customers in rows if known >= days]
    returned = sum(customers for waited, customers in followed if waited is not None and waited <= days)
    return Within(days, sum(customers for _, customers in followed), returned)
