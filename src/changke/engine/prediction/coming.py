"""The chance of a fit, asked of any day of a silence: what warnings go by is what her page says."""

from dataclasses import dataclass

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
    """

    fitted: Fitted
    x: Floats
    t_x: Floats
    each: Floats | None

    @classmethod
    def of(cls, fitted: Fitted, known: Summary) -> "Coming":
        return cls(fitted, known.x, known.t_x, fitted.spend.expected_spend(known) if fitted.spend else None)

    def some(self, place: npt.NDArray[np.intp]) -> "Coming":
        """Some of the customers."""
        each = None if self.each is None else self.each[place]
        return Coming(self.fitted, self.x[place], self.t_x[place], each)

    def p_active(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """The chance of at least one purchase day in the next `horizon`, as `Fitted.ask` says it on the day T."""
        asked = as_of(self.fitted, horizon_days=round(horizon))
        said = asked.models.p_active(asked.horizon_days * asked.pace, x, t_x, T)
        return said if self.each is None else asked.tilt.active(said, self.each)
