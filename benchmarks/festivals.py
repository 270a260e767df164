"""Purchase days said and come in windows around Spring Festival, with the calendar and without, on a made-up chain.

    python -m benchmarks.festivals [--customers 20000] [--seeds 42 7]

The chain was made before anybody thought of a calendar in the models (`engine/synthetic/seasons.py`): fuller from 24 to
4 days before the festival, shut for five days, nearly empty until the 12th after it. The models know of each cut only
what was there before it.
"""

import argparse
import datetime as dt

import numpy as np

from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.synthetic import World, invent

CUTS = ("2025-01-04", "2025-01-28", "2025-02-10", "2025-07-01", "2026-01-23", "2026-02-05", "2026-02-16", "2026-03-01")
HORIZONS = (30, 60, 90)
UNTIL = dt.date(2026, 6, 30)


def days_of(world: World, end: dt.date) -> Days:
    rows = world.receipts
    who, day = np.asarray(rows.customer), np.asarray(rows.business_date).astype("datetime64[D]")
    there = (who >= 0) & (day <= np.datetime64(end))
    return Days.from_days(who[there], day[there], np.asarray(rows.cash_minor, float)[there], observation_end=end)


def said(fitted: Fitted, days: Days) -> float:
    return float(fitted.ask(days.until(days.end).summary())["expected_purchases"].sum())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 7])
    given = parser.parse_args()
    print("| cut | days | holidays | none: total | chinese: total |\n| --- | --- | --- | --- | --- |")
    missed: dict[str, list[float]] = {"none": [], "chinese": []}
    for seed in given.seeds:
        world = invent(seed, today=UNTIL, customers=given.customers, stores=12, years=5)
        everything = days_of(world, UNTIL)
        for cut in CUTS:
            known = days_of(world, dt.date.fromisoformat(cut))
            window = everything.until(known.end)
            for horizon in HORIZONS:
                came = float(window.outcome(horizon)[0].sum())
                fits = {name: fit(known, horizon_days=horizon, calendar=name) for name in missed}
                off = {name: said(one, known) / came - 1 for name, one in fits.items()}
                for name, one in off.items():
                    missed[name].append(abs(one))
                pace = fits["chinese"].holidays
                print(f"| {cut} | {horizon} | {pace:.2f} | {off['none']:+.1%} | {off['chinese']:+.1%} |")
    print({name: f"{np.mean(all_of_them):.1%}" for name, all_of_them in missed.items()}, "missed on average")


if __name__ == "__main__":
    main()
