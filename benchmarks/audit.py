"""The audit trail: sealing and verifying many lines, and what writing one costs.

    python -m benchmarks.audit FOLDER --lines 1000000

Lines are copied in as `record` writes them, sealed by the house's own sealer, then the whole trail is verified and its
memory measured. One line is changed as superuser at the end: the verification has to name it.
"""

import argparse
import datetime as dt
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

from benchmarks.told import tell

from changke.foundation.database import launcher

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
AT_MOST_MB = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    options = parser.parse_args()
    folder = options.folder.resolve() / "server"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ |= {"DATA_DIR": str(folder), "DATABASE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "changke.settings"}
    with launcher.running(folder, say=print):
        return _measure(options.lines)


def _measure(lines: int) -> int:
    import django  # noqa: PLC0415 -- settings read the environment set above

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from changke.foundation.audit import rules  # noqa: PLC0415
    from changke.foundation.audit.models import AuditLine  # noqa: PLC0415
    from changke.foundation.audit.queries import verify  # noqa: PLC0415
    from changke.foundation.audit.services import record, seal  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    with connection.cursor() as sql:
        for setting in ("fsync", "synchronous_commit"):
            sql.execute(f"SHOW {setting}")
            print(f"{setting} = {sql.fetchone()[0]}")
        before, after, salt = {"silent_after_days": 60}, {"silent_after_days": 45}, bytes(16)
        contents = rules.contents(salt=salt, before=before, after=after, reason="")
        with sql.copy(
            "COPY foundation_auditline (at, actor_kind, actor_id, actor_name, address, request_id, action, subject,"
            " before, after, reason, salt, contents) FROM STDIN"
        ) as copy:
            for number in range(lines):
                copy.write_row(
                    (NOW, "staff", number % 50, "Lin", "10.0.0.7", f"{number:016x}", "chain.changed", "chain:1",
                     json.dumps(before), json.dumps(after), "", salt, contents)
                )  # fmt: skip
    started, cpu = time.perf_counter(), time.process_time()
    seals = 0
    while seal(now=NOW):
        seals += 1
    sealing, sealing_cpu = time.perf_counter() - started, time.process_time() - cpu
    started, cpu = time.perf_counter(), time.process_time()
    found = verify()
    verifying, verifying_cpu = time.perf_counter() - started, time.process_time() - cpu
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    started = time.perf_counter()
    by = rules.By("staff", 1, "Lin")
    for number in range(500):
        record(
            by=by, action="chain.changed", subject="chain:1", before={"n": number}, after={"n": -number - 1}, now=NOW
        )
    writing = (time.perf_counter() - started) / 500
    middle = AuditLine.objects.order_by("id").values_list("id", flat=True)[lines // 2]
    with connection.cursor() as sql:
        sql.execute("ALTER TABLE foundation_auditline DISABLE TRIGGER USER")
        sql.execute("UPDATE foundation_auditline SET actor_name = 'nobody' WHERE id = %s", [middle])
    broken = verify().broken
    print(f"\n{lines:,} lines in {seals} seals")
    print(f"sealing    {sealing:8.1f} s  {lines / sealing:12,.0f} lines/s, CPU of the process {sealing_cpu:.1f} s")
    print(f"verifying  {verifying:8.1f} s  {lines / verifying:12,.0f} lines/s, CPU {verifying_cpu:.1f} s")
    print(f"peak memory {megabytes} MB")
    print(f"one line, committed: {writing * 1000:.1f} ms")
    print(f"changed line {middle}: found {[(one.kind, one.line) for one in broken]}")
    tell(
        lines=lines, sealing_seconds=sealing, verifying_seconds=verifying, peak_mb=megabytes,
        peak_at_most_mb=AT_MOST_MB, one_line_ms=writing * 1000,
    )  # fmt: skip
    right = (
        found.lines == lines and not found.broken and [(one.kind, one.line) for one in broken] == [("altered", middle)]
    )
    return 0 if right and megabytes <= AT_MOST_MB else 1


if __name__ == "__main__":
    sys.exit(main())
