"""The year of a Chinese beauty shop: full before Spring Festival, empty after it, pulled by 618, 11.11 and December."""

from dataclasses import dataclass

import numpy as np

from .tables import Days, Flags, Integers, Numbers

# fmt: off
NEW_YEAR = {  # the first day of the lunar year
    2015: "02-19", 2016: "02-08", 2017: "01-28", 2018: "02-16", 2019: "02-05", 2020: "01-25", 2021: "02-12",
    2022: "02-01", 2023: "01-22", 2024: "02-10", 2025: "01-29", 2026: "02-17", 2027: "02-06", 2028: "01-26",
    2029: "02-13", 2030: "02-03", 2031: "01-23", 2032: "02-11", 2033: "01-31", 2034: "02-19", 2035: "02-08",
    2036: "01-28", 2037: "02-15", 2038: "02-04", 2039: "01-24", 2040: "02-12",
}
# fmt: on
WEEKDAYS = (0.82, 0.86, 0.92, 0.95, 1.08, 1.22, 1.15)  # Monday first
PERIODS = (  # first and last day of the year as mmdd, how full
    (301, 307, 0.95),
    (308, 309, 1.45),  # the women's day
    (501, 505, 0.80),  # people travel
    (610, 619, 1.35),  # 618
    (711, 820, 1.10),  # 三伏
    (1001, 1007, 0.75),
    (1101, 1112, 1.45),  # 11.11
    (1201, 1231, 1.18),
)
PROMOTIONS = ((308, 309), (615, 619), (1105, 1112), (1220, 1231))
DOG_DAYS = (711, 820)
CLOSED_FROM, CLOSED_UNTIL = -1, 3  # New Year's Eve to the third day: everybody is at home


@dataclass(frozen=True)
class Almanac:
    """Days are counted from 1970 as numpy does; `clock[i]` is how much ordinary time has passed when day `first + i`
    begins.
    """

    first: int
    clock: Numbers
    promotion: Flags
    dog_days: Flags
    closed: Flags

    def at(self, days: Integers) -> Integers:
        """Positions of days in the columns above."""
        return np.clip(days - self.first, 0, len(self.closed) - 1)

    def clock_at(self, days: Integers) -> Numbers:
        return np.asarray(self.clock[self.at(days)], dtype=np.float64)

    def day_of(self, clock: Numbers) -> Integers:
        """The day on which the clock shows this; busy days hold more of it than quiet ones."""
        return np.searchsorted(self.clock, clock, side="right").astype(np.int64) - 1 + self.first

    def next_open(self, days: Integers, opening_days: Flags) -> Integers:
        """The day itself or the next on which the store is open; `opening_days` has a row of seven per day asked."""
        result = days.copy()
        rows = np.arange(len(days))
        for _ in range(16):  # a holiday of five days and a free Monday end long before
            shut = self.closed[self.at(result)] | ~opening_days[rows, weekday(result)]
            if not shut.any():
                break
            result[shut] += 1
        return result

    def closed_days(self) -> Days:
        return (np.nonzero(self.closed)[0] + self.first).astype("datetime64[D]")


def weekday(days: Integers) -> Integers:
    """Monday is 0 (1970-01-01 was a Thursday)."""
    return (days + 3) % 7


def almanac(first: int, last: int) -> Almanac:
    days = np.arange(first, last + 1, dtype=np.int64)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    of_year = (months.astype(np.int64) % 12 + 1) * 100 + (dates - months).astype(np.int64) + 1
    full = np.asarray(WEEKDAYS)[weekday(days)]
    for start, end, factor in PERIODS:
        full = np.where((of_year >= start) & (of_year <= end), full * factor, full)
    closed = np.zeros(len(days), dtype=bool)
    for year in range(_year(dates[0]), _year(dates[-1]) + 2):
        new_year = int(np.datetime64(f"{year}-{NEW_YEAR.get(year, '02-06')}", "D").astype(np.int64))
        since = days - new_year
        full = np.where((since >= -24) & (since < -3), full * 1.4, full)
        full = np.where((since >= -3) & (since <= 12), full * 0.4, full)
        full = np.where((since > 12) & (since <= 25), full * 0.85, full)
        closed |= (since >= CLOSED_FROM) & (since <= CLOSED_UNTIL)
    full = np.where(closed, 0.01, full)  # not zero: the clock must never stand still
    clock = np.concatenate(([0.0], np.cumsum(full / full.mean())))
    promotion = np.zeros(len(days), dtype=bool)
    for start, end in PROMOTIONS:
        promotion |= (of_year >= start) & (of_year <= end)
    return Almanac(first, clock, promotion, (of_year >= DOG_DAYS[0]) & (of_year <= DOG_DAYS[1]), closed)


def _year(date: np.datetime64) -> int:
    return int(date.astype("datetime64[Y]").astype(np.int64)) + 1970
