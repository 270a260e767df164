"""Customer lifetime value: buy-till-you-die models and what a purchase brings. docs/algorithms/clv.md."""

from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.fitting import Fit
from changke.engine.clv.gamma_gamma import GammaGamma
from changke.engine.clv.mbg_nbd import MBGNBD
from changke.engine.clv.pareto_nbd import ParetoNBD
from changke.engine.clv.path import alive_path
from changke.engine.clv.pooling import Pooled, fit_pooled
from changke.engine.clv.regular import BGCNBD, MBGCNBD
from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.clv.split import Split, calibration_holdout
from changke.engine.clv.statistics import Statistics
from changke.engine.clv.summary import MixedCurrencies, Summary, summary
from changke.engine.clv.value import discounted_value, value_between

__all__ = [
    "BGCNBD",
    "BGNBD",
    "MBGCNBD",
    "MBGNBD",
    "Fit",
    "GammaGamma",
    "MixedCurrencies",
    "ParetoNBD",
    "Pooled",
    "RobustSpend",
    "Split",
    "Statistics",
    "Summary",
    "alive_path",
    "calibration_holdout",
    "discounted_value",
    "fit_pooled",
    "summary",
    "value_between",
]
