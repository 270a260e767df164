"""Who gets what, and what it brought: docs/algorithms/experiments.md.

assignment.py     a customer's variant by a hash, the same in Python and in SQL
sample_ratio.py   was the split kept
moments.py        an arm as n, sum, sum of squares
lift.py           difference of means with its interval; in per cent
rates.py          difference of yes-or-no rates
sequential.py     intervals that hold however often one looks
cuped.py          what is known from before, taken off
size.py           how many customers are needed, what could be seen
uplift.py         whom it moves: a model of two regressions
qini.py           whether that model knows anything
advice.py         whom to send to

control, sent = Moments.of([0, 0, 12_800, 0]), Moments.of([9_900, 0, 19_900, 0])
lift(control, sent).per_customer.low
"""

from changke.engine.experiments.advice import Advice, advise
from changke.engine.experiments.assignment import Experiment, Variant, WeightsDoNotSum
from changke.engine.experiments.cuped import Adjusted, CovariateMoments, cuped
from changke.engine.experiments.lift import Interval, Lift, NothingVaries, lift
from changke.engine.experiments.moments import ImpossibleMoments, Moments, NotWhole
from changke.engine.experiments.qini import Qini, UpliftCurve, qini, uplift_among_top, uplift_curve
from changke.engine.experiments.rates import RateLift, rate_lift
from changke.engine.experiments.sample_ratio import SampleRatio, sample_ratio
from changke.engine.experiments.sequential import always_valid
from changke.engine.experiments.size import (
    Size,
    customers_needed,
    customers_needed_for_rates,
    smallest_effect,
)
from changke.engine.experiments.uplift import OneArm, UpliftModel
from changke.engine.refusals import NotFinite, Refusal, TooFew

__all__ = [
    "Adjusted",
    "Advice",
    "CovariateMoments",
    "Experiment",
    "ImpossibleMoments",
    "Interval",
    "Lift",
    "Moments",
    "NotFinite",
    "NotWhole",
    "NothingVaries",
    "OneArm",
    "Qini",
    "RateLift",
    "Refusal",
    "SampleRatio",
    "Size",
    "TooFew",
    "UpliftCurve",
    "UpliftModel",
    "Variant",
    "WeightsDoNotSum",
    "advise",
    "always_valid",
    "cuped",
    "customers_needed",
    "customers_needed_for_rates",
    "lift",
    "qini",
    "rate_lift",
    "sample_ratio",
    "smallest_effect",
    "uplift_among_top",
    "uplift_curve",
]
