"""Does silence say anything in this shop?"""

from dataclasses import dataclass

import numpy as np

from changke.engine.prediction.days import Days
from changke.engine.prediction.past import area

LEAST_AREA = 0.55


@dataclass(frozen=True)
class Signal:
    """How well the number of silent days ranks who stays away, on a past day.

    Attributes
    ----------
    auc
        How often a customer who then stayed away had been silent for longer than one who came; 0.5 is a coin.
    error
        Its standard error without signal.
    """

    auc: float
    error: float
    customers: int
    stayed_away: int

    def __bool__(self) -> bool:
        return self.auc >= LEAST_AREA and self.auc - 2 * self.error > 0.5

    def __str__(self) -> str:
        if not self.stayed_away or self.stayed_away == self.customers:
            return "too little is known to say whether silence means anything"
        said = "tells who stays away" if self else "says nothing about who stays away: no alert is worth raising"
        return f"silence {said} (AUC {self.auc:.3f}, standard error {self.error:.3f}, {self.customers} customers)"


def signal(days: Days, *, horizon: int) -> Signal:
    """Everybody known one horizon before the end, and bought at least once half a horizon before that."""
    cut = days.end - horizon
    window = days.until(cut)
    if not len(window):
        return Signal(0.5, 0.5, 0, 0)
    known = window.summary()
    old = horizon / 2 <= known.T  # who has just begun cannot have been silent
    silent, away = (known.T - known.t_x)[old], window.outcome(horizon)[0][old] == 0
    ones, zeros = int(away.sum()), int((~away).sum())
    error = float(np.sqrt((1 / ones + 1 / zeros) / 12)) if ones and zeros else 0.5
    return Signal(area(away, silent), error, len(away), ones)
