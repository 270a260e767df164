"""What an arm brought, against gbstats 0.8.0 (growthbook), on Hillstrom's sums and on twelve customers.

The reference numbers were printed by gbstats' `TwoSidedTTest`, `SequentialTwoSidedTTest` (tuning parameter 5000),
`compute_theta` and `check_srm` from the same integers: n, sum, sum of squares. Spend in cents, visits as 0 and 1.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.engine.experiments import (
    CovariateMoments,
    ImpossibleMoments,
    Moments,
    NotFinite,
    NothingVaries,
    NotWhole,
    TooFew,
    always_valid,
    cuped,
    lift,
    sample_ratio,
)
from changke.engine.experiments.sample_ratio import CountsDoNotFit

NONE_SPEND, NONE_VISIT = Moments(21_306, 1_390_833, 28_700_503_621), Moments.of_rate(21_306, 2_262)
MENS_SPEND, MENS_VISIT = Moments(21_307, 3_031_169, 67_590_244_973), Moments.of_rate(21_307, 3_894)
WOMENS_SPEND, WOMENS_VISIT = Moments(21_387, 2_303_811, 49_114_465_763), Moments.of_rate(21_387, 3_238)
TWELVE, NINE = Moments(12, 3_400, 1_340_000), Moments(9, 3_300, 1_500_000)

GBSTATS = [
    # control, treated, difference, low, high, p, standard error, always valid: low, high, p
    (NONE_SPEND, MENS_SPEND, 76.98271558945365, 48.513973256840735, 105.45145792206657, 1.1638149688408816e-07,
     14.524656024868674, 30.206563672861193, 123.7588675060461, 8.075374032163995e-06),
    (NONE_VISIT, MENS_VISIT, 0.07658956365153125, 0.06995314760976148, 0.083225979693301, 0.0,
     0.0033858878117283653, 0.06568542916581445, 0.08749369813724804, 2.6809857681866697e-109),
    (NONE_SPEND, WOMENS_SPEND, 42.44122159365966, 16.895678988377867, 67.98676419894146, 0.00112939710236315,
     13.033285852919116, 0.464753519762624, 84.4176896675567, 0.04462165849914293),
    (NONE_VISIT, WOMENS_VISIT, 0.045233106587052985, 0.03889349376208028, 0.05157271941202569, 0.0,
     0.003234462099090751, 0.03481583372348699, 0.05565037945061898, 1.169922295056991e-41),
    (TWELVE, NINE, 83.33333333333337, -91.60075671262601, 258.2674233792927, 0.32910013720611153,
     82.95368063752886, -1050.3126718605731, 1216.97933852724, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("control", "treated", "estimate", "low", "high", "p", "error"), [row[:7] for row in GBSTATS])
def test_the_lift_is_that_of_gbstats(
    control: Moments, treated: Moments, estimate: float, low: float, high: float, p: float, error: float
) -> None:
    one = lift(control, treated).per_customer
    assert (one.estimate, one.low, one.high) == pytest.approx((estimate, low, high), rel=1e-4)
    assert one.standard_error == pytest.approx(error, rel=3e-5)  # gbstats divides a rate's variance by n, we by n - 1
    assert one.p_value == pytest.approx(p, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize(
    ("control", "treated", "estimate", "low", "high", "p"),
    [(row[0], row[1], row[2], row[7], row[8], row[9]) for row in GBSTATS if row[0].total != row[0].squares],
)
def test_the_always_valid_interval_is_that_of_gbstats(
    control: Moments, treated: Moments, estimate: float, low: float, high: float, p: float
) -> None:
    one = always_valid(control, treated, least_per_arm=2)
    assert (one.estimate, one.low, one.high) == pytest.approx((estimate, low, high), rel=1e-9)
    assert one.p_value == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize(
    ("control", "treated", "estimate", "low", "high"),
    [
        (NONE_SPEND, MENS_SPEND, 1.1792887703620059, 0.5442847607294198, 1.814292779994592),
        (NONE_SPEND, WOMENS_SPEND, 0.650151863864686, 0.14911246085163854, 1.1511912668777335),
        (TWELVE, NINE, 0.2941176470588237, -0.40435264813508887, 0.9925879422527363),
    ],
)
def test_the_lift_in_per_cent_is_that_of_gbstats(
    control: Moments, treated: Moments, estimate: float, low: float, high: float
) -> None:
    relative = lift(control, treated).relative
    assert relative is not None
    assert (relative.estimate, relative.low, relative.high) == pytest.approx((estimate, low, high), rel=1e-9)


HISTORY = {  # outcome, before (last year's spend in cents), products
    "none": CovariateMoments(NONE_SPEND, Moments(21_306, 513_224_581, 25_971_724_145_563), 42_679_338_399),
    "mens": CovariateMoments(MENS_SPEND, Moments(21_307, 517_410_518, 27_006_876_192_752), 98_575_262_586),
    "womens": CovariateMoments(WOMENS_SPEND, Moments(21_387, 518_713_098, 26_523_269_785_210), 75_130_961_923),
}


@pytest.mark.parametrize(
    ("arm", "theta", "estimate", "low", "high", "error"),
    [
        ("mens", 0.0012228965198244435, 76.74384994278022, 48.28128537957845, 105.20641450598198, 14.521504219411456),
        ("womens", 0.0010346512935862043, 42.270092315649784, 16.72937916400858, 67.81080546729099, 13.030821906506286),
    ],
)
def test_the_adjusted_lift_is_that_of_gbstats(
    arm: str, theta: float, estimate: float, low: float, high: float, error: float
) -> None:
    adjusted = cuped(HISTORY["none"], HISTORY[arm])
    one = lift(adjusted.control, adjusted.treated).per_customer
    assert adjusted.theta == pytest.approx(theta, rel=1e-9)
    assert (one.estimate, one.low, one.high, one.standard_error) == pytest.approx((estimate, low, high, error), 1e-9)
    assert adjusted.error_ratio == pytest.approx(0.9998, abs=1e-4)  # analytics on Hillstrom: 0.02 % better


def test_a_covariate_that_explains_shrinks_the_interval_as_much_as_it_explains() -> None:
    draw = np.random.default_rng(4)
    before = draw.gamma(2.0, 5_000, 8_000).round()
    after = (0.8 * before + draw.normal(0, 4_000, 8_000)).round()
    arms = [CovariateMoments.of(after[half::2], before[half::2]) for half in (0, 1)]
    correlation = np.corrcoef(after, before)[0, 1]
    assert cuped(arms[0], arms[1]).error_ratio == pytest.approx(math.sqrt(1 - correlation**2), rel=0.01)


def test_a_covariate_without_spread_changes_nothing() -> None:
    arms = [CovariateMoments.of(values, [7, 7, 7]) for values in ([1, 2, 3], [2, 3, 9])]
    adjusted = cuped(arms[0], arms[1])
    assert (adjusted.theta, adjusted.error_ratio) == (0.0, 1.0)
    assert lift(adjusted.control, adjusted.treated) == lift(arms[0].outcome, arms[1].outcome)


@pytest.mark.parametrize(
    ("counts", "weights", "p"),
    [
        ([5_000, 5_000], [5_000, 5_000], 1.0),
        ([5_000, 5_300], [5_000, 5_000], 0.003116693839866867),
        ([480, 520, 1_100], [2_500, 2_500, 5_000], 0.0431593092614526),
        ([900, 100], [9_000, 1_000], 1.0),
        ([0, 0], [5_000, 5_000], 1.0),  # nobody yet
        ([500], [10_000], 1.0),
        ([500, 3], [10_000, 0], 0.0),  # three in an arm that gets nobody
    ],
)
def test_the_split_is_checked_as_gbstats_checks_it(counts: list[int], weights: list[int], p: float) -> None:
    checked = sample_ratio(counts, weights)
    assert checked.p_value == pytest.approx(p, rel=1e-9)
    assert checked.is_suspect == (p < 0.001)


def test_a_bent_split_is_suspect() -> None:
    assert sample_ratio([5_000, 5_400], [5_000, 5_000]).is_suspect


@pytest.mark.parametrize(("counts", "weights"), [([], []), ([1], [5_000, 5_000]), ([1, -1], [1, 1]), ([1, 1], [0, 0])])
def test_counts_belong_to_weights(counts: list[int], weights: list[int]) -> None:
    with pytest.raises(CountsDoNotFit):
        sample_ratio(counts, weights)


@given(values=st.lists(st.integers(-(10**12), 10**12), max_size=50), cut=st.integers(0, 50))
def test_stores_add_up_to_regions_in_any_order(values: list[int], cut: int) -> None:
    whole = Moments.of(values)
    assert Moments.of(values[:cut]) + Moments.of(values[cut:]) == whole == Moments.of(sorted(values))
    if len(values) > 1:
        assert whole.variance == pytest.approx(np.var([float(value) for value in values], ddof=1), rel=1e-9, abs=1e-3)


def test_a_large_mean_does_not_swallow_a_small_variance() -> None:
    assert Moments.of([10**15 + 1, 10**15 + 2, 10**15 + 3]).variance == 1.0


def test_there_are_no_per_cent_of_nothing() -> None:
    assert lift(Moments.of([0, 0, 0, 0]), Moments.of([0, 5, 0, 9])).relative is None
    assert lift(Moments.of([-50, 40, 12]), Moments.of([10, 20, 30])).relative is None


def test_what_it_brought_in_total() -> None:
    found = lift(NONE_SPEND, MENS_SPEND)
    assert found.in_total[1] == pytest.approx(found.per_customer.estimate * 21_307)


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ([1.0, float("nan")], NotFinite),
        ([1.0, float("inf")], NotFinite),
        (np.array([1.0, -np.inf]), NotFinite),
        ([1.5], NotWhole),
        ([None], NotWhole),
        (["many"], NotWhole),
    ],
)
def test_amounts_are_whole_and_finite(values: list[float], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        Moments.of(values)


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (0, 1, 1), (2, 10, 49), (1, 0, -1)])
def test_impossible_sums_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ImpossibleMoments):
        Moments(*numbers)


def test_sums_are_integers() -> None:
    with pytest.raises(NotWhole):
        Moments(3, 1.5, 2)  # type: ignore[arg-type]


def test_covariates_that_no_data_has_are_refused() -> None:
    with pytest.raises(ImpossibleMoments):
        CovariateMoments(Moments.of([1, 2, 3]), Moments.of([1, 2, 3]), 99)
    with pytest.raises(ImpossibleMoments):
        CovariateMoments.of([1, 2], [1])


@pytest.mark.parametrize("few", [Moments(0, 0, 0), Moments.of([4])])  # an empty arm, one customer
def test_an_arm_of_one_says_nothing(few: Moments) -> None:
    for compare in (lift, always_valid):
        with pytest.raises(TooFew):
            compare(few, MENS_SPEND)
        with pytest.raises(TooFew):
            compare(MENS_SPEND, few)


def test_where_nothing_varies_nothing_is_sure() -> None:
    with pytest.raises(NothingVaries):
        lift(Moments.of([0] * 500), Moments.of([0] * 500))
    with pytest.raises(NothingVaries):
        always_valid(Moments.of([3] * 500), Moments.of([5] * 500))
