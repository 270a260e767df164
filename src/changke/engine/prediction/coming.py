"""The chance of a fit, asked of any day of a silence: what warnings go by is what her page says."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary
from changke.engine.prediction.fitted import Fitted, as_of


@dataclass(frozen=True)
class Coming:
    """Customers and the fit that says how likely they come.

    Attributes
    ----------
    fitted
        Its season and the holidays are those of the day on which it is asked, whatever day of her silence is asked of.
    x, t_x
        Purchase days after the first, and days from the first to the last.
    each
        The money of one of their days; None where no money is known.
    store
        The home store of each; None where no stores are known.
    """

    fitted: Fitted
    x: Floats
    t_x: Floats
    each: Floats | None
    store: Any = None

    @classmethod
    def of(cls, fitted: Fitted, known: Summary) -> "Coming":
        each = fitted.spend.expected_spend(known) if fitted.spend else None
        return cls(fitted, known.x, known.t_x, each, known.store)

    def some(self, place: npt.NDArray[np.intp]) -> "Coming":
        """Some of the customers."""
        each, store = (None if one is None else one[place] for one in (self.each, self.store))
        return Coming(self.fitted, self.x[place], self.t_x[place], each, store)

    def p_active(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """The chance of at least one purchase day in the next `horizon`, as `Fitted.ask` says it on the day T."""
        asked = as_of(self.fitted, horizon_days=round(horizon))
        said = asked.stores.p_active(asked.models, asked.horizon_days * asked.pace, x, t_x, T, self.store)
        return said if self.each is None else asked.tilt.active(said, self.each)
