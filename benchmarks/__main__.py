"""The benchmarks that need nothing but room, one after the other: `make bench`. Each prints its own table;
docs/benchmarks.md keeps the last ones, and names the commands of the others.

    python -m benchmarks [--folder DIR] [--customers N] [--purchases N] [--only NAME] [--json]

With the default size it takes about an hour on two cores and 25 GB of disk. `--customers 50000 --purchases 500000` is a
quick look. With `--json` the tables go to stderr, and the last line of stdout is one object: of each benchmark its
numbers and whether what is promised was kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.told import FILE

NAMES = ("load", "audit", "refresh", "one_customer", "pages", "duplicates", "first_paint")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="changke bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="where the invented world is kept between runs")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--only", action="append", choices=NAMES, help="this one; repeat it for several")
    parser.add_argument("--json", action="store_true", help="print the numbers as one JSON object, on the last line")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="changke-bench-")
    size = ["--customers", str(options.customers), "--purchases", str(options.purchases)]
    words = {
        "load": [folder, "--rows", str(options.customers)],
        "audit": [folder, "--lines", str(options.customers)],
        "refresh": [folder, *size],
        "one_customer": [folder, *size],
        "pages": [folder, *size],
        "duplicates": [f"{folder}/duplicates", "--customers", str(options.customers)],
        "first_paint": [f"{folder}/demo"],
    }
    found = {name: measured(name, words[name], quiet=options.json) for name in options.only or NAMES}
    kept = all(one["kept"] for one in found.values())
    if options.json:
        print(json.dumps({"ok": kept, "benchmarks": found}, ensure_ascii=False))
    return 0 if kept else 1


def measured(name: str, words: list[str], *, quiet: bool) -> dict[str, Any]:
    """What one benchmark told, in a process of its own; its table on stdout or, where that is for data, on stderr."""
    with tempfile.TemporaryDirectory() as place:
        told = Path(place) / "told.json"
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *words],
            check=False, stdout=sys.stderr.fileno() if quiet else None, env=os.environ | {FILE: str(told)},
        )  # fmt: skip
        numbers = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
        return {"kept": done.returncode == 0, **numbers}


if __name__ == "__main__":
    sys.exit(main())
