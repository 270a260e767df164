"""`changke bench`: what we claim, measured. The benchmarks lie in a checkout, not in the package."""

import subprocess
import sys
from pathlib import Path

from changke.interfaces.cli.session import CannotRun

CHECKOUT = Path(__file__).resolve().parents[4]
HELP = """usage: changke bench [--folder DIR] [--customers N] [--purchases N] [--only NAME] [--json]

Measure loading, refreshing and answering, and print the tables of docs/benchmarks.md. About an hour and 25 GB of
disk with the default million of customers. It uses databases of its own, never the data folder (--data).

  --only NAME  this one of load, audit, refresh, one_customer, pages, duplicates, first_paint; repeat it for several
  --json       print the numbers as one JSON object, on the last line; the tables then go to stderr

example:
  changke bench --customers 50000 --purchases 500000"""


def bench(words: list[str]) -> int:
    """Run the benchmarks of this checkout; they read `words` themselves."""
    if "-h" in words or "--help" in words:
        print(HELP)
        return 0
    if not (CHECKOUT / "benchmarks" / "__main__.py").exists():
        raise CannotRun("the benchmarks lie in a checkout of the source: `make bench` there")
    return subprocess.run([sys.executable, "-m", "benchmarks", *words], check=False, cwd=CHECKOUT).returncode
