"""Experiments on Hillstrom's e-mail test: what it brought, and whether one can tell whom to write to.

    python -m benchmarks.lift HILLSTROM.parquet [--splits 5]

64,000 customers, three arms, randomised (the MineThatData challenge). First table: visits and spend against no e-mail.
Second: customers are halved within arm and outcome, `--splits` times; each method learns on one half and ranks the
other: Qini, its band of chance, and the effect among the best 30 per cent. Peers run on the same halves where they are
installed: pip install lightgbm scikit-learn.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from changke.engine.experiments import (
    CovariateMoments,
    Moments,
    UpliftModel,
    advise,
    always_valid,
    cuped,
    lift,
    qini,
    rate_lift,
    sample_ratio,
    uplift_among_top,
)

Floats = npt.NDArray[np.float64]
Half = tuple[Floats, Floats, Floats]  # features, treated, visit
Score = Callable[[Half, Floats], Floats]
FEATURES = """recency, history, mens, womens, newbie, CAST(zip_code = 'Rural' AS INT) AS rural,
    CAST(zip_code = 'Surburban' AS INT) AS suburban, CAST(channel = 'Phone' AS INT) AS phone,
    CAST(channel = 'Web' AS INT) AS web"""
ARMS = ("Mens E-Mail", "Womens E-Mail")
NONE = "No E-Mail"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    arms = {segment: _arm(options.file, segment) for segment in (NONE, *ARMS)}
    counts = [spend.outcome.n for _, spend in arms.values()]
    print(f"customers per arm {counts}, sample ratio p = {sample_ratio(counts, [1, 1, 1]).p_value:.3f}\n")
    print("| e-mail | metric | control | sent | lift (95 %) | z | always valid | CUPED error ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for segment in ARMS:
        _read_out(segment, arms[NONE], arms[segment])
    print("\n| e-mail | ranked by | Qini (sd of splits) | band of chance | effect among top 30 % | fit s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for segment in ARMS:
        _ranking(options.file, segment, options.splits)
    return 0


def _arm(file: str, segment: str) -> tuple[Moments, CovariateMoments]:
    visits, spend, history = (
        duckdb.execute(
            f"SELECT visit, round(spend * 100)::BIGINT, round(history * 100)::BIGINT FROM '{file}' WHERE segment = ?",
            [segment],
        )
        .fetchnumpy()
        .values()
    )
    return Moments.of(visits), CovariateMoments.of(spend, history)


def _read_out(segment: str, control: tuple[Moments, CovariateMoments], sent: tuple[Moments, CovariateMoments]) -> None:
    visit = rate_lift(control[0], sent[0]).difference
    always = always_valid(control[0], sent[0])
    z = visit.estimate / lift(control[0], sent[0]).per_customer.standard_error
    print(
        f"| {segment} | visit | {control[0].mean:.2%} | {sent[0].mean:.2%} | {visit.estimate:+.2%}"
        f" ({visit.low:+.2%} to {visit.high:+.2%}) | {z:.1f} | {always.low:+.2%} to {always.high:+.2%} | |"
    )
    spend = lift(control[1].outcome, sent[1].outcome).per_customer
    always = always_valid(control[1].outcome, sent[1].outcome)
    print(
        f"| {segment} | spend, $ | {control[1].outcome.mean / 100:.3f} | {sent[1].outcome.mean / 100:.3f} |"
        f" {spend.estimate / 100:+.3f} ({spend.low / 100:+.3f} to {spend.high / 100:+.3f}) |"
        f" {spend.estimate / spend.standard_error:.1f} | {always.low / 100:+.3f} to {always.high / 100:+.3f} |"
        f" {cuped(control[1], sent[1]).error_ratio:.4f} |"
    )


def _ranking(file: str, segment: str, splits: int) -> None:
    rows = duckdb.execute(
        f"SELECT {FEATURES}, CAST(segment = ? AS INT) AS treated, visit FROM '{file}' WHERE segment IN (?, ?)",
        [segment, segment, NONE],
    ).fetchnumpy()
    *columns, treated, visit = (np.asarray(column, dtype=float) for column in rows.values())
    features = np.column_stack(columns)
    last: dict[str, Any] = {}
    for name, score in _methods():
        found = []
        for split in range(splits):
            draw = np.random.default_rng(split)
            half = _half(draw, treated, visit)
            learn, judge = ((features[side], treated[side], visit[side]) for side in (half, ~half))
            started = time.perf_counter()
            ranks = score(learn, judge[0])
            seconds = time.perf_counter() - started
            one = qini(judge[2], ranks, judge[1], generator=draw)
            last[name] = one
            found.append((one.value, one.random_bound, uplift_among_top(judge[2], ranks, judge[1]), seconds))
        mean = np.mean(found, axis=0)
        deviation = np.std([row[0] for row in found])
        print(
            f"| {segment} | {name} | {mean[0]:.3f} ({deviation:.3f}) | up to {mean[1]:.3f} | {mean[2]:.3f} |"
            f" {mean[3]:.2f} |",
            flush=True,
        )
    effect = lift(Moments.of(visit[treated == 0]), Moments.of(visit[treated == 1])).per_customer
    advice = advise(effect, uplift=last["Changke, two ridge regressions"], response=last["who visits (response)"])
    print(f"| {segment} | advice of the last split: {advice} | | | {effect.estimate:.3f} on average | |")


def _half(draw: np.random.Generator, treated: Floats, visit: Floats) -> npt.NDArray[np.bool_]:
    """Half of each arm and outcome."""
    half = np.zeros(len(visit), dtype=bool)
    cell = 2 * treated + visit
    for one in range(4):
        members = draw.permutation(np.flatnonzero(cell == one))
        half[members[: len(members) // 2]] = True
    return half


def _methods() -> Iterator[tuple[str, Score]]:
    yield "random", lambda learn, features: np.random.default_rng(len(learn[0])).random(len(features))
    yield "who visits (response)", lambda learn, features: UpliftModel.fit(*learn).response(features, treated=True)
    yield "Changke, two ridge regressions", lambda learn, features: UpliftModel.fit(*learn).predict(features)
    try:
        lightgbm = importlib.import_module("lightgbm")
        linear = importlib.import_module("sklearn.linear_model")
    except ImportError as why:
        print(f"(peers left out: {why})")
        return
    settings = {
        "n_estimators": 100,
        "num_leaves": 8,
        "learning_rate": 0.05,
        "min_child_samples": 200,
        "n_jobs": 2,
        "verbose": -1,
    }
    yield "scikit-learn logistic T-learner", _two(lambda: linear.LogisticRegression(max_iter=500), standardise=True)
    yield "LightGBM T-learner", _two(lambda: lightgbm.LGBMClassifier(**settings))
    yield "LightGBM S-learner", _one(lambda: lightgbm.LGBMClassifier(**settings))


def _two(make: Callable[[], Any], *, standardise: bool = False) -> Score:
    def score(learn: Half, features: Floats) -> Floats:
        x, treated, visit = learn
        center, scale = (x.mean(axis=0), x.std(axis=0)) if standardise else (0.0, 1.0)
        expected = [
            make()
            .fit((x[treated == side] - center) / scale, visit[treated == side])
            .predict_proba((features - center) / scale)
            for side in (0, 1)
        ]
        return np.asarray(expected[1][:, 1] - expected[0][:, 1])

    return score


def _one(make: Callable[[], Any]) -> Score:
    def score(learn: Half, features: Floats) -> Floats:
        model = make().fit(np.column_stack(learn[:2]), learn[2])
        sides = [
            model.predict_proba(np.column_stack([features, np.full(len(features), side)]))[:, 1] for side in (0, 1)
        ]
        return np.asarray(sides[1] - sides[0])

    return score


if __name__ == "__main__":
    sys.exit(main())
