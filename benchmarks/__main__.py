"""The benchmarks that need nothing but room, one after the other: `make bench`. Each prints its own table;
docs/benchmarks.md keeps the last ones, and names the commands of the others.

    python -m benchmarks [--folder DIR] [--customers N] [--purchases N]

With the default size it takes about an hour on two cores and 25 GB of disk. `--customers 50000 --purchases 500000` is a
quick look.
"""

import argparse
import subprocess
import sys
import tempfile


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="where the invented world is kept between runs")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="changke-bench-")
    size = ["--customers", str(options.customers), "--purchases", str(options.purchases)]
    codes = [
        subprocess.run([sys.executable, "-m", name, *words], check=False).returncode
        for name, words in [
            ("benchmarks.load", [folder, "--rows", str(options.customers)]),
            ("benchmarks.audit", [folder, "--lines", str(options.customers)]),
            ("benchmarks.refresh", [folder, *size]),
            ("benchmarks.one_customer", [folder, *size]),
            ("benchmarks.pages", [folder, *size]),
            ("benchmarks.duplicates", [f"{folder}/duplicates", "--customers", str(options.customers)]),
            ("benchmarks.first_paint", [f"{folder}/demo"]),
        ]
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
