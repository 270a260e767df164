"""Who lets one thing go while she still comes: a thread, one customer and one line of services, is judged like a
customer. docs/algorithms/risk.md, Lines of services.
"""

from dataclasses import dataclass, replace

import numpy as np

from changke.engine.churn.backtest import Backtest, backtest
from changke.engine.churn.judge import Judged
from changke.engine.churn.score import Chances, fires_on
from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.statistics import Floats, distinct
from changke.engine.days import Day
from changke.engine.prediction.days import Days

LEAST_THREADS = 100
"""With at least two days each: fewer do not tell one rhythm from another."""
CYCLES = (1.5, 2, 3)
WANTED = 0.6
"""How often two, one and a half or three cycles must have been right to be the last day of a line."""
LEAST_SILENCE, LEAST_HORIZON, LEAST_LAPSE = 7, 30, 90


@dataclass(frozen=True)
class JudgedLine:
    """What the past of a line says, and the rule that follows.

    Attributes
    ----------
    cycle_days
        Lower median of the gaps of all threads; 0 where nobody came twice.
    threads
        Those with at least two days.
    minimum_silence, horizon_days, lapse_days
        As they were used, in days.
    threshold
        The outlook below which it warns; 0: never before `latest_days`.
    latest_days
        The silent day on which it warns at the latest.
    refused
        Why it warns of nobody: "few" threads or too short a past, "no_signal" in their silence; empty where it may.
    test
        The rules side by side; None where there were too few threads to ask.
    """

    cycle_days: int
    threads: int
    minimum_silence: int = LEAST_SILENCE
    horizon_days: int = LEAST_HORIZON
    lapse_days: int = LEAST_LAPSE
    threshold: float = 0.0
    latest_days: int = 0
    refused: str = "few"
    test: Backtest | None = None

    def fires(self, model: Chances, x: Floats, t_x: Floats) -> Floats:
        """The silent day on which each thread is warned of. `x` repeat days, `t_x` days from the first to the last."""
        latest = np.full(len(x), float(self.latest_days))
        if not self.threshold:
            return latest
        (few_x, few_t, _), place = distinct(x, t_x, t_x)
        days = fires_on(
            model, "outlook", self.threshold, few_x, few_t, horizon_days=self.horizon_days,
            least=self.minimum_silence, most=max(self.latest_days, self.minimum_silence + 1),
        )  # fmt: skip
        return np.asarray(np.minimum(days[place], latest), float)


def judge_line(transactions: object, *, observation_end: Day | None = None) -> JudgedLine:
    """Find the rule of a line from its own past.

    Parameters
    ----------
    transactions
        customer_id and date of each day on which a customer had the line, as for `clv.summary`.
    observation_end
        The last day that is known; the last of the data unless given.
    """
    days = Days.of(transactions, observation_end="9999-12-31" if observation_end is None else observation_end)
    gaps = np.diff(days.day)[days.who[1:] == days.who[:-1]]
    threads = len(np.unique(days.who[1:][days.who[1:] == days.who[:-1]]))
    if not len(gaps):
        return JudgedLine(0, 0)
    cycle = int(np.sort(gaps)[(len(gaps) - 1) // 2])
    silence, horizon = max(LEAST_SILENCE, cycle), max(LEAST_HORIZON, 2 * cycle)
    lapse = max(LEAST_LAPSE, 4 * cycle)
    fixed = sorted({max(round(times * cycle), silence + 1) for times in CYCLES})
    plain = JudgedLine(cycle, threads, silence, horizon, lapse, latest_days=fixed[-1])
    if threads < LEAST_THREADS:
        return plain
    test = backtest(
        transactions, horizon_days=horizon, observation_end=observation_end, minimum_silence=silence, least_purchases=2,
        fixed=fixed, lapse_days=lapse, early_days=lapse // 3, models=BGNBD.name,
    )  # fmt: skip
    fixed = [days for days in fixed if days <= test.lapse_days]  # a short past shortens the lapse, too
    if not test.rules or not fixed:
        return replace(plain, test=test)
    latest = last_day(test, fixed)
    chosen = the_rule(test, latest)
    return JudgedLine(
        cycle, threads, silence, test.horizon_days, test.lapse_days, latest_days=latest, test=test,
        threshold=chosen.threshold if chosen else 0.0,
        refused="" if test.signal else "no_signal",
    )  # fmt: skip


def last_day(test: Backtest, fixed: list[int]) -> int:
    """The fewest cycles that were right often enough after the cut; the most, where none were."""
    right = {round(row.threshold): row.precision for row in test.rules if row.kind == "fixed"}
    return next((days for days in fixed if right.get(days, 0.0) >= WANTED), fixed[-1])


def the_rule(test: Backtest, latest: int) -> Judged | None:
    """The row that warns: the outlook, at the latest on this day."""
    return next((row for row in test.rules if row.kind == "outlook" and row.latest_days == latest), None)
