"""From rows to predictions at a million customers, beside the summary by hand, with Polars, and lifetimes.

    python -m benchmarks.clv [--customers 1000000] [--rows 10000000] [--lifetimes PYTHON]

lifetimes is no dependency and wants libraries of its own: PYTHON is an interpreter that has it (a virtual environment
with `pip install lifetimes==0.11.3`). Each side works in a process of its own; its likelihood must be ours.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

PEERS = Path(__file__).parent / "peers"
END = "2025-12-31"
HORIZON = 90
PARAMETERS = ("r", "alpha", "a", "b")
ALIKE = 1e-2
"""Share by which a parameter of the same optimum may differ between two searches: the likelihood is flat there."""

STAGES = {
    "summary": ("summary of {rows:,} rows", "at least 5 times"),
    "fit": ("BG/NBD of {customers:,} customers", "at least 15 times, aim 25"),
    "p_alive": ("P(alive)", "at least 3 times"),
    "p_active": ("P(active in 90 days)", ""),
    "expected_purchases": ("expected purchases in 90 days", "at least 3 times"),
    "everything": ("everything with intervals", ""),
}

Told = dict[str, dict[str, float]]


def rows_of(customers: int, rows: int) -> dict[str, np.ndarray]:
    """Customers with rates and leaving of their own, in two years, rows in no order."""
    chance = np.random.default_rng(7)
    first = chance.integers(0, 730, customers)
    stays = np.minimum(chance.gamma(0.7, 500, customers), 730 - first)
    weight = chance.gamma(0.9, 1.0, customers) * stays
    more = chance.multinomial(rows - customers, weight / weight.sum())
    who = np.repeat(np.arange(customers), more)
    day = first[who] + np.floor(chance.random(len(who)) * stays[who]).astype(np.int64)
    who, day = np.concatenate([np.arange(customers), who]), np.concatenate([first, day])
    order = chance.permutation(len(who))
    dates = np.datetime64("2024-01-02", "us") + day[order] * np.timedelta64(1, "D")
    return {"customer_id": who[order], "date": dates, "amount": chance.lognormal(3.3, 0.6, len(who)).round(2)}


def told_by(*command: str) -> tuple[Told, dict[str, float]]:
    """What another process printed: a line for each stage, and perhaps its parameters at the end."""
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    read: list[dict[str, Any]] = [json.loads(line) for line in lines]
    stages = {one["stage"]: one for one in read if "stage" in one}
    return stages, next((one for one in read if "stage" not in one), {})


def beside(ours: Told, theirs: Told, name: str) -> str:
    """Their seconds and memory, and how many times ours."""
    if name not in theirs:
        return "| | | |"
    here, there = ours[name], theirs[name]
    times = f"{there['wall'] / here['wall']:.1f} / {there['cpu'] / here['cpu']:.1f}"
    memory = f"{there['mib']:,.0f} ({here['mib'] / max(there['mib'], 1):.2f})"
    return f"| {there['wall']:.2f} / {there['cpu']:.2f} | **{times}** | {memory} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--lifetimes", metavar="PYTHON", help="an interpreter that has lifetimes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rows.npz")
        columns: dict[str, Any] = rows_of(options.customers, options.rows)
        np.savez(file, **columns, end=np.array(END), horizon=np.array(HORIZON))
        ours, fit = told_by(sys.executable, "-m", "benchmarks.peers.with_ours", file)
        hand, _ = told_by(sys.executable, "-m", "benchmarks.peers.by_hand", file)
        polars, _ = told_by(sys.executable, "-m", "benchmarks.peers.with_polars", file)
        there = options.lifetimes
        theirs, params = told_by(there, str(PEERS / "with_lifetimes.py"), file) if there else ({}, {})
    print("| work | wall s | CPU s | MiB above | lifetimes, wall / CPU | times | its MiB (ours of it) | promised |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (words, promised) in STAGES.items():
        one = ours[name]
        line = (
            f"| {words.format(rows=options.rows, customers=options.customers)} | {one['wall']:.2f} | {one['cpu']:.2f}"
        )
        print(f"{line} | {one['mib']:,.0f} {beside(ours, theirs, name)} {promised} |")
    one = ours["summary"]
    print("\n| the summary once more | wall s | CPU s | MiB above | ours of it, wall / CPU | promised |")
    print("| --- | --- | --- | --- | --- | --- |")
    for words, peer, promised in (("DuckDB by hand", hand, "at most 1.2"), ("Polars", polars, "beside")):
        other = peer["summary"]
        ratio = f"**{one['wall'] / other['wall']:.2f} / {one['cpu'] / other['cpu']:.2f}**"
        print(f"| {words} | {other['wall']:.2f} | {other['cpu']:.2f} | {other['mib']:,.0f} | {ratio} | {promised} |")
    print()
    print(f"{fit['rows']:,} distinct rows, {fit['evaluations']} evaluations of the likelihood")
    apart = {name: abs(params[name] / fit[name] - 1) for name in PARAMETERS} if params else {}
    if any(value > ALIKE for value in apart.values()):
        raise SystemExit(f"another optimum than lifetimes: {apart}")


if __name__ == "__main__":
    main()
