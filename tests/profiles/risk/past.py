"""A shop's past as columns: customers who leave and whose gaps differ, or who are all alike."""

from typing import Any

import numpy as np

END = np.datetime64("2026-03-03", "D")


def past(
    customers: int, *, leaving: float = 0.1, alike: bool = False, span: int = 720, seed: int = 4
) -> dict[str, Any]:
    """Customers 1, 2, ... with the days on which they came; the last day lies before the cast's today."""
    chance = np.random.default_rng(seed)
    who, days = [], []
    for one in range(1, customers + 1):
        gap = 30.0 if alike else float(chance.gamma(1.2, 25)) + 3
        day = float(chance.integers(0, 60))
        while day <= span:
            who.append(one)
            days.append(int(day))
            if chance.random() < leaving:
                break
            day += float(chance.exponential(gap)) + 1
    return {"customer_id": np.array(who, int), "date": END - np.timedelta64(span, "D") + np.array(days, int)}
