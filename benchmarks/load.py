"""Loading purchases from a file, against a raw COPY of the same accepted rows, in one run.

    python -m benchmarks.load FOLDER --rows 1000000

A CSV (CRLF, quoted commas and quotes, in the encoding asked for) of one-line receipts with exactly 1 % bad rows of
eight kinds goes through the whole importer in a process of its own, whose peak memory is taken from the operating
system; what an installation needs is measured where only requirements/server.lock is installed (pandas and polars,
which the tests bring, are loaded wherever they lie). Then the rows that were accepted are copied, typed, into twins of
the same tables with the same constraints, indexes and triggers: that is the raw COPY. Every bad row must be named, none
lost.

Seconds on a machine that does other things too say little: CPU seconds of the process and of the database stand beside
them.
"""

import argparse
import csv
import datetime as dt
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.told import tell

from changke.foundation.database import launcher, rows_seen
from changke.foundation.organisation.scope import CHAIN_WIDE

AT_LEAST = 0.25
AT_MOST_MB = 300
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
TABLES = ("facts_customer", "facts_identifier", "facts_receipt", "facts_line", "facts_tender")
HEADER = ["单号", "日期", "手机号", "姓名", "项目", "数量", "单价", "金额", "支付方式", "门店"]
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴", "芳娜敏静丽强磊军洋艳勇杰娟涛明超霞平"
BAD = (
    (1, "2025/13/40"), (2, "1.38E+10"), (7, "免费"), (1, "2031-01-01"), (6, "-9"), (7, "999999999999"), (9, None),
    (2, "138****0001"),
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--encoding", choices=("utf-8", "utf-8-sig", "gb18030"), default="utf-8")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if arguments.child:
        with rows_seen.seeing(CHAIN_WIDE):
            return _child(arguments.child)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"purchases_{arguments.rows}.csv"
    bad = write_sales(file, arguments.rows, arguments.encoding)
    shutil.rmtree(folder / "server", ignore_errors=True)
    os.environ |= {
        "DATA_DIR": str(folder / "server"), "DATABASE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "changke.settings",
    }  # fmt: skip
    with launcher.running(folder / "server", say=print), rows_seen.seeing(CHAIN_WIDE):
        return _compare(file, arguments.rows, bad)


def _compare(file: Path, rows: int, bad: int) -> int:
    import django  # noqa: PLC0415 -- settings read the environment set above

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from changke.foundation.organisation.services import found_chain  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    found_chain(name="Benchmark", now=NOW)
    before = server_cpu(file.parent / "server")
    command = [sys.executable, "-m", "benchmarks.load", str(file.parent), "--child", str(file)]
    loaded = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
    database = server_cpu(file.parent / "server") - before
    print(f"loaded in {loaded['seconds']:.1f} s; CPU s: database {database:.1f}, process {loaded['cpu']:.1f}; {loaded}")
    with rows_seen.aloud(), connection.cursor() as sql:  # COPY carries no setting of its own
        for setting in ("fsync", "synchronous_commit"):
            sql.execute(f"SHOW {setting}")
            (value,) = sql.fetchone()
            print(f"{setting} = {value}")
            if value == "off":
                return 1
        before = server_cpu(file.parent / "server")
        raw = _raw_copy(sql, file.parent)
        raw_database = server_cpu(file.parent / "server") - before
    print(f"\n{'':28}{'rows/s':>12}{'seconds':>10}{'CPU s, database':>18}{'CPU s, process':>18}")
    print(f"{'raw COPY of accepted rows':28}{loaded['created'] / raw:>12,.0f}{raw:>10.1f}{raw_database:>18.1f}")
    print(
        f"{'changke load':28}{rows / loaded['seconds']:>12,.0f}{loaded['seconds']:>10.1f}{database:>18.1f}"
        f"{loaded['cpu']:>18.1f}"
    )
    for step, seconds in loaded["steps"].items():
        print(f"{'  ' + step:28}{'':>12}{seconds:>10.1f}")
    print(f"CPU seconds in all: {database + loaded['cpu']:.1f}")
    ratio = (rows / loaded["seconds"]) / (loaded["created"] / raw)
    print(f"ratio {ratio:.2f} (at least {AT_LEAST}); peak memory {loaded['peak_mb']} MB (at most {AT_MOST_MB})")
    print(
        f"created {loaded['created']:,}, refused {loaded['refused']:,} of {bad:,} bad rows, "
        f"total {loaded['total']:,} of {rows:,}"
    )
    tell(
        rows=rows, seconds=loaded["seconds"], raw_copy_seconds=raw, ratio=ratio, ratio_at_least=AT_LEAST,
        cpu_seconds=database + loaded["cpu"], peak_mb=loaded["peak_mb"], peak_at_most_mb=AT_MOST_MB,
        created=loaded["created"], refused=loaded["refused"], bad=bad,
    )  # fmt: skip
    right = loaded["refused"] == bad and loaded["created"] + loaded["refused"] == rows
    return 0 if right and ratio >= AT_LEAST and loaded["peak_mb"] <= AT_MOST_MB else 1


def _raw_copy(sql: Any, folder: Path) -> float:
    """Seconds to copy the accepted rows into twins of the tables."""
    keys = {table: _twin(sql, table) for table in TABLES}
    for statements in keys.values():
        for statement in statements:
            sql.execute(statement)
    sql.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the foreign keys would be checked when nobody measures any more
    files = {table: folder / f"{table}.copy" for table in TABLES}
    for table, target in files.items():
        with target.open("wb") as stream, sql.copy(f"COPY {table} TO STDOUT") as copy:
            for block in copy:
                stream.write(block)
    seconds = 0.0
    for table, target in files.items():
        start = time.perf_counter()
        with target.open("rb") as stream, sql.copy(f"COPY twin_{table} FROM STDIN") as copy:
            while block := stream.read(1 << 18):
                copy.write(block)
        seconds += time.perf_counter() - start
        sql.execute(
            "SELECT count(*), pg_size_pretty(pg_total_relation_size(%s)) FROM " + f"twin_{table}", [f"twin_{table}"]
        )
        count, size = sql.fetchone()
        print(f"{table}: {count:,} rows, {size} with indexes")
        target.unlink()
    return seconds


def _twin(sql: Any, table: str) -> list[str]:
    """Make the twin with indexes and checks; the statements that add its foreign keys and triggers."""
    sql.execute(f"CREATE TABLE twin_{table} (LIKE {table} INCLUDING ALL)")
    sql.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'", [table]
    )
    made = []
    for (definition,) in sql.fetchall():
        for other in TABLES:
            definition = definition.replace(f"REFERENCES {other}(", f"REFERENCES twin_{other}(")
        made.append(f"ALTER TABLE twin_{table} ADD {definition}")
    sql.execute(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
    )
    made += [definition.replace(f"ON public.{table} ", f"ON twin_{table} ") for (definition,) in sql.fetchall()]
    return made


def _child(file: Path) -> int:
    import django  # noqa: PLC0415 -- settings read the environment of the parent

    django.setup()
    from changke.interfaces.importers import pipeline  # noqa: PLC0415

    steps: dict[str, float] = {}
    begin = time.perf_counter()
    seen = ["", begin]

    def progress(done: int, total: int, step: str) -> None:
        if step != seen[0]:
            now = time.perf_counter()
            if seen[0]:
                steps[str(seen[0])] = now - float(seen[1])
            seen[:] = [step, now]

    batch = pipeline.start([pipeline.SourceFile(file, file.name)], kind="purchases", create=True, now=NOW)
    outcome = pipeline.run(batch.pk, now=NOW, progress=progress)
    progress(0, 0, "end")
    used = resource.getrusage(resource.RUSAGE_SELF)
    taken = {"seconds": time.perf_counter() - begin, "cpu": used.ru_utime + used.ru_stime, "steps": steps}
    print(json.dumps({**outcome.as_json(), **taken, "peak_mb": used.ru_maxrss // 1024}))
    return 0


def server_cpu(folder: Path) -> float:
    """CPU seconds of the database so far: its processes, and those that ended."""
    pid = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    parts = Path("/proc").glob("[0-9]*/stat")
    total = 0
    for stat in parts:
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile, and counts with its parent
        if int(stat.parent.name) == pid:
            total += sum(int(ticks) for ticks in fields[11:15])
        elif int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def write_sales(file: Path, rows: int, encoding: str = "utf-8") -> int:
    """One-line receipts of 200,000 customers in 12 stores over two years; how many are bad: one of each hundred."""
    dice = random.Random(42)
    bad = 0
    with file.open("w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(rows):
            who, quantity, price = dice.randrange(200_000), dice.randint(1, 3), dice.randrange(1_000, 90_000)
            day = dt.date(2024, 11, 1) + dt.timedelta(days=dice.randrange(730))
            row: list[Any] = [
                f"R{number:08d}", f"{day} {dice.randint(9, 20):02d}:{dice.randint(0, 59):02d}", f"138{who:08d}",
                SURNAMES[who % 10] + GIVEN[who // 10 % 18] + GIVEN[who // 180 % 18],
                f'项目"{dice.randint(1, 60)}", 护理', quantity,
                f"{price / 100:.2f}", f"{price * quantity / 100:.2f}",
                dice.choice(["微信", "支付宝", "现金", "储值卡"]),
                f"门店{dice.randint(1, 12)}",
            ]  # fmt: skip
            if number % 100 == 37:
                place, value = BAD[bad % len(BAD)]
                row = row[:place] if value is None else [*row[:place], value, *row[place + 1 :]]
                bad += 1
            writer.writerow(row)
    return bad


if __name__ == "__main__":
    sys.exit(main())
