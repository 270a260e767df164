"""How well the default outlook predicts public data, and how early warnings come, beside lifetimes and fixed days.

    python -m benchmarks.accuracy FOLDER        the folder that holds cdnow/ and online_retail_2/

Baselines are constants measured once with lifetimes 0.11.3 on the same splits (it is no dependency of ours and does not
converge on the third split). Every choice of ours is made before the cut.
"""

import argparse
import time
from pathlib import Path

import duckdb
import numpy as np
from scipy.stats import spearmanr

from changke.engine import churn, outlook
from changke.engine.clv import BGNBD, GammaGamma, Summary
from changke.engine.prediction.days import Days
from changke.engine.prediction.holdout import interval_score, thirds
from changke.engine.prediction.past import area
from changke.engine.table import Table

# MAE, RMSE, rank correlation, AUC by expected purchases, total: lifetimes 0.11.3, BetaGeoFitter, penalty 0
LIFETIMES = {
    "CDNOW": (0.819, 1.733, 0.442, 0.763, -0.14),
    "Online Retail II": (1.046, 1.778, 0.625, 0.807, -0.01),
    "Online Retail": None,  # ConvergenceError with penalties 0, 0.001 and 0.01
}
RESAMPLES = 400


def sources(folder: Path) -> dict[str, tuple[str, str, int]]:
    cdnow = f"SELECT customer_id, date, amount FROM '{folder}/cdnow/cdnow_master.parquet'"
    retail = f"""
        SELECT CustomerID AS customer_id, InvoiceDate::DATE AS date, Quantity * UnitPrice AS amount
        FROM '{folder}/online_retail_2/online_retail_2.parquet'
        WHERE CustomerID IS NOT NULL AND NOT starts_with(InvoiceNo, 'C') AND Quantity > 0 AND UnitPrice > 0"""
    return {
        "CDNOW": (cdnow, "1997-09-30", 273),
        "Online Retail II": (retail, "2011-06-09", 183),
        "Online Retail": (f"{retail} AND sheet = 2", "2011-09-09", 91),
    }


def gap_of_deciles(said: np.ndarray, came: np.ndarray) -> float:
    order = np.argsort(said, kind="stable")
    return float(np.mean([abs(said[tenth].mean() - came[tenth].mean()) for tenth in np.array_split(order, 10)]))


def line(name: str, values: tuple[object, ...]) -> str:
    said = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in values]
    return f"| {name} | {' | '.join(said)} |"


def measured(
    expected: np.ndarray, active: np.ndarray, spend: np.ndarray, came: np.ndarray, money: np.ndarray
) -> tuple[object, ...]:
    return (
        float(np.abs(expected - came).mean()), float(np.sqrt(((expected - came) ** 2).mean())),
        float(spearmanr(expected, came)[0]), area(came > 0, expected), area(came > 0, active),
        f"{expected.sum() / came.sum() - 1:+.1%}", gap_of_deciles(active, came > 0),
        float(spearmanr(spend, money)[0]), f"{spend.sum() / money.sum() - 1:+.1%}",
    )  # fmt: skip


def split(name: str, source: str, cut: str, horizon: int) -> None:
    rows = duckdb.sql(source)
    day = np.datetime64(cut, "D")
    days = Days.of(rows, observation_end=day + horizon)
    window = days.until(days.end - horizon)
    came, money = window.outcome(horizon)
    known = window.summary()
    model = BGNBD().fit(known)
    theirs = model.expected_purchases(horizon, known.x, known.t_x, known.T)
    their_spend = theirs * GammaGamma().fit(known).expected_spend(known)
    active = model.p_active(horizon, known.x, known.t_x, known.T)
    print(f"\n{name}: {len(came)} customers, {(came > 0).mean():.1%} came in {horizon} days\n")
    print(
        "| model | MAE | RMSE | rank | AUC expected | AUC P(active) | total | decile gap | spend rank | spend total |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    constants = LIFETIMES[name]
    if constants:
        print(line("lifetimes BG/NBD (constants)", (*constants[:4], "-", f"{constants[4]:+.1%}", "-", "-", "-")))
    else:
        print("| lifetimes BG/NBD | ConvergenceError | | | | | | | | |")
    print(line("BG/NBD and Gamma-Gamma here", measured(theirs, active, their_spend, came, money)))
    alive = model.p_alive(known.x, known.t_x, known.T)
    said = {}
    for label, boosting in (("outlook, models alone", False), ("outlook", True)):
        begun = time.perf_counter()
        said[label] = outlook(rows, observation_end=day, horizon_days=horizon, boosting=boosting)
        numbers = (said[label][column] for column in ("expected_purchases", "p_active", "expected_spend"))
        print(line(f"{label} ({time.perf_counter() - begun:.0f} s)", measured(*numbers, came, money)))
    print(f"\nAUC of P(alive): {area(came > 0, alive):.3f}. {' '.join(said['outlook'].notes)}")
    bootstrap(said["outlook"]["expected_purchases"], theirs, came)
    intervals(said["outlook"], model.predict(known, horizon=horizon), known, horizon, came, money)


def intervals(said: Table, plain: Table, known: Summary, horizon: int, came: np.ndarray, money: np.ndarray) -> None:
    """How often what came lay inside the intervals of 80 %, in thirds by expected purchase days."""
    low, high = plain["purchases_low"], plain["purchases_high"]
    outward, held = interval_score(low, high, came), (came >= low) & (came <= high)
    order = np.argsort(said["expected_purchases"], kind="stable")
    found = thirds(said, came, money, (known.x + 1) / np.maximum(known.T, 1) * horizon)
    print("\n| third | days: said, inside | money inside | only none | width | score | BG/NBD outwards | own pace |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    rows = [
        (name, one.customers, (one.said, one.days_inside, one.money_inside, one.none, one.width, one.score),
         (held[some].mean(), outward[some].mean()), one.naive_score)
        for name, one, some in zip(("lowest", "middle", "highest"), found, np.array_split(order, 3), strict=True)
    ]  # fmt: skip
    weights = np.array([row[1] for row in rows], float)
    every = [tuple(np.average([row[k] for row in rows], axis=0, weights=weights)) for k in (2, 3)]
    rows.append(("all", 0, *every, float(np.average([row[4] for row in rows], weights=weights))))
    for name, _, (foretold, days, paid, none, width, score), (inside, other), pace in rows:
        print(
            f"| {name} | {foretold:.1%}, {days:.1%} | {paid:.1%} | {none:.0%} | {width:.2f} | {score:.2f}"
            f" | {inside:.1%}, {other:.2f} | {pace:.2f} |"
        )


def bootstrap(ours: np.ndarray, theirs: np.ndarray, came: np.ndarray) -> None:
    """90 % intervals of the difference to BG/NBD, customers drawn anew."""
    chance = np.random.default_rng(0)
    differences = []
    for _ in range(RESAMPLES):
        drawn = chance.integers(0, len(came), len(came))
        one, two, true = ours[drawn], theirs[drawn], came[drawn]
        errors = [np.sqrt(((said - true) ** 2).mean()) for said in (one, two)]
        ranks = spearmanr(one, true)[0] - spearmanr(two, true)[0]
        differences.append((errors[0] - errors[1], area(true > 0, one) - area(true > 0, two), ranks))
    low, high = np.quantile(differences, [0.05, 0.95], axis=0)
    said = [f"{what} {low[k]:+.4f}..{high[k]:+.4f}" for k, what in enumerate(("RMSE", "AUC", "rank"))]
    print(f"outlook - BG/NBD, 90 %: {', '.join(said)}")


def warnings(name: str, source: str, cut: str) -> None:
    said = churn.backtest(duckdb.sql(source), horizon_days=90, cut=cut)
    print(f"\nWarnings, {name}: {said.signal}\n")
    print("| rule | threshold | precision | recall | lead days | false per 100 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rule in said.rules:
        numbers = (rule.precision, rule.recall, round(rule.lead_days), round(rule.false_per_100, 1))
        print(line(rule.rule, (f"{rule.threshold:g}", *numbers)))


def slumps(name: str, source: str, cut: str, end: str) -> None:
    """Less than half of her own pace in 120 days: alerts by day 60, on the same silences as the warnings above."""
    print(f"\nSlumps, {name}\n\n| rule | chance | precision | recall | day | alerts per 100 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in churn.judge_slumps(duckdb.sql(source), cut=cut, observation_end=end):
        said = (one.threshold or "-", one.precision, one.recall, round(one.day), round(one.alerts_per_100, 1))
        print(line(one.rule, said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    known = sources(folder)
    warnings("Online Retail II", known["Online Retail II"][0], "2010-09-01")
    warnings("CDNOW", known["CDNOW"][0], "1997-06-30")
    # 120 days must be known of each: the warnings need 270, so with 150 days less the silences are the same.
    slumps("Online Retail II", known["Online Retail II"][0], "2010-09-01", "2011-07-12")
    slumps("CDNOW", known["CDNOW"][0], "1997-06-30", "1998-01-31")
    for name, (source, cut, horizon) in known.items():
        split(name, source, cut, horizon)


if __name__ == "__main__":
    main()
