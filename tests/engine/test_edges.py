"""What nobody can ask: each number that a public function of the engine takes, as zero, below it, NaN and infinite."""

import datetime as dt
import inspect
import re
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from changke.engine import affinity, churn, clv, cohorts, experiments, outlook, rfm
from changke.engine.prediction.days import Days
from changke.engine.prediction.intervals import between_days
from changke.engine.refusals import NotFinite, Refusal
from changke.engine.synthetic import invent
from changke.engine.table import Table
from tests.engine.test_churn import chain

END = "2026-06-30"
BAD = (0, -3, float("nan"), float("inf"))
ARM, OTHER = experiments.Moments.of([0, 100, 250] * 50), experiments.Moments.of([0, 120, 260] * 50)
RATE = experiments.Moments.of_rate(150, 30)
MODEL = clv.BGNBD(r=0.5, alpha=30.0, a=0.6, b=2.4)
PAST = {"x": [0, 3], "t_x": [0, 60], "T": [90, 90]}
SPEND = clv.GammaGamma(p=6.0, q=4.0, gamma=15.0)
PAID = {**PAST, "monetary": [0.0, 20.0]}
X, T_X = np.array([0.0, 3.0]), np.array([0.0, 60.0])
SCORED = (np.tile([0, 1, 1, 0], 50), np.linspace(0, 1, 200), np.tile([0, 1], 100))


@cache
def shop() -> dict[str, Any]:
    rows = chain(120, leaving=0.1, alike=False)
    return {**rows, "amount": np.round(np.random.default_rng(1).lognormal(3, 0.5, len(rows["date"])), 2)}


@cache
def lines() -> affinity.Lines:
    rows = shop()
    return affinity.Lines.read({**rows, "item_id": rows["customer_id"] % 5}, observation_end="2025-12-20")


def curve() -> cohorts.Survival:
    return cohorts.Survival.of([1, 2, 3], [1, 1, 0])


def steps() -> Table:
    return Table({name: np.array(["a", "b"], object) for name in ("customer_id", "name")} | {"at": shop()["date"][:2]})


def qini(**asked: Any) -> object:
    return experiments.qini(*SCORED, generator=np.random.default_rng(1), **asked)


def uplift(**asked: Any) -> object:
    return experiments.UpliftModel.fit(SCORED[1][:, None], SCORED[2], SCORED[0], **asked)


FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "outlook": (lambda **asked: outlook(shop(), observation_end=END, **asked), {"horizon_days": 30, "interval": 0.8}),
    "churn.backtest": (
        lambda **asked: churn.backtest(shop(), **asked),
        {
            "horizon_days": 30, "minimum_silence": 14, "alerts_per_100": 10.0, "alerts_per_week": 3.0,
            "precision": 0.5, "least_purchases": 2, "fixed": [60], "lapse_days": 90, "early_days": 30,
        },
    ),
    "churn.outlook_score": (lambda **asked: churn.outlook_score(MODEL, PAST, **asked), {"horizon_days": 30}),
    "churn.fall_of_outlook": (lambda **asked: churn.fall_of_outlook(MODEL, PAST, **asked), {"horizon_days": 30}),
    "churn.fires_on": (
        lambda **asked: churn.fires_on(MODEL, "fall", x=X, t_x=T_X, **asked),
        {"level": 0.3, "horizon_days": 30, "least": 14, "most": 90},
    ),
    "churn.has_fired": (
        lambda **asked: churn.has_fired(MODEL, "fall", x=X, t_x=T_X, silent=X, **asked),
        {"level": 0.3, "horizon_days": 30},
    ),
    "churn.slump_chance": (
        lambda **asked: churn.slump_chance(MODEL, X, T_X, X, **asked), {"within_days": 120, "share": 0.5},
    ),
    "churn.judge_slumps": (
        lambda **asked: churn.judge_slumps(shop(), cut="2025-01-01", **asked),
        {
            "within_days": 120, "share": 0.5, "by_day": 60, "fixed": [45], "chances": [0.4], "least_purchases": 2,
        },
    ),
    "clv.discounted_value": (
        lambda **asked: clv.discounted_value(MODEL, SPEND, PAID, **asked),
        {"horizon_days": 365, "margin": 0.4, "discount_per_year": 0.1},
    ),
    "clv.value_between": (
        lambda **asked: clv.value_between(MODEL, SPEND, PAID, **asked),
        {"horizon_days": 365, "margin": 0.4, "discount_per_year": 0.1, "interval": 0.8},
    ),
    "clv.GammaGamma.spend_between": (lambda **asked: SPEND.spend_between(PAID, **asked), {"interval": 0.8}),
    "clv.BGNBD": (clv.BGNBD, {"r": 0.5, "alpha": 30.0, "a": 0.6, "b": 2.4}),
    "clv.ParetoNBD": (clv.ParetoNBD, {"r": 0.5, "alpha": 30.0, "s": 0.6, "beta": 20.0}),
    "clv.MBGCNBD": (clv.MBGCNBD, {"k": 2}),
    "clv.GammaGamma": (clv.GammaGamma, {"p": 6.0, "q": 4.0, "gamma": 15.0}),
    "clv.RobustSpend": (clv.RobustSpend, {"centre": 3.0, "within": 0.2, "between": 0.3, "level": 1.0}),
    "clv.BGNBD.predict": (lambda **asked: MODEL.predict(PAST, **asked), {"horizon": 30, "interval": 0.8}),
    "clv.BGNBD.p_active": (lambda horizon: MODEL.p_active(horizon, **PAST), {"horizon": 30}),
    "clv.BGNBD.expected_purchases": (lambda horizon: MODEL.expected_purchases(horizon, **PAST), {"horizon": 30}),
    "clv.BGNBD.variance_of_purchases": (lambda horizon: MODEL.variance_of_purchases(horizon, **PAST), {"horizon": 30}),
    "clv.BGNBD.at_least": (lambda **asked: MODEL.at_least(**PAST, **asked), {"n": 2, "horizon": 30}),
    "clv.BGNBD.exactly": (lambda **asked: MODEL.exactly(**PAST, **asked), {"n": 2, "horizon": 30}),
    "clv.alive_path": (
        lambda **asked: clv.alive_path(MODEL, ["2026-01-05"], observation_end=END, **asked), {"horizon_days": 30},
    ),
    "cohorts.repurchase": (
        lambda **asked: cohorts.repurchase(shop(), observation_end=END, **asked), {"windows_days": [30]},
    ),
    "cohorts.funnel": (
        lambda **asked: cohorts.funnel(steps(), steps=["a", "b"], observation_end=END, **asked), {"within_days": 9},
    ),
    "cohorts.bottleneck": (
        lambda **asked: cohorts.bottleneck(cohorts.funnel(steps(), steps=["a", "b"]), **asked), {"usual": [0.5]},
    ),
    "cohorts.Survival.of": (lambda **asked: cohorts.Survival.of([1, 2, 3], [1, 1, 0], **asked), {"alpha": 0.1}),
    "cohorts.Survival.at": (lambda **asked: curve().at(**asked), {"time": 2}),
    "cohorts.Survival.quantile": (lambda **asked: curve().quantile(**asked), {"share": 0.5}),
    "rfm.fifths": (lambda **asked: rfm.fifths(**asked), {"values": [1.0], "of": 5}),
    "rfm.bands": (lambda **asked: rfm.bands(**asked), {"values": [1.0], "bounds": [2.0]}),
    "rfm.rfm": (
        lambda **asked: rfm.rfm(clv.summary(shop(), observation_end=END), **asked),
        {"recency_days": [30.0], "frequency": [3.0], "money": [100.0]},
    ),
    "affinity.recommend": (lambda **asked: affinity.recommend(lines(), observation_end=END, **asked), {"top": 2}),
    "affinity.popular": (lambda **asked: affinity.popular(lines(), **asked), {"top": 2, "days": 60}),
    "affinity.complements": (lambda **asked: affinity.complements(lines(), **asked), {"least_support": 20}),
    "affinity.starters": (
        lambda **asked: affinity.starters(lines(), **asked), {"within_days": 90, "least_support": 20},
    ),
    "affinity.season": (
        lambda **asked: affinity.season(lines(), starts_on="2026-01-05", **asked), {"days": 28},
    ),
    "churn.examine": (
        lambda **asked: churn.examine(Days.of(shop(), observation_end="2025-12-20"), **asked), {"horizon_days": 60},
    ),
    "affinity.learn": (
        lambda **asked: affinity.learn(lines(), **asked), {"looks_back_days": [45], "least_baskets": 200},
    ),
    "experiments.lift": (lambda **asked: experiments.lift(ARM, OTHER, **asked), {"alpha": 0.05}),
    "experiments.rate_lift": (lambda **asked: experiments.rate_lift(RATE, RATE, **asked), {"alpha": 0.05}),
    "experiments.always_valid": (
        lambda **asked: experiments.always_valid(ARM, OTHER, **asked),
        {"alpha": 0.05, "tuned_for": 5000, "least_per_arm": 100},
    ),
    "experiments.customers_needed": (
        experiments.customers_needed,
        {"effect": 100.0, "deviation": 900.0, "control_bp": 5000, "alpha": 0.05, "power": 0.8},
    ),
    "experiments.customers_needed_for_rates": (
        experiments.customers_needed_for_rates,
        {"rate": 0.1, "effect": 0.02, "control_bp": 5000, "alpha": 0.05, "power": 0.8},
    ),
    "experiments.smallest_effect": (
        experiments.smallest_effect,
        {"control": 500, "treated": 500, "deviation": 900.0, "alpha": 0.05, "power": 0.8},
    ),
    "experiments.qini": (qini, {"random_orders": 20}),
    "experiments.uplift_among_top": (lambda **asked: experiments.uplift_among_top(*SCORED, **asked), {"share": 0.3}),
    "experiments.UpliftModel.fit": (uplift, {"penalty": 10.0}),
    "experiments.sample_ratio": (
        experiments.sample_ratio, {"counts": [100, 90], "weights_bp": [5000, 5000]},
    ),
    "synthetic.invent": (
        lambda **asked: invent(7, today=dt.date(2026, 6, 30), **asked), {"customers": 40, "stores": 2, "years": 1},
    ),
}  # fmt: skip

ANSWERED = {
    # In no time nothing happens; no minimum and no discount are what they say.
    "outlook.horizon_days": {0}, "churn.outlook_score.horizon_days": {0}, "churn.fall_of_outlook.horizon_days": {0},
    "churn.fires_on.horizon_days": {0}, "clv.discounted_value.horizon_days": {0}, "clv.BGNBD.predict.horizon": {0},
    "clv.BGNBD.p_active.horizon": {0}, "clv.BGNBD.expected_purchases.horizon": {0},
    "clv.BGNBD.variance_of_purchases.horizon": {0}, "clv.BGNBD.at_least.horizon": {0},
    "churn.judge_slumps.chances": {0}, "churn.backtest.minimum_silence": {0}, "churn.backtest.early_days": {0},
    "churn.backtest.precision": {0},
    "churn.has_fired.level": {0}, "churn.has_fired.horizon_days": {0},
    "churn.fires_on.level": {0}, "churn.fires_on.least": {0}, "clv.discounted_value.margin": {0},
    "clv.discounted_value.discount_per_year": {0}, "clv.value_between.horizon_days": {0},
    "clv.value_between.margin": {0}, "clv.value_between.discount_per_year": {0}, "clv.BGNBD.at_least.n": {0, -3},
    "clv.BGNBD.exactly.n": {0, -3}, "clv.BGNBD.exactly.horizon": {0}, "clv.alive_path.horizon_days": {0},
    "clv.RobustSpend.centre": {0, -3},  # a logarithm
    "cohorts.bottleneck.usual": {0}, "cohorts.Survival.at.time": {0}, "cohorts.Survival.quantile.share": {0},
    "rfm.fifths.values": {0, -3}, "rfm.bands.values": {0, -3}, "rfm.bands.bounds": {0, -3},
    "rfm.rfm.recency_days": {0, -3}, "rfm.rfm.frequency": {0, -3}, "rfm.rfm.money": {0, -3},
    "experiments.customers_needed.effect": {-3}, "experiments.customers_needed_for_rates.rate": {0},
    "experiments.always_valid.least_per_arm": {0}, "experiments.uplift_among_top.share": {0},
    "experiments.UpliftModel.fit.penalty": {0}, "experiments.sample_ratio.counts": {0},
    "experiments.sample_ratio.weights_bp": {0},
}  # fmt: skip
"""Values that have an answer."""

ASKED = [
    pytest.param(name, one, bad, id=f"{name} {one}={bad}")
    for name, (_, given) in FUNCTIONS.items()
    for one in given
    for bad in BAD
]


@pytest.mark.parametrize(("name", "one", "bad"), ASKED)
def test_what_nobody_can_ask_is_refused_by_name_and_the_rest_answered(name: str, one: str, bad: float) -> None:
    function, given = FUNCTIONS[name]
    value = [bad, *given[one][1:]] if isinstance(given[one], list) else bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if bad in ANSWERED.get(f"{name}.{one}", ()):
            function(**{**given, one: value})
        else:
            with pytest.raises(Refusal) as refused:
                function(**{**given, one: value})
            assert refused.value.code != Refusal.code, "each refusal has a name"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_can_be_asked_is_answered(name: str) -> None:
    function, given = FUNCTIONS[name]
    function(**given)


PARTS = {"affinity.count_recent", "affinity.lifts", "affinity.members_of", "affinity.shares", "affinity.windows"}
"""Halves of `popular`, `complements` and `season`, over numbers that these have checked: who counts by store and adds
up later calls them with his own."""


def test_every_number_that_a_public_function_takes_stands_in_the_table() -> None:
    rooms = {"churn": churn, "clv": clv, "cohorts": cohorts, "affinity": affinity, "experiments": experiments}
    for room, found in rooms.items():
        for name in found.__all__:
            function = getattr(found, name)
            if inspect.isfunction(function) and f"{room}.{name}" not in PARTS:
                missing = _numbers(function) - set(FUNCTIONS.get(f"{room}.{name}", (None, {}))[1])
                assert not missing, f"{room}.{name} takes {missing}"
    for name in ("fifths", "bands", "rfm"):
        assert _numbers(getattr(rfm, name)) <= set(FUNCTIONS[f"rfm.{name}"][1])
    assert _numbers(outlook) <= set(FUNCTIONS["outlook"][1])


def _numbers(function: Callable[..., Any]) -> set[str]:
    """Parameters that are a number, or a sequence of some; columns of customers are checked where they are read."""
    words = {one.name: str(one.annotation) for one in inspect.signature(function).parameters.values()}
    return {
        name for name, kind in words.items()
        if re.search(r"\b(int|float)\b", kind) and not re.search("SupportsArray|ndarray|Generator|Callable", kind)
    }  # fmt: skip


@pytest.mark.parametrize("amount", [0.0, -5.0, 1e15, 1e16, 1e300, 1.7e308, -1e300, float("nan"), float("inf")])
@pytest.mark.parametrize("whose", ["of one row", "of every row"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_an_amount_of_any_size_has_an_answer(amount: float, whose: str) -> None:
    """Beyond 1e15 it is no money of a shop: the day counts without it, and that is said. 1e308 once never ended."""
    rows = {**shop(), "amount": shop()["amount"].copy()}
    rows["amount"][5 if whose == "of one row" else slice(None)] = amount
    said = outlook(rows, observation_end="2025-12-20", horizon_days=60)
    for name in set(said) - {"customer_id"}:
        assert np.isfinite(said[name]).all(), name
    reason = "amount_is_no_number" if np.isinf(amount) else "amount_is_too_large"
    assert (reason in said.left_out) == (abs(amount) > 1e15)  # NaN in a NumPy column is read as no amount
    found = clv.summary(rows, observation_end="2025-12-20", spread=True)
    for model in (clv.GammaGamma(), clv.RobustSpend()):
        assert np.isfinite(model.fit(found).expected_spend(found)).all()


def test_after_no_days_at_all_every_alert_would_be_right() -> None:
    """It once said that each of twelve rules had a precision of 1."""
    with pytest.raises(Refusal, match="horizon_days is a whole number from 1 on, not 0"):
        churn.backtest(shop(), horizon_days=0)
    with pytest.raises(Refusal, match="minimum_silence is a whole number from 0 on, not -3"):
        churn.backtest(shop(), minimum_silence=-3)


def test_an_interval_of_what_is_no_number_is_refused_and_does_not_count_for_ever() -> None:
    some, endless = np.array([0.5]), np.array([np.inf])
    with pytest.raises(NotFinite):
        between_days(some, endless, endless, some)
