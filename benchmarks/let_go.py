"""Who is warned of for a line of services, against those of the invented chain who let one go and still came.

    python -m benchmarks.let_go [--customers 20000] [--seed 42]

Lines are judged once, on what was known a year before the end; then a year is played night by night, a week apart, as
the product warns: alert day within the last 14 days, she came since, nobody was warned of her as a whole. Beside the
product's rule stand its parts and fixed days, played in the same nights. Who let what go, and when, is
kept aside by the generator and read only to count. `benchmarks.planted` plays it on what the database holds.
"""

import argparse
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from changke.engine import synthetic
from changke.engine.churn import JudgedLine, has_fired, judge_line, passed_over_on
from changke.engine.clv import BGNBD
from changke.engine.clv.model import PurchaseModel
from changke.engine.prediction.days import Days
from changke.engine.prediction.models import Blend
from changke.engine.prediction.rhythm import learned
from changke.profiles.risk.services.seen import Seen

NIGHTS, APART, NOTICED_DAYS = 52, 7, 14
REFITTED = 4
"""In nights: the product fits its models every night, which moves an alert by a day or two in a month."""
SETTLED_DAYS = 90
"""Who let a line go later than so long before the end may still be warned of: she is not looked for."""
LOST_DAYS, OUTLOOK_DAYS, LEAST_SILENCE, DEMO_OUTLOOK = 180, 90, 14, 0.26
"""Of the rule of the demo: when she is lost, how far it looks, how long it waits, the chance it warns below."""
KINDS = ("let go", "left altogether", "second line, kept", "main line", "now and then")

Fires = Callable[[JudgedLine, Seen], Any]
"""By the line and everybody with it as seen tonight: the silent day."""
DAYS: Mapping[str, Fires] = {
    "fixed 45 days": lambda line, seen: np.full(len(seen.x), 45.0),
    "fixed 60 days": lambda line, seen: np.full(len(seen.x), 60.0),
    "fixed 90 days": lambda line, seen: np.full(len(seen.x), 90.0),
    "2 cycles": lambda line, seen: np.full(len(seen.x), 2.0 * line.cycle_days),
    "3 cycles": lambda line, seen: np.full(len(seen.x), 3.0 * line.cycle_days),
    "its cycles": lambda line, seen: np.full(len(seen.x), float(line.latest_days)),
    "its cycles or outlook": lambda line, seen: line.fires(seen.models[0], seen.x, seen.t_x),
}
"""Rules by days alone: warned of is whoever came at all since."""
HABIT: Mapping[str, Fires] = {
    "her habit": lambda line, seen: np.zeros(len(seen.x)),
    "fixed 60 days and her habit": DAYS["fixed 60 days"],
    "its cycles and her habit": DAYS["its cycles"],
    "the product": DAYS["its cycles or outlook"],
}
"""Warned of is who came without it though it was overdue by these days and by her own habit."""


@dataclass(frozen=True)
class Held:
    """Columns of equal length: a customer had a service of a line on a day. Positions in the world; days since 1970."""

    customer: Any
    line: Any
    day: Any

    def each(self) -> Iterator[tuple[int, Any, Any]]:
        for line in np.unique(self.line).tolist():
            yield line, self.customer[self.line == line], self.day[self.line == line]


@dataclass
class Played:
    """What a rule raised: customer, line and last day with the line -> night."""

    alerts: dict[tuple[int, int, int], int] = field(default_factory=dict)
    lines: frozenset[int] = frozenset()
    """Those that may warn; the others have too little past or no signal."""


def held_of(world: synthetic.World) -> Held:
    """Services sold or used from a card, as a night reads them; what was given back afterwards is little."""
    receipts, lines, items = world.receipts, world.lines, world.items
    counts = np.isin(receipts.kind, ["sale", "use"]) & (receipts.customer != synthetic.MISSING)
    kept = counts[lines.receipt] & (np.array(items.kind) == "service")[lines.item]
    at = lines.receipt[kept]
    rows = np.c_[receipts.customer[at], items.category[lines.item[kept]], receipts.business_date[at].astype(np.int64)]
    return Held(*np.unique(rows, axis=0).T)


def bought_of(world: synthetic.World) -> tuple[Any, Any]:
    """Customers and days on which they bought or used anything."""
    receipts = world.receipts
    kept = np.isin(receipts.kind, ["sale", "use"]) & (receipts.customer != synthetic.MISSING)
    rows = np.unique(np.c_[receipts.customer[kept], receipts.business_date[kept].astype(np.int64)], axis=0)
    return rows[:, 0], rows[:, 1]


def nights_until(today: dt.date, number: int = NIGHTS) -> list[dt.date]:
    return [today - dt.timedelta(days=APART * back) for back in reversed(range(number))]


def judged_before(held: Held, day: dt.date) -> dict[int, JudgedLine]:
    """Each line by what was known on that day."""
    found = {}
    for line, who, days in held.each():
        known = days <= number(day)
        if known.any():
            found[line] = judge_line(_columns(who[known], days[known]), observation_end=day)
    return found


def play(
    held: Held,
    bought: tuple[Any, Any],
    lines: Mapping[int, JudgedLine],
    nights: list[dt.date],
) -> dict[str, Played]:
    """Every rule in the same nights."""
    threads = {line: _Thread(who, days) for line, who, days in held.each() if line in lines and not lines[line].refused}
    everybody = _Thread(*bought, whole=True)
    done = {name: Played(lines=frozenset(threads)) for name in (*DAYS, *HABIT)}
    size = 1 + int(max(held.customer.max(initial=0), bought[0].max(initial=0)))
    for night in nights:
        last, whole = _everybody(everybody.on(night), everybody.blend, night, size)
        visits = everybody.days.known_at(number(night))
        for line, thread in threads.items():
            judged, seen = lines[line], thread.on(night)
            since = number(night) - seen.silent.astype(int)
            customers = np.asarray(seen.customer_id)
            may = (seen.x >= 1) & (last[customers] > since) & ~whole[customers]
            with_it = thread.days.known_at(number(night))
            days = {name: fires(judged, seen) for name, fires in DAYS.items()}
            days |= {name: passed_over_on(with_it, visits, fires(judged, seen)) for name, fires in HABIT.items()}
            for name, fires_on_day in days.items():
                late = seen.silent - fires_on_day
                new = may & (late >= 0) & (late < NOTICED_DAYS)
                for place in np.flatnonzero(new).tolist():
                    key = (int(customers[place]), line, int(since[place]))
                    done[name].alerts.setdefault(key, number(night))
    return done


class _Thread:
    """Seen of any night without reading anew; the model is fitted anew every fourth."""

    def __init__(self, who: Any, days: Any, *, whole: bool = False) -> None:
        self.days = Days.from_days(who, days, np.zeros(len(who)), observation_end="9999-12-31")
        self.asked, self.whole = 0, whole
        self.models: tuple[PurchaseModel, ...] = (BGNBD(),)
        self.blend = Blend(self.models)

    def on(self, night: dt.date) -> Seen:
        known = self.days.until(number(night)).summary()
        if self.asked % REFITTED == 0:
            self.models = (BGNBD().fit(known),)
            if self.whole:
                self.blend = Blend.fitted(known, learned(self.days.known_at(number(night)), OUTLOOK_DAYS))
        self.asked += 1
        silent = known.T - known.t_x
        return Seen(known.customer_id, known.x, silent, None, self.models, known.t_x, number(night), self.days)


def _everybody(seen: Seen, blend: Blend, night: dt.date, size: int) -> tuple[Any, Any]:
    """Per customer her last purchase day, and whether she is warned of as a whole by the rule of the demo."""
    customers = np.asarray(seen.customer_id)
    last = np.full(size, -1)
    last[customers] = number(night) - seen.silent.astype(int)
    fell = has_fired(blend, "outlook", DEMO_OUTLOOK, seen.x, seen.t_x, seen.silent, horizon_days=OUTLOOK_DAYS)
    whole = np.zeros(size, bool)
    whole[customers] = fell & (seen.silent >= LEAST_SILENCE) & (seen.silent < LOST_DAYS)
    return last, whole


@dataclass(frozen=True)
class Counted:
    """How a rule did against the truth."""

    kinds: tuple[int, ...]  # alerts, in the order of KINDS
    found: int
    to_find: int
    days_after: float  # median of those found: from the last day with the line to the warning

    @property
    def alerts(self) -> int:
        return sum(self.kinds)

    @property
    def precision(self) -> float:
        return self.kinds[0] / self.alerts if self.alerts else float("nan")

    @property
    def recall(self) -> float:
        return self.found / self.to_find if self.to_find else float("nan")


def count(played: Played, held: Held, world: synthetic.World, nights: list[dt.date]) -> Counted:
    """Against the truth. Looked for is who let go, in the nights played, a line that may warn and that she had on two
    days and more.
    """
    truth, category = world.truth, world.items.category
    second = np.where(truth.second_need == synthetic.MISSING, -1, category[np.maximum(truth.second_need, 0)])
    main = category[np.maximum(truth.need, 0)]
    thread_last, thread_size = _threads(held)
    let_go = np.where(np.isnat(truth.let_go_on), -1, truth.let_go_on.astype(np.int64))
    seen_last = np.where(np.isnat(truth.last_seen_on), -1, truth.last_seen_on.astype(np.int64))
    kinds = np.zeros(len(KINDS), int)
    found: dict[int, int] = {}
    for (customer, line, since), night in played.alerts.items():
        if let_go[customer] >= 0 and line == second[customer] and since == thread_last[customer, line]:
            kind = 0
            found[customer] = night - since
        elif not truth.is_active[customer] and seen_last[customer] <= night:
            kind = 1
        else:
            kind = 2 if line == second[customer] else 3 if line == main[customer] else 4
        kinds[kind] += 1
    begins, ends = number(nights[0]), number(nights[-1]) - SETTLED_DAYS
    looked_for = {
        customer
        for customer in np.flatnonzero((let_go >= begins) & (let_go <= ends)).tolist()
        if second[customer] in played.lines and thread_size.get((customer, int(second[customer])), 0) > 1
    }
    hits = [days for customer, days in found.items() if customer in looked_for]
    return Counted(tuple(kinds.tolist()), len(hits), len(looked_for), float(np.median(hits)) if hits else float("nan"))


def _threads(held: Held) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    last: dict[tuple[int, int], int] = {}
    size: dict[tuple[int, int], int] = {}
    for customer, line, day in zip(held.customer.tolist(), held.line.tolist(), held.day.tolist(), strict=True):
        last[customer, line] = max(day, last.get((customer, line), day))
        size[customer, line] = size.get((customer, line), 0) + 1
    return last, size


def table(rows: Mapping[str, Counted]) -> str:
    """One row per rule."""
    lines = [
        "| rule | warnings | " + " | ".join(KINDS) + " | precision | found | days after |",
        "| --- |" + " --- |" * (len(KINDS) + 4),
    ]
    for name, one in rows.items():
        kinds = " | ".join(f"{number:,}" for number in one.kinds)
        lines.append(
            f"| {name} | {one.alerts:,} | {kinds} | {one.precision:.1%} | {one.found} of {one.to_find},"
            f" {one.recall:.0%} | {one.days_after:.0f} |"
        )
    return "\n".join(lines)


def _columns(who: Any, days: Any) -> dict[str, Any]:
    return {"customer_id": who, "date": days.astype("datetime64[D]")}


def number(day: dt.date) -> int:
    return day.toordinal() - dt.date(1970, 1, 1).toordinal()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    now = dt.datetime(2026, 11, 21, 4, tzinfo=dt.UTC)
    world = synthetic.invent(options.seed, today=now.date(), customers=options.customers, until=now)
    held, nights = held_of(world), nights_until(world.today)
    lines = judged_before(held, nights[0])
    for line, one in lines.items():
        print(
            f"{world.categories.name[line]}: cycle {one.cycle_days}, threads {one.threads}, threshold {one.threshold},"
            f" at the latest after {one.latest_days}, lapse {one.lapse_days} {one.refused}"
        )
    played = play(held, bought_of(world), lines, nights)
    print(table({name: count(one, held, world, nights) for name, one in played.items()}))


if __name__ == "__main__":
    main()
