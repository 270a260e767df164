"""How well experiments see what a message does, where what it does was planted.

    python -m benchmarks.uplift [--seeds 40] [--customers 8000]

For each seed a chain is invented and a message played in it (`changke.engine.synthetic.campaign`): half of the
customers are written to; of those who would have stayed away for 30 days it moves 20 % if they had been silent for 60
days and more, and 2 % of the others. Then the same with a message that moves nobody. The lift is held against what the
message truly did to these customers; the order by uplift is learned on half of the customers and judged on the other
half, beside an order by who comes. Nothing here depends on speed. `benchmarks.planted` prints the same table.
"""

import argparse
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from changke.engine.experiments import (
    Moments,
    UpliftModel,
    advise,
    lift,
    qini,
    rate_lift,
    sample_ratio,
    uplift_among_top,
)
from changke.engine.synthetic import invent
from changke.engine.synthetic.campaign import Campaign, campaign

TODAY, SENT_ON = dt.date(2026, 6, 30), dt.date(2026, 5, 31)
PLANTED = {"moves 20 % of the long silent, 2 % of the others": (0.2, 0.02), "moves nobody": (0.0, 0.0)}


@dataclass(frozen=True)
class Seen:
    """What one experiment said, and whether the truth lay in it."""

    effect: float
    estimate: float
    holds: bool
    holds_money: bool
    even: bool
    qini: float
    above_chance: bool
    top: float
    who_comes_above_chance: bool
    advice: str


def seen(played: Campaign, *, seed: int) -> Seen:
    arm, features = played.treated, what_was_known(played)
    counts = (int((~arm).sum()), int(arm.sum()))
    rates = (Moments.of_rate(n, int(played.came[some].sum())) for n, some in zip(counts, (~arm, arm), strict=True))
    came = rate_lift(*rates).difference
    money = lift(Moments.of(played.spent_minor[~arm]), Moments.of(played.spent_minor[arm])).per_customer
    draw = np.random.default_rng(seed)
    learn = draw.random(len(played)) < 0.5
    model = UpliftModel.fit(features[learn], arm[learn], played.came[learn])
    others, there = arm[~learn], played.came[~learn]
    score, response = model.predict(features[~learn]), model.response(features[~learn], treated=False)
    by_uplift, by_response = (qini(there, one, others, generator=draw, random_orders=100) for one in (score, response))
    return Seen(
        played.effect, came.estimate, came.low <= played.effect <= came.high,
        money.low <= played.effect_minor <= money.high, not sample_ratio(counts, [5_000, 5_000]).is_suspect,
        by_uplift.value, by_uplift.is_above_chance, uplift_among_top(there, score, others),
        by_response.is_above_chance, advise(came, uplift=by_uplift, response=by_response).value,
    )  # fmt: skip


def what_was_known(played: Campaign) -> np.ndarray:
    return np.column_stack([np.log1p(played.silent_days), np.log1p(played.purchases), played.mean_minor / 100])


def played(seeds: int, customers: int, moves: tuple[float, float]) -> Iterator[Seen]:
    for seed in range(seeds):
        world = invent(seed, today=TODAY, customers=customers, stores=4, years=2)
        message = campaign(world, seed=seed, sent_on=SENT_ON, moves_silent=moves[0], moves_others=moves[1])
        yield seen(message, seed=seed)


def table(seeds: int, customers: int) -> None:
    print(
        f"\n| {seeds} messages to {customers:,} customers each | came more: true, said"
        " | 95 % hold the truth: came, money | Qini | above chance | effect among the best 30 %"
        " | order by who comes above chance | advice |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, moves in PLANTED.items():
        found = list(played(seeds, customers, moves))
        mean = {
            key: float(np.mean([getattr(one, key) for one in found])) for key in ("effect", "estimate", "qini", "top")
        }
        number = {
            key: sum(getattr(one, key) for one in found)
            for key in ("holds", "holds_money", "above_chance", "who_comes_above_chance", "even")
        }
        advice = ", ".join(f"{code} {times}" for code, times in Counter(one.advice for one in found).most_common())
        print(
            f"| {name} | {mean['effect']:.2%}, {mean['estimate']:.2%} | {number['holds']}, {number['holds_money']}"
            f" | {mean['qini']:.3f} | {number['above_chance']} | {mean['top']:.2%} | {number['who_comes_above_chance']}"
            f" | {advice} |"
        )
    print(f"\nsplit as it should be, by the check of sample ratios: {number['even']} of {seeds}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--customers", type=int, default=8_000)
    asked = parser.parse_args()
    table(asked.seeds, asked.customers)


if __name__ == "__main__":
    main()
