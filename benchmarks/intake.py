"""Facts through HTTP, against a raw COPY of the same rows, in one run.

    python -m benchmarks.intake FOLDER [--seconds 30] [--threads 6] [--batch 100]

A real site (granian, two processes) on loopback takes batches by POST /api/v1/facts: seven purchases, one return, one
visit and one event in ten, of 5,000 known customers and, once in twenty, of somebody new. Sender, site and database
share the machine. First as fast as it goes; then as many as are promised, each request due at its moment: these are the
milliseconds that a till sees. Then what was recorded is copied, typed, into twins of the same tables with the same
constraints, indexes and triggers: that is the raw COPY.
"""

import argparse
import datetime as dt
import itertools
import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.load import _twin as twin
from benchmarks.load import server_cpu
from benchmarks.site import Request, children_cpu, send, site

AT_LEAST_PER_SECOND = 2_000
AT_MOST_MS = 250
CUSTOMERS = 5_000
STRANGER_ONE_IN = 20
THREADS_PACED = 12
"""Enough that a slow answer does not hold up the next request."""
TABLES = ("facts_customer", "facts_receipt", "facts_line", "facts_tender", "facts_visit", "facts_event")
FACTS = ("facts_receipt", "facts_visit", "facts_event")
NOW = dt.datetime.now(dt.UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--batch", type=int, default=100)
    options = parser.parse_args()
    folder = options.folder.resolve() / "intake"
    shutil.rmtree(folder, ignore_errors=True)
    with site(folder, prepare=_prepare) as (port, secret):
        story = batches(secret, options.batch)
        send(port, everybody(secret), threads=options.threads, seconds=600)
        send(port, itertools.islice(story, 20), threads=options.threads, seconds=600)  # warm
        before, cpu = _recorded(), (children_cpu(), server_cpu(folder))
        sent = send(port, story, threads=options.threads, seconds=options.seconds)
        recorded = _recorded() - before
        spent = [after - begun for after, begun in zip((children_cpu(), server_cpu(folder)), cpu, strict=True)]
        paced = send(
            port, story, threads=THREADS_PACED, seconds=options.seconds, per_second=AT_LEAST_PER_SECOND / options.batch
        )
        paced_recorded = _recorded() - before - recorded
        raw, everything = _raw_copy(folder)
    rate, raw_rate = recorded / sent.seconds, everything / raw
    print(f"\n{'':34}{'facts/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'worst':>9}")
    print(f"{'raw COPY of the same rows':34}{raw_rate:>10,.0f}")
    print(
        f"{f'POST /facts, {options.batch} a batch':34}{rate:>10,.0f}{sent.percentile(0.5):>9.0f}"
        f"{sent.percentile(0.99):>9.0f}{max(sent.milliseconds):>9.0f}"
    )
    print(
        f"{f'the same, {AT_LEAST_PER_SECOND:,} facts/s asked for':34}{paced_recorded / paced.seconds:>10,.0f}"
        f"{paced.percentile(0.5):>9.0f}{paced.percentile(0.99):>9.0f}{max(paced.milliseconds):>9.0f}"
    )
    each = 1_000 / len(sent.milliseconds)
    print(f"CPU a batch, first run: site {spent[0] * each:.1f} ms, database {spent[1] * each:.1f} ms")
    print(f"ratio {rate / raw_rate:.3f}; {recorded:,} facts in {sent.seconds:.1f} s")
    print(f"answers {sent.statuses}, {paced.statuses}")
    whole = all(
        set(one.statuses) == {200} and facts == options.batch * one.statuses[200]
        for one, facts in ((sent, recorded), (paced, paced_recorded))
    )
    return 0 if whole and rate >= AT_LEAST_PER_SECOND and paced.percentile(0.99) <= AT_MOST_MS else 1


def _prepare() -> str:
    from changke.facts.catalog.models import Item  # noqa: PLC0415
    from changke.foundation.access.services import issue_key  # noqa: PLC0415
    from changke.foundation.audit.rules import By  # noqa: PLC0415
    from changke.foundation.organisation.services import add_store, found_chain  # noqa: PLC0415

    by = By("system", None, "benchmark")
    found_chain(name="Benchmark", by=by, now=NOW)
    for number in range(12):
        add_store(code=f"S{number}", name=f"Store {number}", by=by, now=NOW)
    for number in range(40):
        Item.objects.create(code=f"I{number}", name=f"Item {number}", kind="service", unit_cost_minor=1000)
    return issue_key(name="benchmark", role="hq", by=by, now=NOW).secret


def batches(secret: str, size: int) -> Iterator[Request]:
    """Batches without end, the same in every run."""
    chance, headers = random.Random(7), {"Authorization": f"Bearer {secret}"}
    for start in itertools.count(0, size):
        facts = [_fact(number, chance) for number in range(start, start + size)]
        yield "/api/v1/facts", json.dumps({"facts": facts}).encode(), headers


def everybody(secret: str) -> Iterator[Request]:
    """A visit of each known customer, long ago."""
    about = {"type": "visit", "store": "S1", "happened_at": (NOW - dt.timedelta(days=700)).isoformat()}
    for start in range(0, CUSTOMERS, 1_000):
        facts = [about | {"id": f"k{n}", "customer": {"phone": f"138{n:08}"}} for n in range(start, start + 1_000)]
        yield "/api/v1/facts", json.dumps({"facts": facts}).encode(), {"Authorization": f"Bearer {secret}"}


def _fact(number: int, chance: random.Random) -> dict[str, Any]:
    moment = (NOW - dt.timedelta(minutes=chance.randrange(500_000))).isoformat()
    about = {"store": f"S{number // 100 % 12}", "happened_at": moment}
    is_new = chance.randrange(STRANGER_ONE_IN) == 0
    who = {"phone": f"139{number:08}" if is_new else f"138{chance.randrange(CUSTOMERS):08}", "name": "张三"}
    amount = chance.randrange(100, 90_000)
    money = {
        "lines": [{"item": f"I{chance.randrange(40)}", "amount_minor": amount}],
        "tenders": [{"kind": "wechat", "amount_minor": amount}],
    }
    match number % 10:
        case 7:
            return {"type": "return", "number": f"R{number}", "customer": who, **about, **money}
        case 8:
            return {"type": "visit", "id": f"v{number}", "customer": who, **about}
        case 9:
            return {"type": "event", "id": f"e{number}", "kind": "app.opened", "customer": who, **about}
        case _:
            return {"type": "purchase", "number": f"N{number}", "customer": who, **about, **money}


def _recorded() -> int:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as sql:
        sql.execute("SELECT " + " + ".join(f"(SELECT count(*) FROM {table})" for table in FACTS))
        return int(sql.fetchone()[0])


def _raw_copy(folder: Path) -> tuple[float, int]:
    """Seconds to copy what was recorded into twins of the tables, and how many facts that are."""
    from django.db import connection  # noqa: PLC0415

    from changke.foundation.database.rows_seen import aloud  # noqa: PLC0415

    seconds, facts = 0.0, _recorded()
    with aloud(), connection.cursor() as sql:  # COPY carries no setting of its own
        for table in TABLES:
            for statement in twin(sql, table):
                sql.execute(statement)
        sql.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the foreign keys would be checked when the clock is off
        for table in TABLES:
            target = folder / f"{table}.copy"
            with target.open("wb") as stream, sql.copy(f"COPY {table} TO STDOUT") as copy:
                for block in copy:
                    stream.write(block)
            start = time.perf_counter()
            with target.open("rb") as stream, sql.copy(f"COPY twin_{table} FROM STDIN") as copy:
                while block := stream.read(1 << 18):
                    copy.write(block)
            seconds += time.perf_counter() - start
            sql.execute(f"SELECT pg_size_pretty(pg_total_relation_size('{table}')), (SELECT count(*) FROM {table})")
            print(f"{table}: {sql.fetchone()}")
    return seconds, facts


if __name__ == "__main__":
    raise SystemExit(main())
