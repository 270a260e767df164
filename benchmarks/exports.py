"""Customers leaving the house as files: seconds and peak memory, of many and of a tenth of them.

    python -m benchmarks.exports FOLDER [--customers 200000] [--formats csv xlsx parquet]

Each file is made in a process of its own, whose peak is taken from the operating system: that of all must be hardly
above that of a tenth, or memory grows with the rows. An owner asks, so phones are opened.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks import pages
from benchmarks.filled import filled

GROWTH_AT_MOST_MB = 60
"""Buffers of the writers fill once; a row kept for each customer would be hundreds."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--formats", nargs="+", default=["csv", "xlsx", "parquet"])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return _child(*options.child)
    folder, failed = options.folder.resolve(), 0
    folder.mkdir(parents=True, exist_ok=True)
    with filled(folder, options.customers, options.customers):
        pages._people()
        print(f"\n{'format':10}{'rows':>10}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}{'file MB':>10}")
        for name in options.formats:
            peaks = []
            for rows in (options.customers // 10, options.customers):
                made = _made_apart(folder, name, rows)
                peaks.append(made["peak_mb"])
                print(
                    f"{name:10}{made['rows']:>10,}{made['seconds']:>10.1f}{made['cpu']:>10.1f}{made['peak_mb']:>10}"
                    f"{made['file_mb']:>10.1f}"
                )
                failed += made["rows"] != rows
            failed += peaks[1] - peaks[0] > GROWTH_AT_MOST_MB
    return int(failed > 0)


def _made_apart(folder: Path, name: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.exports", str(folder), "--child", name, str(rows)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    made: dict[str, float] = json.loads(told)
    return made


def _child(name: str, rows: str) -> int:
    import django  # noqa: PLC0415 -- settings read the environment of the parent

    django.setup()
    from django.conf import settings  # noqa: PLC0415

    from changke.foundation.database.rows_seen import seeing  # noqa: PLC0415
    from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415
    from changke.interfaces.exporters import FORMATS  # noqa: PLC0415
    from changke.interfaces.exporters.datasets import customers  # noqa: PLC0415
    from changke.interfaces.exporters.shape import Ask, Row  # noqa: PLC0415

    path = Path(settings.DATA_DIR) / f"export{FORMATS[name].SUFFIX}"
    count, most = 0, int(rows)

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in islice(customers.rows(Ask(CHAIN_WIDE, "", True, "CNY", "owner")), most):
            count += 1
            yield row

    begin = time.perf_counter()
    with seeing(CHAIN_WIDE):
        FORMATS[name].write(path, customers.COLUMNS, counted(), currency="CNY")
    used = resource.getrusage(resource.RUSAGE_SELF)
    made = {
        "rows": count, "seconds": time.perf_counter() - begin, "cpu": used.ru_utime + used.ru_stime,
        "peak_mb": _peak_mb(), "file_mb": path.stat().st_size / 1e6,
    }  # fmt: skip
    path.unlink()
    print(json.dumps(made))
    return 0


def _peak_mb() -> int:
    """`ru_maxrss` would not do: a new process begins with the peak of the one that started it."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    sys.exit(main())
