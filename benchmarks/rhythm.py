"""What a rhythm, kept strictly or loosely, does to what is expected and to who is warned of.

    python -m benchmarks.rhythm [FILES...] [--customers 20000] [--seeds 42 43]

Of each file (customer_id, date; the rule of `benchmarks.untouched`) and of invented chains (120 days are held back):
the models without a rhythm, with a strict one, with 0.3 and 0.5 of the former, and which of them the past before the
cut chose. Files without a rhythm are named only. For invented chains the warnings beside, thresholds from before it.
"""

import argparse
import datetime as dt
from pathlib import Path

import numpy as np
from benchmarks.let_go import bought_of
from benchmarks.untouched import Split

from changke.engine import churn, synthetic
from changke.engine.clv.statistics import Floats
from changke.engine.prediction import rhythm
from changke.engine.prediction.days import Days
from changke.engine.prediction.holdout import banded, gap
from changke.engine.prediction.models import Blend, Rhythm
from changke.engine.prediction.past import area

HELD_BACK = 120
AHEAD = 90
NOW = dt.datetime(2026, 11, 21, 4, tzinfo=dt.UTC)


def judge(name: str, days: Days, cut: int, horizon: int) -> None:
    """Everything is chosen on what was known at the cut."""
    past = days.known_at(cut)
    chosen, window = rhythm.learned(past, horizon), days.until(cut)
    print(f"\n{name}: {len(window)} customers, {horizon} days ahead, regularity {rhythm.regularity(past.dated()):.2f}")
    if chosen.k == 1:
        print("no rhythm is taken up")
        return
    known, came = window.summary(), window.outcome(horizon)[0]
    ways = {
        "no rhythm": Rhythm(),
        **{f"k = {chosen.k}, {one:.0%} by chance": Rhythm(chosen.k, one) for one in rhythm.LOOSENESS},
    }
    print("\n| models | RMSE | Brier | surprise | decile gap | AUC |\n| --- | --- | --- | --- | --- | --- |")
    for label, way in ways.items():
        said = measured(*Blend.fitted(known, way).ask(known, horizon), came)
        mark = "**" if way == chosen else ""
        print(f"| {mark}{label}{mark} | " + " | ".join(f"{one:.4f}" for one in said) + " |")


def measured(expected: Floats, active: Floats, came: Floats) -> tuple[float, ...]:
    """Squared errors of days and chance, mean surprise, gap of the tenths, ranking."""
    there = came > 0
    sure = np.clip(active, rhythm.SURE, 1 - rhythm.SURE)
    surprise = float(-np.log(np.where(there, sure, 1 - sure)).mean())
    rmse, brier = float(np.sqrt(((expected - came) ** 2).mean())), float(((active - there) ** 2).mean())
    return rmse, brier, surprise, gap(banded(active, there.astype(float))), area(came, active)


def warnings(rows: dict[str, Floats]) -> None:
    """Fixed days, one BG/NBD, the default."""
    print(
        "\n| rule | threshold | precision | recall | lead days | false per 100 |\n| --- | --- | --- | --- | --- | --- |"
    )
    for models in ("default", "BG/NBD"):
        for one in churn.backtest(rows, horizon_days=AHEAD, models=models).rules:
            if (one.kind in {"outlook", "fall"} and not one.latest_days) or (
                one.kind == "fixed" and models == "default"
            ):
                name = one.rule if one.kind == "fixed" else f"{one.rule}, {models}"
                print(
                    f"| {name} | {one.threshold:g} | {one.precision:.3f} | {one.recall:.3f} | {one.lead_days:.0f}"
                    f" | {one.false_per_100:.1f} |"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[42, 43])
    options = parser.parse_args()
    for file in options.files:
        split = Split.of(file, "customer_id", "date", "amount")
        judge(split.name, split.days, split.window.cut, split.horizon)
    for seed in options.seeds:
        world = synthetic.invent(seed, today=NOW.date(), customers=options.customers, until=NOW)
        who, day = bought_of(world)
        rows = {"customer_id": who, "date": day.astype("datetime64[D]")}
        days = Days.of(rows, observation_end=NOW.date())
        judge(f"invented, seed {seed}", days, days.end - HELD_BACK, AHEAD)
        warnings(rows)


if __name__ == "__main__":
    main()
