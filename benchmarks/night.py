"""An ordinary night over a large chain, part by part: news mirrored, computed, written; and the same day anew.

    python -m benchmarks.night FOLDER --customers 1000000 --purchases 10000000 [--anew]

If no night ran before, one does first, and is told apart. Then a day's receipts and visits are recorded and the next
night runs with the mirror it has. Baseline (`--anew`): everybody computed for that day from the facts, as a night did
before anything was kept, over the same mirror; its rows must be equal. CPU seconds of this process and of the database
stand beside the clock, which says little on a machine that others use.
"""

import argparse
import datetime as dt
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.filled import filled
from benchmarks.load import server_cpu

NEWS = 10_000
"""Receipts of a day; a fifth as many visits."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--news", type=int, default=NEWS)
    parser.add_argument("--anew", action="store_true", help="also everybody computed anew, and the rows compared")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    server = arguments.folder / f"server_{arguments.customers}_{arguments.purchases}"
    with filled(arguments.folder, arguments.customers, arguments.purchases):
        return _nights(server, arguments.customers, arguments.news, anew=arguments.anew)


def _nights(server: Path, customers: int, news: int, *, anew: bool) -> int:
    from changke.profiles.attributes.models import BulkRun  # noqa: PLC0415 -- Django is set up by then
    from changke.profiles.lifecycle.services import refresh_all  # noqa: PLC0415
    from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror  # noqa: PLC0415
    from changke.profiles.lifecycle.services.written import is_known  # noqa: PLC0415

    noon = dt.time(12, tzinfo=dt.UTC)
    last = BulkRun.objects.first()
    with open_mirror(mirror_file()) as (duck, _):
        ready = is_known(duck, last)
    today = last.as_of + dt.timedelta(days=1) if last else dt.date(2026, 11, 21)
    if not ready:
        with _Parts("the first night, of everybody", server) as parts:
            print(refresh_all(now=dt.datetime.combine(today, noon), progress=parts.tell, months=0))
        _expected(today, server, "what is expected of everybody, learned and said the first time")
        today += dt.timedelta(days=1)
    _record(customers, news, today)
    with _Parts(f"an ordinary night, after {news:,} receipts", server) as parts:
        print(refresh_all(now=dt.datetime.combine(today, noon), progress=parts.tell, months=0))
    _expected(today, server, "what is expected of everybody")
    return _anew(server, today) if anew else 0


def _expected(today: dt.date, server: Path, title: str) -> None:
    from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror  # noqa: PLC0415
    from changke.profiles.value.services.predict import predict_everybody  # noqa: PLC0415

    now = dt.datetime.combine(today, dt.time(12, tzinfo=dt.UTC))
    with _Parts(title, server), open_mirror(mirror_file()) as (duck, copy):
        done = predict_everybody(duck, snapshot=copy.read_below or 0, now=now)
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in done.seconds.items())
    print(f"  seconds: {parts}; rows {done.customers:,}, written {done.written:,}, fit {done.fit and done.fit.pk}")


class _Parts:
    """Seconds and CPU seconds of each step as its progress is told."""

    def __init__(self, title: str, server: Path) -> None:
        self.title, self.server, self.step = title, server, ""
        self.rows: list[tuple[str, list[float]]] = []

    def __enter__(self) -> "_Parts":
        self.began = self.since = self._now()
        return self

    def tell(self, step: str, done: int, total: int) -> None:
        if step != self.step:
            now = self._now()
            if self.step:
                self.rows.append((self.step, [b - a for a, b in zip(self.since, now, strict=True)]))
            self.since, self.step = now, step

    def __exit__(self, *_: object) -> None:
        self.tell("", 0, 0)
        whole = [b - a for a, b in zip(self.began, self._now(), strict=True)]
        print(f"\n{self.title:44}{'seconds':>10}{'CPU process':>14}{'CPU database':>14}")
        for name, (wall, own, database) in [*self.rows, ("all", whole)]:
            print(f"  {name:42}{wall:>10.1f}{own:>14.1f}{database:>14.1f}", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"  peak memory of the process so far {peak:.2f} GiB", flush=True)

    def _now(self) -> list[float]:
        return [time.perf_counter(), time.process_time(), server_cpu(self.server)]


def _record(customers: int, news: int, day: dt.date) -> None:
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    at = dt.datetime.combine(day, dt.time(4, tzinfo=dt.UTC))
    with connection.cursor() as sql:
        for table, columns, values, count in (
            (
                "facts_receipt",
                "kind, number, original_number, cash_minor, consumed_minor, margin_basis, items",
                "'sale', '', '', 10000, 10000, 'unknown', 1",
                news,
            ),
            ("facts_visit", "purpose", "''", news // 5),
        ):
            sql.execute(
                f"INSERT INTO {table} ({columns}, source, customer_id, store_id, happened_at, business_date,"
                f" recorded_at, source_key) SELECT {values}, 'bench', 1 + (n * 7919 + %s) %% %s, 1 + n %% 12, %s, %s,"
                " %s, gen_random_uuid() FROM generate_series(1, %s) AS n",
                [day.toordinal(), customers, at, day, at, count],
            )


@contextmanager
def _temporary(version: Any) -> Iterator[int]:
    try:
        yield version.pk
    finally:
        version.delete()


def _anew(server: Path, today: dt.date) -> int:
    from changke.foundation.organisation.queries import the_chain  # noqa: PLC0415 -- Django is set up by then
    from changke.profiles.attributes.catalogue import COLUMNS  # noqa: PLC0415
    from changke.profiles.attributes.queries import settings_of, values_for  # noqa: PLC0415
    from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables  # noqa: PLC0415
    from changke.profiles.attributes.services.lasting import kept_up  # noqa: PLC0415
    from changke.profiles.attributes.services.populations import compute_populations  # noqa: PLC0415
    from changke.profiles.lifecycle.queries import models_in_use  # noqa: PLC0415
    from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror  # noqa: PLC0415

    settings, cases = settings_of(the_chain()), {model.column: model.cases for model in models_in_use()}
    now = dt.datetime.combine(today, dt.time(12, tzinfo=dt.UTC))
    with open_mirror(mirror_file()) as (duck, _):
        for title, tables, name in (("kept", kept_up, "kept_rows"), ("anew, the baseline", shared_tables, "new_rows")):
            with (
                _Parts(f"computed from the mirror: {title}", server),
                tables(duck, settings=settings, today=today) as composer,
            ):
                version = compute_populations(
                    duck, composer, settings=settings, today=today, snapshot=0, now=now, nightly=False
                )
                with _temporary(version) as number:
                    values = values_for(settings, today=today, version=number)
                    compute_everybody(duck, composer, name, COLUMNS, cases, values)
        [(differ,)] = duck.execute(
            "SELECT COUNT(*) FROM ((SELECT * FROM kept_rows EXCEPT ALL SELECT * FROM new_rows)"
            " UNION ALL (SELECT * FROM new_rows EXCEPT ALL SELECT * FROM kept_rows))"
        ).fetchall()
    print(f"rows that differ: {differ}")
    return int(differ > 0)


if __name__ == "__main__":
    raise SystemExit(main())
