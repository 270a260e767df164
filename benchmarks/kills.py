"""A load whose worker is killed (SIGKILL) again and again, and finished in the end: nothing lost, nothing twice.

    python -m benchmarks.kills FOLDER --rows 1000000 --kills 20

The file is that of `benchmarks.load`: exactly 1 % bad rows of eight kinds. A child process runs the batch; it is killed
a random 20 to 500 ms after its count has passed the next of as many places, spread over the whole load (the first two
while it still reads and understands). Then the receipts, lines, tenders and customers are counted, and the error file
is mended and loaded again.
"""

import argparse
import csv
import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.load import HEADER, NOW, write_sales

from changke.foundation.database import launcher, rows_seen
from changke.foundation.organisation.scope import CHAIN_WIDE

SMALL = 100_000
CHILD = """
import sys, datetime, django
django.setup()
from changke.foundation.database import rows_seen
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.importers import pipeline
with rows_seen.seeing(CHAIN_WIDE):
    pipeline.run(int(sys.argv[1]), now=datetime.datetime.fromisoformat(sys.argv[2]),
                 progress=lambda done, total, step: print(step, done, flush=True))
"""


def killed_again_and_again(
    batch_id: int, *, rows: int, kills: int, environment: Mapping[str, str], now: dt.datetime, dice: random.Random
) -> tuple[int, float]:
    """Run the batch in a child, kill it at each place, let the last one finish. How many kills hit, and how long the
    children worked, in seconds."""
    places = [("reading", 0), ("understanding", 0)][: max(0, kills - 1)]
    left = kills - len(places)
    places += [("writing", rows * (number + 1) // (left + 1)) for number in range(left)]
    if rows <= SMALL:  # over before its count is told a second time: killed at any moment after it began
        places = [("reading", 0)] * kills
    hits, worked = 0, 0.0
    for place in [*places, None]:
        begin = time.perf_counter()
        command = [sys.executable, "-c", CHILD, str(batch_id), now.isoformat()]
        with subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                step, _, done = line.strip().rpartition(" ")
                if place is not None and step == place[0] and int(done) >= place[1]:
                    time.sleep(dice.uniform(0.02, 0.5) if rows > SMALL else dice.uniform(0.0, 0.4))
                    child.send_signal(signal.SIGKILL)
                    break
            child.stdout.read()
        worked += time.perf_counter() - begin
        hits += child.returncode == -signal.SIGKILL
        if child.returncode == 0:
            return hits, worked
    return hits, worked


def mended(error_file: Path, target: Path) -> int:
    """The error file with every bad cell put right, as a person would; how many rows."""
    with error_file.open(encoding="utf-8-sig", newline="") as source, target.open("w", encoding="utf-8") as out:
        rows = list(csv.DictReader(source))
        writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else HEADER)
        writer.writeheader()
        for row in rows:
            number = int(row["单号"].removeprefix("R"))
            good = {
                "日期": "2025-06-01 10:00",
                "手机号": f"139{number:08d}",
                "数量": "1",
                "单价": "10.00",
                "金额": "10.00",
            }
            writer.writerow({**row, **good, "门店": row["门店"] or "门店1"})
    return len(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--encoding", choices=("utf-8", "utf-8-sig", "gb18030"), default="gb18030")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"kills_{arguments.rows}.csv"
    bad = write_sales(file, arguments.rows, arguments.encoding)
    shutil.rmtree(folder / "server", ignore_errors=True)
    os.environ |= {
        "DATA_DIR": str(folder / "server"), "DATABASE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "changke.settings",
    }  # fmt: skip
    with launcher.running(folder / "server", say=print), rows_seen.seeing(CHAIN_WIDE):
        return _measure(file, arguments.rows, arguments.kills, bad)


def _measure(file: Path, rows: int, kills: int, bad: int) -> int:
    import django  # noqa: PLC0415 -- settings read the environment set above

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from changke.facts.purchases.models import Line, Receipt, Tender  # noqa: PLC0415
    from changke.foundation.batches.models import Batch  # noqa: PLC0415
    from changke.foundation.organisation.services import found_chain  # noqa: PLC0415
    from changke.interfaces.importers import pipeline  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    found_chain(name="Benchmark", now=NOW)
    batch = pipeline.start([pipeline.SourceFile(file, file.name)], kind="purchases", create=True, now=NOW)
    hits, worked = killed_again_and_again(
        batch.pk, rows=rows, kills=kills, environment=os.environ, now=NOW, dice=random.Random(42)
    )
    batch = Batch.objects.get(pk=batch.pk)
    receipts = Receipt.objects.count()
    twice = receipts - Receipt.objects.values("source_key").distinct().count()
    print(f"{hits} kills of {kills} hit; children worked {worked:.1f} s; batch {batch.status}")
    print(
        f"receipts {receipts:,}, lines {Line.objects.count():,}, tenders {Tender.objects.count():,} of {rows - bad:,}"
    )
    print(f"created {batch.created_count:,}, refused {batch.refused_count:,} of {bad:,}; lost {rows - bad - receipts}, "
          f"twice {twice}")  # fmt: skip
    right = (
        hits == kills
        and receipts == Line.objects.count() == Tender.objects.count() == batch.created_count == rows - bad
        and batch.refused_count == bad
        and not twice
    )
    target = file.with_name("mended.csv")
    again = mended(Path(batch.error_file), target)
    more = pipeline.start([pipeline.SourceFile(target, target.name)], kind="purchases", create=True, now=NOW)
    outcome = pipeline.run(more.pk, now=NOW)
    print(f"error file: {again:,} rows, mended and loaded: {outcome.created:,} created, {outcome.refused:,} refused")
    return 0 if right and outcome.created == again == bad and Receipt.objects.count() == rows else 1


if __name__ == "__main__":
    sys.exit(main())
