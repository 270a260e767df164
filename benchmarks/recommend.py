"""Next-basket recommendation on Online Retail II, beside the baselines, in one run.

    python -m benchmarks.recommend online_retail_2.parquet [--cut 2011-06-09] [--ship WEIGHTS.json]

Known to the methods: everything up to the cut. Judged: the first basket after it of each customer known. All methods
choose ten among the same items. "new": only items she never had, judged by those of the basket she never had. ALS runs
where implicit is installed (pip install implicit). `--ship` writes the weights learnt.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from changke.engine.affinity import Lines, learn, recommend
from changke.engine.affinity.weights import Weights

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Lists = list[Integers]
LINES = """
SELECT DISTINCT CustomerID::BIGINT AS customer_id, StockCode AS item_id, InvoiceDate::DATE AS date FROM '{file}'
WHERE CustomerID IS NOT NULL AND InvoiceNo NOT LIKE 'C%' AND Quantity > 0 AND UnitPrice > 0
  AND regexp_matches(StockCode, '^[0-9]{{5}}')"""
TOP = 10


@dataclass
class World:
    known: Lines
    days: Any  # customers by items
    age: Integers
    users: Integers
    truth: Lists


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--cut", default="2011-06-09")
    parser.add_argument("--ship")
    options = parser.parse_args()
    world = _world(options.file, options.cut)
    print(f"{len(world.users)} customers with a basket after {options.cut}, {len(world.known.items)} items\n")
    print("| method | recall | NDCG | hit | recall new | hit new | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    best: dict[str, Floats] = {}
    for name, score in _baselines(world):
        started = time.perf_counter()
        lists = _lists(world, score)
        found = _judge(world, *lists)
        _print(name, found, time.perf_counter() - started)
        for metric, values in found.items():
            if metric not in best or values.mean() > best[metric].mean():
                best[metric] = values
    started = time.perf_counter()
    weights = learn(world.known)
    learnt = time.perf_counter() - started
    found = _judge(world, _ours(world, weights, "any"), _ours(world, weights, "new"))
    _print("**Changke**", found, time.perf_counter() - started)
    print(f"\nlearnt from {weights.baskets} baskets in {learnt:.1f} s; against the best baseline of each column:")
    for metric, values in found.items():
        low, high = _bootstrap(values - best[metric])
        print(
            f"  {metric}: {values.mean() / best[metric].mean() - 1:+.1%}, difference {low:+.4f} to {high:+.4f} (95 %)"
        )
    if options.ship:
        with open(options.ship, "w", encoding="utf-8") as file:
            json.dump(weights.to_dict(), file, indent=1)
    return 0


def _world(file: str, cut: str) -> World:
    everything = Lines.read(duckdb.sql(LINES.format(file=file)), observation_end="2099-12-31")
    day = int(np.datetime64(cut).astype("datetime64[D]").astype(int))
    known = everything.until(day)
    has = np.zeros(len(known.items), dtype=bool)
    has[known.item] = True
    customer, item = everything.next_baskets(day, 10_000)
    customer, item = customer[has[item]], item[has[item]]
    users = np.unique(customer)
    shape = (len(known.customers), len(known.items))
    days = sp.csr_matrix((np.ones(len(known.day)), (known.customer, known.item)), shape=shape)
    age = day - known.day
    return World(known, days, age, users, [item[customer == user] for user in users])


def _ours(world: World, weights: Weights, only: Any) -> Lists:
    known = world.known
    found = recommend(
        known, observation_end="2099-12-31", top=TOP, only=only, weights=weights, customers=known.customers[world.users]
    )
    customer = np.searchsorted(known.customers, found["customer_id"])
    item = np.searchsorted(known.items, found["item_id"])
    return [item[customer == user] for user in world.users]


def _baselines(world: World) -> list[tuple[str, Callable[[Integers], Floats]]]:
    """The rows of the table of baselines, as they were measured before anything of ours existed."""
    F, age, known = world.days, world.age, world.known

    def decayed(half_life: float) -> Any:
        return sp.csr_matrix((0.5 ** (age / half_life), (known.customer, known.item)), shape=F.shape)

    popular = np.asarray(F.sum(axis=0)).ravel()
    recent = np.bincount(known.item[age <= 60], minlength=F.shape[1]).astype(float)
    tail = 1e-3 * recent / recent.max()
    own = decayed(90)
    bought = (F > 0).astype(np.float32)
    customers = np.asarray(bought.sum(axis=0)).ravel()
    pairs = (bought.T @ bought).tocsr()
    pairs.setdiag(0)
    pairs.eliminate_zeros()
    row, column = pairs.nonzero()
    pairs.data = pairs.data / (np.sqrt(customers[row] * customers[column]) + 20)
    unit = F.multiply(1 / (np.sqrt(np.asarray(F.multiply(F).sum(axis=1))) + 1e-9)).tocsr()

    def alike(users: Integers, k: int = 300) -> Floats:
        likeness = (unit[users] @ unit.T).toarray()
        likeness[np.arange(len(users)), users] = 0
        found = np.zeros((len(users), F.shape[1]))
        for place in range(len(users)):
            near = np.argpartition(-likeness[place], k)[:k]
            found[place] = (own[near].T @ likeness[place][near]) / (likeness[place][near].sum() + 1e-9)
        return found

    rows: list[tuple[str, Callable[[Integers], Floats]]] = [
        ("top, all time", lambda users: np.tile(popular, (len(users), 1))),
        ("top, last 60 days", lambda users: np.tile(recent, (len(users), 1))),
        ("own frequency, then recent top", lambda users: F[users].toarray() + tail),
        *(
            (f"own, half-life {days} d, then recent top", lambda users, one=decayed(days): one[users].toarray() + tail)
            for days in (30, 90, 180)
        ),
        ("item-item cosine", lambda users: (own[users] @ pairs).toarray()),
        (
            "own 90 d + 0.1 item-item + recent top",
            lambda users: _even(own[users].toarray()) + 0.1 * _even((own[users] @ pairs).toarray()) + tail,
        ),
        ("own 90 d + user-kNN(300), half each", lambda users: _even(own[users].toarray()) + _even(alike(users))),
    ]
    try:
        implicit = importlib.import_module("implicit")
    except ImportError:
        return rows
    model = implicit.als.AlternatingLeastSquares(factors=64, regularization=0.05, iterations=15, random_state=1)
    model.fit((F * 10).astype(np.float32).tocsr(), show_progress=False)

    def factors(users: Integers) -> Floats:
        return np.asarray(model.user_factors[users] @ model.item_factors.T, dtype=float)

    rows.insert(-1, ("implicit ALS, 64 factors", factors))
    rows.insert(
        -1,
        (
            "own 90 d + 0.3 ALS",
            lambda users: _even(own[users].toarray()) + 0.3 * _even(np.maximum(factors(users), 0)),
        ),
    )
    return rows


def _even(scores: Floats) -> Floats:
    return scores / (scores.max(axis=1, keepdims=True) + 1e-9)


def _lists(world: World, score: Callable[[Integers], Floats]) -> tuple[Lists, Lists]:
    """The best ten of all items, and of those new to her."""
    best, new = [], []
    for start in range(0, len(world.users), 500):
        users = world.users[start : start + 500]
        scores = np.array(score(users), dtype=float)
        best += [_top(row) for row in scores]
        row, column = world.days[users].nonzero()
        scores[row, column] = -np.inf
        new += [_top(one) for one in scores]
    return best, new


def _top(scores: Floats) -> Integers:
    best = np.argpartition(-scores, TOP)[:TOP]
    return np.asarray(best[np.argsort(-scores[best])])


def _judge(world: World, best: Lists, new: Lists) -> dict[str, Floats]:
    found: dict[str, list[float]] = {name: [] for name in ("recall", "NDCG", "hit", "recall new", "hit new")}
    for place, truth in enumerate(world.truth):
        right = np.isin(best[place], truth)
        found["recall"].append(right.sum() / len(truth))
        discount = np.log2(np.arange(2, 2 + max(len(right), min(TOP, len(truth)))))
        found["NDCG"].append((right / discount[: len(right)]).sum() / (1 / discount[: min(TOP, len(truth))]).sum())
        found["hit"].append(float(right.any()))
        unknown = np.setdiff1d(truth, world.days[world.users[place]].indices)
        if len(unknown):
            right = np.isin(new[place], unknown)
            found["recall new"].append(right.sum() / len(unknown))
            found["hit new"].append(float(right.any()))
    return {name: np.array(values) for name, values in found.items()}


def _print(name: str, found: dict[str, Floats], seconds: float) -> None:
    print(f"| {name} | {' | '.join(f'{values.mean():.4f}' for values in found.values())} | {seconds:.1f} |", flush=True)


def _bootstrap(difference: Floats) -> tuple[float, float]:
    draw = np.random.default_rng(1)
    means = [difference[draw.integers(0, len(difference), len(difference))].mean() for _ in range(1_000)]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


if __name__ == "__main__":
    sys.exit(main())
