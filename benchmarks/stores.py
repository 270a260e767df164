"""Do models of stores help? The default outlook without boosting, told the stores and not told, on the same rows.

    python -m benchmarks.stores [--seeds 10] [--large] [FILE:STORE ...] [--customer NAME --date NAME --amount NAME]

Without a file: invented chains of eight stores with 400 customers and of two large and six small ones, whose rate and
leaving differ by nothing, a little and much (the deviation of the logarithm of the rate; that of the log-odds of
leaving is twice it), learned from 640 days and held against 90. `--large`: how long a fit takes at 100,000 customers of
20 stores. Files are split by the rule of `benchmarks.untouched`; a customer belongs to the store of her first row.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
from benchmarks.accuracy import gap_of_deciles
from benchmarks.untouched import KNOWN, LONGEST_DAYS

from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.past import area

END, SPAN, AHEAD = np.datetime64("2026-06-30", "D"), 730, 90
LEAVE = 0.12
DIFFER = (0.0, 0.1, 0.2, 0.4)
SIZES = {"8 x 400": (400,) * 8, "2 x 1,200, 6 x 80": (1200,) * 2 + (80,) * 6}
TIMES = 400


@dataclass(frozen=True)
class Met:
    """How a fit met what came: root of the mean squared error of days; AUC and Brier score of the chance, and the mean
    gap of its tenths."""

    fitted: Fitted
    seconds: float
    expected: np.ndarray
    active: np.ndarray
    came: np.ndarray

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        there = self.came > 0
        rmse = float(np.sqrt(((self.expected - self.came) ** 2).mean()))
        brier = float(((self.active - there) ** 2).mean())
        return rmse, area(self.came, self.active), brier, gap_of_deciles(self.active, there)


def chain(sizes: tuple[int, ...], differ: float, seed: int) -> Days:
    """An invented chain: gaps by chance at a rate of each customer's own, times that of her store."""
    chance = np.random.default_rng(seed)
    who: list[int] = []
    when: list[int] = []
    store: list[int] = []
    for number, customers in enumerate(sizes):
        pace = float(np.exp(chance.normal(0, differ)))
        leave = 1 / (1 + np.exp(-(np.log(LEAVE / (1 - LEAVE)) + chance.normal(0, 2 * differ))))
        for _ in range(customers):
            day, gap = float(chance.integers(0, SPAN)), (float(chance.gamma(1.5, 30)) + 2) / pace
            while day <= SPAN:
                who.append(len(store))
                when.append(int(day))
                if chance.random() < leave:
                    break
                day += float(chance.exponential(gap)) + 1
            store.append(number)
    paid = chance.lognormal(3, 0.5, len(who)).round(2)
    days = Days.from_days(
        np.array(who), END - (SPAN - np.array(when)) * np.timedelta64(1, "D"), paid, observation_end=END
    )
    return replace(days, store=np.array(store))


def both(days: Days, cut: int, horizon: int) -> tuple[Met, Met]:
    """Without and with the stores."""
    window = days.until(cut)
    known, came = days.known_at(cut), window.outcome(horizon)[0]
    found = []
    for given in (replace(known, store=None), known):
        began = time.perf_counter()
        fitted = fit(given, horizon_days=horizon)
        seconds = time.perf_counter() - began
        said = fitted.ask(window.summary())
        found.append(Met(fitted, seconds, said["expected_purchases"], said["p_active"], came))
    return found[0], found[1]


def invented(seeds: int) -> None:
    print("| stores | differ by | chosen | RMSE | AUC | Brier score | decile gap |\n|" + " --- |" * 7)
    for label, sizes in SIZES.items():
        for differ in DIFFER:
            pairs = [
                both(days, days.end - AHEAD, AHEAD) for seed in range(seeds) for days in [chain(sizes, differ, seed)]
            ]
            chosen = [bool(with_.fitted.stores.own) for _, with_ in pairs]
            alone, theirs = (np.array([pair[i].numbers for pair in pairs]).mean(axis=0) for i in (0, 1))
            print(f"| {label} | {differ} | {sum(chosen)} of {seeds} | {between(alone, theirs)} |", flush=True)


def between(alone: np.ndarray | tuple[float, ...], theirs: np.ndarray | tuple[float, ...]) -> str:
    return " | ".join(f"{one:.4f} -> {other:.4f}" for one, other in zip(alone, theirs, strict=True))


def of_file(file: Path, store: str, customer: str, date: str, amount: str) -> None:
    source = duckdb.read_parquet(str(file)) if file.suffix == ".parquet" else duckdb.read_csv(str(file))
    money = f', "{amount}"::DOUBLE AS amount' if amount in source.columns else ""
    rows = source.select(f'"{customer}" AS customer_id, "{date}"::DATE AS date, "{store}" AS store{money}')
    rows = rows.filter("customer_id IS NOT NULL AND date IS NOT NULL" + (" AND amount > 0" if money else ""))
    [(first, last)] = rows.aggregate("min(date), max(date)").fetchall()
    days = Days.of(rows, observation_end=last, store="store")
    begin = int((np.datetime64(first, "D") - EPOCH) / np.timedelta64(1, "D"))
    cut = begin + int(KNOWN * (days.end - begin))
    horizon = min(LONGEST_DAYS, days.end - cut)
    alone, theirs = both(days, cut, horizon)
    print(f"\n### {file.stem} by {store}: {len(alone.came)} customers, {cut - begin + 1} days known, {horizon} ahead\n")
    print(theirs.fitted.why_stores)
    print("| RMSE | AUC | Brier score | decile gap |\n| --- | --- | --- | --- |")
    print(f"| {between(alone.numbers, theirs.numbers)} |")
    if theirs.fitted.stores.own:
        print("with - without, 90 % of customers drawn anew:", drawn_anew(alone, theirs))


def drawn_anew(alone: Met, theirs: Met) -> str:
    chance, found = np.random.default_rng(0), []
    for _ in range(TIMES):
        some = chance.integers(0, len(alone.came), len(alone.came))
        one, other = (
            replace(met, expected=met.expected[some], active=met.active[some], came=met.came[some])
            for met in (alone, theirs)
        )
        found.append(np.subtract(other.numbers, one.numbers))
    low, high = np.quantile(found, [0.05, 0.95], axis=0)
    names = ("RMSE", "AUC", "Brier score", "decile gap")
    return ", ".join(f"{name} {a:+.4f}..{b:+.4f}" for name, a, b in zip(names, low, high, strict=True))


def large() -> None:
    days = chain((5_000,) * 20, 0.2, 0)
    alone, theirs = both(days, days.end - AHEAD, AHEAD)
    began = time.perf_counter()
    known = days.until(days.end).summary()
    seconds = []
    for fitted in (alone.fitted, theirs.fitted):
        began = time.perf_counter()
        fitted.ask(known)
        seconds.append(time.perf_counter() - began)
    print(
        f"\n{len(known)} customers, 20 stores: fit {alone.seconds:.1f} s -> {theirs.seconds:.1f} s, asked of everybody"
    )
    print(f"{seconds[0]:.2f} s -> {seconds[1]:.2f} s, text of the fit {len(theirs.fitted.to_json())} bytes")
    print(f"{theirs.fitted.why_stores}\n{between(alone.numbers, theirs.numbers)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="FILE:STORE, the column that names the store")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--large", action="store_true")
    for name in ("customer", "date", "amount"):
        parser.add_argument(f"--{name}", default="customer_id" if name == "customer" else name)
    given = parser.parse_args()
    for named in given.files:
        file, _, store = named.rpartition(":")
        of_file(Path(file), store, given.customer, given.date, given.amount)
    if given.large:
        large()
    if not given.files and not given.large:
        invented(given.seeds)


if __name__ == "__main__":
    main()
