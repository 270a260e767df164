"""The share of the money that stays, of the chain and of each customer. Pure. docs/algorithms/value.md, Margin."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from changke.engine.clv.statistics import Floats

LEAST_KNOWN = 0.8
"""Of so much of the revenue a profit has to be known before its share is taken for the chain's."""
WEIGHT_DAYS = 5
"""So many purchase days of the chain's mean revenue are weighed against what is known of her own profit."""

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Margins:
    """What receipts say of the share that stays.

    Attributes
    ----------
    share
        Profit over the revenue of which it is known; None where nothing is.
    known
        That revenue over all, 0..1.
    weight_minor
        Revenue that the chain's share counts as beside her own.
    """

    share: float | None = None
    known: float = 0.0
    weight_minor: float = 0.0

    @classmethod
    def of(cls, bought: Columns) -> "Self":
        """Of everybody's purchase days, as `days_bought` has them."""
        rendered, profit, profit_of = (
            float(np.ma.getdata(np.asarray(bought[name])).sum()) for name in ("rendered", "profit", "profit_of")
        )
        if profit_of <= 0 or rendered <= 0:
            return cls()
        days = int(np.ma.getdata(np.asarray(bought["came"])).sum())
        share = min(max(profit / profit_of, 0.0), 1.0)
        return cls(share, min(profit_of / rendered, 1.0), WEIGHT_DAYS * rendered / max(days, 1))

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Self":
        """Nothing is known where nothing was kept: fits of before."""
        return cls(**kept) if kept else cls()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def of_chain(self, percent: int | None) -> float | None:
        """What the chain says; else what receipts say where they say it of nearly all; None: unknown, never guessed."""
        if percent is not None:
            return percent / 100
        return self.share if self.known >= LEAST_KNOWN else None

    def of_each(self, profit: Floats, profit_of: Floats, *, percent: int | None) -> Floats | None:
        """The share of each, hers as far as it is known, the chain's for the rest."""
        chain = self.of_chain(percent)
        if chain is None:
            return None
        if self.share is None:
            return np.full(len(profit), chain)
        of = np.maximum(profit_of, 0.0)
        return np.asarray(np.clip((profit + self.weight_minor * chain) / (of + self.weight_minor), 0.0, 1.0), float)
