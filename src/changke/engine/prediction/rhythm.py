"""Whether customers come by the clock, and how strictly: docs/algorithms/clv.md."""

import numpy as np

from changke.engine.clv.regular import MBGCNBD
from changke.engine.clv.statistics import Floats, Statistics, columns_from
from changke.engine.prediction.days import Days, Window
from changke.engine.prediction.models import Blend, Rhythm
from changke.engine.prediction.past import LEAST_CUSTOMERS, MOST_CUSTOMERS, newest
from changke.engine.special import gammaln

MOST_TICKS = 8
LOOSE = 1.5
"""Below it by Wheat and Morrison nothing further is tried: most shops stop here."""
LEAST_PAIRS = 200
LOOSENESS = (0.0, 0.3, 0.5)
"""Of what is said, the share of the models that know no rhythm."""
SURE = 1e-4
"""No chance is held for surer than this when it is judged."""


def learned(days: Days, horizon: int) -> Rhythm:
    """The k of Erlang-k gaps: 1 unless regularity, likelihood and the newest past window all say more; and how loosely
    it is kept."""
    dated = days.dated()
    if len(dated.customers) < LEAST_CUSTOMERS or regularity(dated) < LOOSE:
        return Rhythm()
    found = newest(days, horizon)
    if found is None:
        return Rhythm()
    k = likeliest(dated)
    return Rhythm() if k == 1 else _best(*found, k)


def regularity(days: Days) -> float:
    """k by Wheat and Morrison (1990): how alike two gaps of one customer are. 1 where they are two waits by chance.

    Of each customer with three purchase days the share of her last gap in her last two; it is Beta(k, k).
    """
    last = np.flatnonzero(np.append(days.who[1:] != days.who[:-1], True)) if len(days.who) else np.zeros(0, int)
    last = last[last >= 2]
    last = last[days.who[last - 2] == days.who[last]]
    if len(last) < LEAST_PAIRS:
        return 1.0
    late, early = days.day[last] - days.day[last - 1], days.day[last - 1] - days.day[last - 2]
    scatter = float(np.mean((late / (late + early) - 0.5) ** 2))
    return (1 - 4 * scatter) / (8 * scatter) if scatter > 0 else float(MOST_TICKS)


def likeliest(days: Days) -> int:
    """Of k = 1, 2, 3 ... the first that the next does not beat by likelihood."""
    step = -(-len(days.customers) // MOST_CUSTOMERS)
    window = days.until(days.end)
    rows = Statistics.of(*columns_from(window.summary().some(slice(None, None, step))))
    log_gaps = _log_gaps(window, step)
    best, k = -np.inf, 1
    for k in range(1, MOST_TICKS + 2):
        model = MBGCNBD(k=k).fit(rows)
        assert model.fit_ is not None
        purchases = float(rows.n @ rows.x)
        value = model.fit_.log_likelihood + (k - 1) * log_gaps - purchases * float(gammaln(k))
        if not value > best or k > MOST_TICKS:
            break
        best = value
    return max(k - 1, 1)


def _log_gaps(window: Window, step: int) -> float:
    """The sum of the logarithms of the gaps of every step-th customer."""
    gaps = np.diff(window.day, prepend=window.day[:1]).astype(float)
    place = np.repeat(np.arange(len(window)), window.counts)
    gaps[window.first] = 1.0
    return float(np.log(gaps[place % step == 0]).sum())


def _best(window: Window, length: int, k: int) -> Rhythm:
    """Of the ways to keep that rhythm which met the newest past window better than none, by both squared error of the
    days and of the chance, the one whose chances were likeliest: nothing costs so much as to be sure and wrong."""
    some = slice(None, None, -(-len(window) // MOST_CUSTOMERS))
    known, came = window.summary().some(some), window.outcome(length)[0][some]
    plain, regular = (Blend.fitted(known, Rhythm(one)).ask(known, length) for one in (1, k))
    least, best, chance = _errors(*plain, came), Rhythm(), np.inf
    for loose in LOOSENESS:
        expected, active = (loose * one + (1 - loose) * other for one, other in zip(plain, regular, strict=True))
        errors = _errors(expected, active, came)
        if errors[0] < least[0] and errors[1] < least[1] and errors[2] < chance:
            best, chance = Rhythm(k, loose), errors[2]
    return best


def _errors(expected: Floats, active: Floats, came: Floats) -> tuple[float, float, float]:
    """Mean squared error of the days and of the chance, and the mean surprise at who came."""
    there, sure = came > 0, np.clip(active, SURE, 1 - SURE)
    surprise = -np.log(np.where(there, sure, 1 - sure))
    return float(((expected - came) ** 2).mean()), float(((active - there) ** 2).mean()), float(surprise.mean())
