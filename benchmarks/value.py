"""What is expected of everybody, over facts already mirrored, part by part.

    python -m benchmarks.value FOLDER --customers 1000000 --purchases 10000000

Reads the purchase days by the product's definitions, learns, examines, and predicts; the rows are not written.
"""

import argparse
import json
import resource
import time
from functools import partial
from pathlib import Path

from benchmarks.refresh import TODAY, mirrored

from changke.engine.engines import duckdb as on_duckdb
from changke.engine.prediction.fitted import fit
from changke.engine.prediction.holdout import holdout
from changke.engine.prediction.known import Known
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.scores import in_parts, predictions, purchase_days
from changke.profiles.attributes.catalogue import COMPOSER

HORIZON_DAYS = 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, tuple[float, float]] = {}
    since, busy = time.perf_counter(), time.process_time()

    def part(name: str) -> None:
        nonlocal since, busy
        now, used = time.perf_counter(), time.process_time()
        parts[name] = (round(now - since, 2), round(used - busy, 2))
        since, busy = now, used

    with mirrored(asked.folder, asked.customers, asked.purchases) as duck:
        since, busy = time.perf_counter(), time.process_time()
        asked_for = (COMPOSER.rows(name, engine="duckdb") for name in ("days_bought", "days_before"))
        bought, before = (on_duckdb.run(duck, one, {"today": TODAY}).fetchnumpy() for one in asked_for)
    part("read")
    days = purchase_days(bought, before, today=TODAY)
    del before
    part("purchase days")
    fitted = fit(days, horizon_days=HORIZON_DAYS)
    part("fit")
    card = holdout(days, horizon_days=HORIZON_DAYS)
    part("report card")
    known = Known.of(days, bought)
    part("sum up")
    asked_of = partial(
        predictions, fitted, margins=Margins.of(bought), margin_percent=60, discount_percent=10, worth_years=3
    )
    said = in_parts(asked_of, known)
    part("predict")
    print(f"{len(said['customer_id']):,} customers, {len(days.day):,} purchase days")
    for name, (wall, cpu) in parts.items():
        print(f"{name:<16}{wall:>8.2f} s {cpu:>8.2f} s of processor")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps({"parts": parts, "peak_gib": round(peak, 2), "auc": card.auc if card else None}))


if __name__ == "__main__":
    main()
