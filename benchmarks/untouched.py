"""How well the default outlook predicts transactions that nobody tuned on, beside lifetimes and our plain BG/NBD.

    python -m benchmarks.untouched FILE... [--lifetimes PYTHON] [--customer customer_id --date date --amount amount]

Any CSV or Parquet with a customer, a date and, if there is one, an amount. One rule of splitting for all of them, so
that nothing can be chosen after a look: known is the first 60 % of the days from the first to the last, told ahead is
the rest, up to 183 days. Rows without a customer, or with an amount of nothing or less, are left out for everybody.
Warnings are judged over the whole file with its own default cut, 90 days ahead or, where it is less, the horizon.
`--lifetimes` names a Python that has lifetimes 0.11.3; without it that row is left out.
"""

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from benchmarks.accuracy import bootstrap, gap_of_deciles, line
from scipy.stats import spearmanr

from changke.engine import churn, outlook
from changke.engine.clv import BGNBD, GammaGamma
from changke.engine.clv.statistics import Floats
from changke.engine.prediction.days import EPOCH, Days, Window
from changke.engine.prediction.holdout import interval_score
from changke.engine.prediction.past import area
from changke.engine.table import Table

KNOWN = 0.6
LONGEST_DAYS = 183
WARNED_DAYS = 90
PEER = Path(__file__).parent / "peers" / "said_by_lifetimes.py"
HEAD = ("MAE", "RMSE", "rank", "AUC expected", "AUC P(active)", "total", "decile gap", "spend rank", "spend total")


@dataclass(frozen=True)
class Split:
    """A file, cut by the rule above."""

    name: str
    rows: duckdb.DuckDBPyRelation
    left_out: int
    cut: np.datetime64
    horizon: int
    days: Days
    window: Window

    @classmethod
    def of(cls, file: Path, customer: str, date: str, amount: str) -> "Split":
        source = duckdb.read_parquet(str(file)) if file.suffix == ".parquet" else duckdb.read_csv(str(file))
        every = source.select(
            f'"{customer}" AS name, "{date}"::DATE AS date'
            + (f', "{amount}"::DOUBLE AS amount' if amount in source.columns else "")
        )
        whole = "name IS NOT NULL AND date IS NOT NULL" + (" AND amount > 0" if "amount" in every.columns else "")
        # Whole numbers by name, so that every library puts customers in one order.
        rows = every.filter(whole).select("dense_rank() OVER (ORDER BY name) AS customer_id, * EXCLUDE name")
        first, last, kept = rows.aggregate("min(date), max(date), count(*)").fetchall()[0]
        cut = np.datetime64(first, "D") + int(KNOWN * (last - first).days)
        horizon = min(LONGEST_DAYS, int((np.datetime64(last, "D") - cut).astype(int)))
        days = Days.of(rows, observation_end=last)
        left_out = source.aggregate("count(*)").fetchall()[0][0] - kept
        return cls(file.stem, rows, left_out, cut, horizon, days, days.until(int((cut - EPOCH).astype(int))))


def measured(
    came: Floats, money: Floats | None, expected: Floats, active: Floats | None, spend: Floats | None
) -> tuple[object, ...]:
    """One row of the table; "-" is what the model does not say."""
    numbers: list[object] = [
        float(np.abs(expected - came).mean()), float(np.sqrt(((expected - came) ** 2).mean())),
        float(spearmanr(expected, came)[0]), area(came > 0, expected),
        "-" if active is None else area(came > 0, active), f"{expected.sum() / max(came.sum(), 1e-9) - 1:+.1%}",
        "-" if active is None else gap_of_deciles(active, came > 0),
    ]  # fmt: skip
    if money is None or spend is None:
        return (*numbers, "-", "-")
    return (*numbers, float(spearmanr(spend, money)[0]), f"{spend.sum() / max(money.sum(), 1e-9) - 1:+.1%}")


def judge(split: Split, python: str | None) -> None:
    known, horizon = split.window.summary(), split.horizon
    came, paid = split.window.outcome(horizon)
    money = paid if split.days.has_money else None
    days_known = split.window.cut - split.days.first_day
    print(
        f"\n### {split.name}: {len(came)} customers, {days_known} days known up to {split.cut}, {horizon} ahead;"
        f" {(came > 0).mean():.1%} came; {split.left_out} rows left out\n"
    )
    print(f"| model | {' | '.join(HEAD)} |\n| --- {'| --- ' * len(HEAD)}|")
    peer = by_lifetimes(split, python) if python else {}
    if "expected" in peer:
        spend = peer["expected"] * peer["each"] if "each" in peer else None
        print(line(f"lifetimes BG/NBD{peer['how']}", measured(came, money, peer["expected"], None, spend)))
    elif python:
        print(f"| lifetimes BG/NBD | no fit with any penalty {'| ' * len(HEAD)}")
    model = BGNBD().fit(known)
    plain = model.expected_purchases(horizon, known.x, known.t_x, known.T)
    active = model.p_active(horizon, known.x, known.t_x, known.T)
    spend = plain * GammaGamma().fit(known).expected_spend(known) if money is not None else None
    print(line("BG/NBD here", measured(came, money, plain, active, spend)))
    said: dict[str, Table] = {}
    for label, boosting in (("outlook, models alone", False), ("outlook", True)):
        begun = time.perf_counter()
        one = outlook(split.rows, observation_end=split.cut, horizon_days=horizon, boosting=boosting)
        said[label] = one
        row = measured(came, money, one["expected_purchases"], one["p_active"], one.get("expected_spend"))
        print(line(f"**{label}** ({time.perf_counter() - begun:.0f} s)", row))
    print(f"\n{' '.join(one.notes)}\n")
    bootstrap(one["expected_purchases"], peer.get("expected", plain), came)
    for label, one in said.items():
        coverage(label, one, came, money)


def coverage(label: str, said: Table, came: Floats, money: Floats | None) -> None:
    low, high = said["purchases_low"], said["purchases_high"]
    inside = (came >= low) & (came <= high)
    order = np.argsort(said["expected_purchases"], kind="stable")
    thirds = ", ".join(f"{inside[some].mean():.1%}" for some in np.array_split(order, 3))
    paid = ""
    if money is not None:
        within = (money >= said["spend_low"] - 1e-9) & (money <= said["spend_high"] + 1e-9)
        paid = f"; money {within.mean():.1%}"
    print(
        f"80 % of {label}: said {said['purchases_inside'].mean():.1%}, days {inside.mean():.1%}"
        f" (thirds {thirds}){paid}; score {interval_score(low, high, came).mean():.2f}"
    )


def by_lifetimes(split: Split, python: str) -> dict[str, Floats]:
    """What lifetimes expects of the same customers, in the same order."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "rows.npz", Path(folder) / "answer.npz"
        np.savez(given, **split.rows.fetchnumpy(), end=str(split.cut), horizon=split.horizon)
        run = subprocess.run([python, PEER, given, answer], capture_output=True, text=True, check=True)
        found = dict(np.load(answer))
    how = json.loads(run.stdout.splitlines()[-1])  # it also prints why it did not converge
    place = np.searchsorted(found["customer_id"], split.days.customers[split.window.there])
    said = {name: column[place] for name, column in found.items()}
    penalties = [
        f"{name} {how[key]:g}" for name, key in (("penalty", "penalty"), ("of money", "money_penalty")) if how[key]
    ]
    return said | {"how": f" ({', '.join(penalties)})" if penalties else ""}  # type: ignore[dict-item]


def warnings(split: Split) -> None:
    said = churn.backtest(split.rows, horizon_days=min(WARNED_DAYS, split.horizon))
    print(f"\nWarnings: {said.signal}. {' '.join(said.notes)}\n")
    if not said.rules:
        return
    print(
        "| rule | threshold | precision | recall | lead days | false per 100 |\n| --- | --- | --- | --- | --- | --- |"
    )
    for rule in said.rules:
        numbers = (rule.precision, rule.recall, round(rule.lead_days) if rule.lead_days == rule.lead_days else "-")
        print(line(rule.rule, (f"{rule.threshold:g}", *numbers, round(rule.false_per_100, 1))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--lifetimes", metavar="PYTHON")
    parser.add_argument("--customer", default="customer_id")
    parser.add_argument("--date", default="date")
    parser.add_argument("--amount", default="amount")
    asked = parser.parse_args()
    for file in asked.files:
        split = Split.of(file, asked.customer, asked.date, asked.amount)
        judge(split, asked.lifetimes)
        warnings(split)


if __name__ == "__main__":
    main()
