"""The mean of three models: what is known without looking at outcomes."""

from dataclasses import dataclass

import numpy as np

from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.mbg_nbd import MBGNBD
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.pareto_nbd import ParetoNBD
from changke.engine.clv.statistics import Floats, Statistics, columns_from, distinct
from changke.engine.clv.summary import Summary


@dataclass(frozen=True)
class Blend:
    """BG/NBD, MBG/NBD and Pareto/NBD, fitted on the same customers."""

    models: tuple[PurchaseModel, ...]

    @classmethod
    def fitted(cls, known: Summary) -> "Blend":
        rows = Statistics.of(*columns_from(known))
        return cls(tuple(model().fit(rows) for model in (BGNBD, MBGNBD, ParetoNBD)))

    def ask(self, known: Summary, horizon: float) -> tuple[Floats, Floats]:
        """Expected purchase days and P(active) of each customer."""
        rows, place = distinct(*columns_from(known))
        expected = np.mean([model.expected_purchases(horizon, *rows) for model in self.models], axis=0)
        active = np.mean([model.p_active(horizon, *rows) for model in self.models], axis=0)
        return expected[place], active[place]
