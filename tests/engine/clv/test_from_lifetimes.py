"""docs/howto/from-lifetimes.md: what stands in one row gives the same numbers.

The numbers are those of lifetimes 0.11.3 (pandas 3.0), which is no dependency: each constant stands beside the call
that gave it. The parameters of the models are those of the papers, in weeks, so that no search comes between.
`calculate_alive_path` of that version does not run with that pandas: `Series.fillna(method="ffill")` was given back.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from changke.engine.clv import (
    BGNBD,
    MBGNBD,
    GammaGamma,
    ParetoNBD,
    alive_path,
    calibration_holdout,
    discounted_value,
    summary,
)
from changke.engine.clv.model import PurchaseModel
from changke.engine.refusals import Refusal, TooFew
from tests.engine.clv.real import calibration, cdnow, needs_cdnow

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "from-lifetimes.md"
X, T_X, T = [0, 2, 7, 1], [0.0, 30.43, 30.0, 2.0], [38.86, 38.86, 38.0, 30.0]
BG = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
MBG = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614)
PARETO = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
IN_DAYS = BGNBD(r=0.243, alpha=4.414 * 7, a=0.793, b=2.426)
PURSE = GammaGamma(p=6.25, q=3.74, gamma=15.44)
PAID = {"x": [2, 7, 1], "t_x": [213, 210, 14], "T": [272, 266, 210], "monetary": [35.0, 12.5, 80.0]}


@needs_cdnow
@pytest.mark.data
def test_the_summary() -> None:
    """summary_data_from_transaction_data(df, "customer_id", "date", monetary_value_col="amount",
    observation_period_end="1997-09-30"): its sums and its first rows. The sample of 2,357 customers."""
    found = summary(cdnow(sample=True), observation_end="1997-09-30")
    assert found.monetary is not None
    columns = (found.x, found.t_x, found.T, found.monetary)
    assert len(found) == 2357
    assert [column.sum() for column in columns] == pytest.approx([2457, 112_949, 539_779, 33_183.64376687058])
    rows = [[2, 213, 272, 22.345], [0, 0, 269, 0], [1, 12, 272, 11.77]]
    assert np.column_stack(columns)[:3] == pytest.approx(np.array(rows))


@needs_cdnow
@pytest.mark.data
def test_the_split() -> None:
    """calibration_and_holdout_data(df, "customer_id", "date", calibration_period_end="1997-09-30",
    observation_period_end="1998-06-30", monetary_value_col="amount"): frequency_holdout sums to 1882,
    duration_holdout is 273, customer 4 came once for 26.48. Its money is the mean of the orders, ours the sum of the
    days: for whoever ordered once they are the same, and so they are in total."""
    rows = cdnow(sample=True)
    found = calibration_holdout(rows, calibration_end="1997-09-30", observation_end="1998-06-30")
    assert found.money is not None
    assert (found.days, found.purchases.sum(), found.newcomers) == (273, 1882, 0)
    assert (found.calibration.customer_id[0], found.purchases[0], found.money[0]) == pytest.approx((4, 1, 26.48))
    assert found.money.sum() == pytest.approx(rows["amount"][rows["date"] > np.datetime64("1997-09-30")].sum())
    assert found.calibration.x.sum() == 2457
    assert found.table()["holdout_purchases"].sum() == 1882


@needs_cdnow
@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "params"),
    [
        # BetaGeoFitter().fit(frequency, recency / 7, T / 7).params_ of the sample, and the other two
        (BGNBD, {"r": 0.24259454, "alpha": 4.41360272, "a": 0.79292183, "b": 2.42590573}),
        (MBGNBD, {"r": 0.52484290, "alpha": 6.18308176, "a": 0.89135952, "b": 1.61400293}),
        (ParetoNBD, {"r": 0.55328803, "alpha": 10.57772802, "s": 0.60619554, "beta": 11.66707603}),
    ],
)
def test_the_fits(model: type[PurchaseModel], params: dict[str, float]) -> None:
    assert model().fit(calibration(sample=True)).values() == pytest.approx(params, rel=2e-4)


@needs_cdnow
@pytest.mark.data
@pytest.mark.parametrize(
    ("sample", "params"),
    [
        # GammaGammaFitter().fit(frequency, monetary_value).params_ of those with both above zero; its v is our gamma
        (True, {"p": 6.24957228, "q": 3.74422467, "gamma": 15.44352102}),  # 946 of the sample of 2,357
        (False, {"p": 6.27535859, "q": 3.62445021, "gamma": 14.98368896}),  # 9,450 of the master of 23,570
    ],
)
def test_the_fit_of_money(sample: bool, params: dict[str, float]) -> None:
    assert GammaGamma().fit(calibration(sample=sample)).values() == pytest.approx(params, rel=1e-5)


@pytest.mark.parametrize(
    ("model", "expected", "alive"),
    [
        # .conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T), .conditional_probability_alive(x, t_x, T)
        (BG, [0.19509805, 1.22602817, 3.70224291, 0.32048667], [1, 0.72657857, 0.70043251, 0.27487259]),
        (MBG, [0.15401275, 1.26296062, 3.52591662, 0.30970437], [0.38973508, 0.70620227, 0.68258469, 0.23313973]),
        (PARETO, [0.10708147, 1.45512319, 4.04900238, 0.30189703], [0.2952866, 0.86916756, 0.80534521, 0.25089107]),
    ],
    ids=["BG/NBD", "MBG/NBD", "Pareto/NBD"],
)
def test_the_predictions(model: PurchaseModel, expected: list[float], alive: list[float]) -> None:
    assert model.expected_purchases(39, X, T_X, T) == pytest.approx(np.array(expected), abs=1e-7)
    assert model.p_alive(X, T_X, T) == pytest.approx(np.array(alive), abs=1e-7)


def test_how_many_purchases() -> None:
    """ParetoNBDFitter.conditional_probability_of_n_purchases_up_to_time(n, 39, x, t_x, T) for n = 0, 1, 2;
    BetaGeoFitter.probability_of_n_purchases_up_to_time(39, n) for n = 0 to 4, of whoever begins today."""
    chances = [
        [0.9307148159456802, 0.4080627236064643, 0.25950799663801716, 0.8612158559986143],
        [0.04589812412580952, 0.21928749790096388, 0.068958381130553, 0.06268952972909142],
        [0.014677144710534716, 0.15175652075729815, 0.07928334357675657, 0.035012756676000525],
    ]
    for n, chance in enumerate(chances):
        assert PARETO.exactly(n, 39, X, T_X, T) == pytest.approx(np.array(chance), abs=1e-7), n
    assert PARETO.p_active(39, X, T_X, T) == pytest.approx(1 - np.array(chances[0]), abs=1e-7)
    assert PARETO.at_least(2, 39, X, T_X, T) == pytest.approx(1 - np.sum(chances[:2], axis=0), abs=1e-7)
    new = [0.5737863520960094, 0.19939528083591135, 0.08542975953906072, 0.045860353847999705, 0.02767144933578218]
    assert [BG.exactly(n, 39, 0, 0, 0)[0] for n in range(5)] == pytest.approx(new)


def test_the_money_of_a_day() -> None:
    """GammaGammaFitter.conditional_expected_average_profit(frequency, monetary_value)"""
    assert PURSE.expected_spend(PAID) == pytest.approx([35.03937008, 13.83899763, 66.35150167])
    assert PURSE.expected_spend({"x": [0], "monetary": [0]}) == pytest.approx([6.25 * 15.44 / 2.74])


def test_the_worth_of_a_customer() -> None:
    """GammaGammaFitter.customer_lifetime_value(bg, frequency, recency, T, monetary_value, time=12, discount_rate=d,
    freq="D"). It discounts each 30 days at their end, by the month; ours in their middle, by the year."""
    asked = {"horizon_days": 360, "margin": 1.0}
    ours = discounted_value(IN_DAYS, PURSE, PAID, discount_per_year=0.0, **asked)
    theirs = np.array([54.1282292495662, 63.86859373497765, 26.765122407137127])
    assert ours == pytest.approx(theirs)
    later = discounted_value(IN_DAYS, PURSE, PAID, discount_per_year=1.01 ** (365.25 / 30) - 1, **asked)
    theirs = np.array([50.98008028578675, 60.21950869027457, 25.211500988645103])
    assert later == pytest.approx(theirs * 1.01**0.5)


def test_the_path_of_one_customer() -> None:
    """calculate_alive_path(bg, df, "date", t=120, freq="D") with two purchases on 5 January, one on 1 February and one
    on 20 March 1997; days since the first."""
    days = ["1997-03-20", "1997-01-05", "1997-02-01", "1997-01-05", "1998-01-01"]
    path = alive_path(IN_DAYS, days, observation_end="1997-05-05", horizon_days=30)
    assert path.rows == 121
    theirs = {
        0: 1.0, 26: 1.0, 27: 0.753650201926064, 28: 0.7496770017022358, 60: 0.6358772041840932,
        73: 0.5966101562245838, 74: 0.8120407679544915, 100: 0.7244528836851346, 120: 0.6564999874468728,
    }  # fmt: skip
    assert path["p_alive"][list(theirs)] == pytest.approx(np.array(list(theirs.values())))
    assert path["p_active"][120] == IN_DAYS.p_active(30, [2], [74], [120])[0]
    with pytest.raises(TooFew):
        alive_path(IN_DAYS, days, observation_end="1996-12-31")


def test_what_is_kept_is_what_was() -> None:
    assert BGNBD.from_json(BG.to_json()).values() == BG.values()
    assert GammaGamma.from_json(PURSE.to_json()).values() == PURSE.values()


def test_who_begins_in_the_holdout_is_in_neither_part() -> None:
    rows = {
        "customer_id": np.array(["wu", "vera", "vera", "wu", "anna"], object),
        "date": np.array(["2026-01-01", "2026-01-05", "2026-03-01", "2026-03-09", "2026-03-02"], "datetime64[D]"),
        "amount": np.array([5.0, 10.0, 20.0, -3.0, 9.0]),
    }
    found = calibration_holdout(rows, calibration_end="2026-01-31", observation_end="2026-03-31")
    assert found.table()["customer_id"].tolist() == ["vera", "wu"]
    assert found.purchases.tolist() == [1, 0], "a day with only a refund is no purchase"
    assert found.money is not None
    assert (found.money.tolist(), found.newcomers, found.days) == ([20.0, 0.0], 1, 59)
    with pytest.raises(Refusal, match="not after the calibration"):
        calibration_holdout(rows, calibration_end="2026-03-31", observation_end="2026-03-31")


@pytest.mark.parametrize(
    ("model", "theirs"),
    [
        (BG, [0.05326789117, 0.53443954109, 1.19672319332]),
        (MBG, [0.05308479526, 0.53535686424, 1.18295366560]),
        (PARETO, [0.05097984325, 0.53116951345, 1.21300284428]),
    ],
)
def test_whoever_begins_today(model: PurchaseModel, theirs: list[float]) -> None:
    """BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter: expected_number_of_purchases_up_to_time of 1, 13, 39."""
    assert [model.expected_purchases(t, 0, 0, 0)[0] for t in (1, 13, 39)] == pytest.approx(theirs, abs=1e-9)


PUBLIC = """
BetaGeoFitter ModifiedBetaGeoFitter ParetoNBDFitter GammaGammaFitter BetaGeoBetaBinomFitter fit params_ save_model
load_model conditional_expected_number_of_purchases_up_to_time conditional_probability_alive
conditional_probability_alive_matrix expected_number_of_purchases_up_to_time probability_of_n_purchases_up_to_time
conditional_probability_of_n_purchases_up_to_time expected_number_of_transactions_in_first_n_periods
conditional_expected_average_profit customer_lifetime_value calibration_and_holdout_data
summary_data_from_transaction_data calculate_alive_path expected_cumulative_transactions beta_geometric_nbd_model
beta_geometric_nbd_model_transactional_data pareto_nbd_model modified_beta_geometric_nbd_model
beta_geometric_beta_binom_model load_dataset load_donations load_cdnow_summary load_transaction_data
load_cdnow_summary_data_with_monetary_value penalizer_coef
BetaGeoBetaBinomModel BetaGeoModel GammaGammaModel GammaGammaModelIndividual ModifiedBetaGeoModel ParetoNBDModel
ShiftedBetaGeoModel ShiftedBetaGeoModelIndividual rfm_segments rfm_summary rfm_train_test_split fit_summary
thin_fit_result build_from_idata idata_to_init_kwargs build_model default_model_config default_sampler_config
purchase_covariate_cols dropout_covariate_cols covariate_cols expected_purchases expected_probability_alive
expected_probability_no_purchase expected_purchase_probability expected_purchases_new_customer
distribution_new_customer distribution_new_customer_dropout distribution_new_customer_purchase_rate
distribution_new_customer_recency_frequency distribution_customer_spend distribution_new_customer_spend
expected_customer_spend expected_new_customer_spend expected_customer_lifetime_value expected_retention_rate
expected_residual_lifetime expected_retention_elasticity distribution_customer_churn_time
distribution_new_customer_churn_time distribution_new_customer_theta cohorts cohort_idx to_xarray save load
"""
"""Of lifetimes 0.11.3 (models, utils, datasets, generate_data) and of pymc_marketing.clv 0.19.2 (models, utils), read
once from the packages; what plots is one row."""


def test_every_public_call_of_both_stands_on_the_page() -> None:
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", PAGE.read_text(encoding="utf-8")))))
    assert not set(PUBLIC.split()) - named


def test_each_row_of_the_page_names_the_test_that_has_its_numbers() -> None:
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row[-2])
        assert named or row[-2].strip().startswith("not here, because"), row[1]
        assert all(name in globals() for name in named), row[1]
