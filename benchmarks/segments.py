"""Segments at a large chain: counting a condition while somebody builds it, and who enters and leaves 100 of them.

    python -m benchmarks.segments FOLDER --customers 1000000 --purchases 10000000 [--times 40] [--lines] [--explain]

Counting is timed as the builder asks it: the text is read, the statement made, PostgreSQL answers; every turn asks
other values, and whatever a window counts is counted anew (`first`) or is remembered from the turn before (`again`, as
when another row of the builder changes). With `--lines` receipts get lines of 300 services in ten categories, if they
have none; they stay in the server.

For coming and going the groups are filled, of every hundred members half a one is put out and half a one put in, and
one refresh of all groups is timed: it has to find both. Everything is rolled back, and the table of members vacuumed.
"""

import argparse
import datetime as dt
import os
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.filled import filled

NOW = dt.datetime.now(dt.UTC)
COUNT_AT_MOST_MS, MOVES_AT_MOST_S = 150, 20
WARM_UP = 5
STAGES = ("intro", "growth", "mature", "silent", "lost")
SERVICES, CATEGORIES = 300, 10
FOUR = "silent_days >= {few} and net_spend_365d >= {money} and stage in ({stages}) and value_group = {group}"
QUESTIONS = {
    "five numbers": (
        "silent_days >= {days} and net_spend_365d >= {money} and visits_365d >= {few}"
        " and stage in ({stages}) and value_group = {group}"
    ),
    "four numbers and a tag": (
        'silent_days >= {days} and net_spend >= {money} and purchases >= {few} and stage = {stage} and tag has "敏感肌"'
    ),
    "or and not": (
        "(silent_days >= {days} or overdue_days >= {few}) and not (value_group = low or visits_365d < {few})"
        " and net_spend_365d >= {money}"
    ),
    "four numbers and a window": FOUR + " and count(purchase in {days} days) >= {few}",
    "four numbers and a sum in a window": FOUR + " and sum(purchase in {days} days) >= {money}",
    "four numbers and a year": FOUR + " and count(use in 365 days) >= {few}",
    "four numbers and since the last visit": FOUR + " and count(purchase since visit) = 0",
    "four numbers and one thing after another": FOUR
    + " and sequence(visit then purchase within {days} days in 365 days)",
}
WITH_LINES = {
    "four numbers and a category in a window": FOUR
    + ' and count(purchase of category "{category}" in {days} days) >= 2',
    "four numbers and a service in a window": FOUR + ' and count(purchase of item "I{item}" in {days} days) >= 1',
    "four numbers and a category ever": FOUR + ' and count(purchase of category "{category}") >= 2',
}
"""Five conditions each."""
FREE = "one thing after another"
"""The only ones without a limit."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=40, help="turns of each question; 0: only who comes and goes")
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--lines", action="store_true", help="give receipts lines, and ask for services too")
    parser.add_argument("--explain", action="store_true", help="print the plan of the first question of each kind")
    arguments = parser.parse_args()
    with filled(arguments.folder, arguments.customers, arguments.purchases):
        if arguments.lines:
            _lines()
        _copy()
        questions = {**QUESTIONS, **(WITH_LINES if arguments.lines else {})}
        late = _counts(questions, arguments.times, arguments.explain) if arguments.times else 0
        return late + _moves(arguments.segments)


def _copy() -> None:
    from changke.profiles.segments import copies  # noqa: PLC0415 -- Django is set up by then

    for old in copies.folder().glob("columns-*"):
        old.unlink()  # of everybody, as by night
    start, processor = time.perf_counter(), time.process_time()
    count = copies.copy_columns()
    files = [*copies.folder().glob("columns-*"), *copies.folder().glob("deeds-*/*")]
    size = sum(one.stat().st_size for one in files) / 1e6
    print(
        f"columns of {count:,} customers copied in {time.perf_counter() - start:.1f} s, of it ours"
        f" {time.process_time() - processor:.1f} s of CPU; {size:.0f} MB"
    )


def _lines() -> None:
    """One or two lines a receipt, so that every third service of a category comes with another of it."""
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    from changke.facts.purchases.models import Line  # noqa: PLC0415

    if Line.objects.exists():
        return
    with connection.cursor() as sql:
        sql.execute(
            "INSERT INTO facts_category (name) SELECT 'K' || n FROM generate_series(0, %s) AS n ON CONFLICT DO NOTHING",
            [CATEGORIES - 1],
        )
        sql.execute(
            "INSERT INTO facts_item (code, name, kind, category_id, is_active) SELECT 'I' || n, 'I' || n, 'service',"
            " category.id, TRUE FROM generate_series(0, %s) AS n JOIN facts_category AS category"
            " ON category.name = 'K' || n %% %s ON CONFLICT DO NOTHING",
            [SERVICES - 1, CATEGORIES],
        )
        sql.execute(
            "INSERT INTO facts_line (receipt_id, position, item_id, description, quantity_milli, unit_price_minor,"
            " amount_minor) SELECT receipt.id, n, item.id, '', 1000, receipt.cash_minor / 2, receipt.cash_minor / 2"
            " FROM facts_receipt AS receipt, generate_series(1, 2) AS n, facts_item AS item"
            " WHERE (n = 1 OR receipt.id %% 2 = 0) AND item.code = 'I' || (receipt.id * 7 + n * CASE WHEN"
            " receipt.id %% 6 = 0 THEN %s ELSE 1 END) %% %s",
            [CATEGORIES, SERVICES],
        )
        sql.execute("ANALYZE facts_line")


def _text(template: str, dice: random.Random) -> str:
    return template.format(
        days=dice.choice((14, 30, 45, 60, 90)), money=dice.choice((500, 1000, 2000, 5000)),
        few=dice.choice((1, 2, 3, 5)), item=dice.randrange(SERVICES), category=f"K{dice.randrange(CATEGORIES)}",
        stage=dice.choice(STAGES), stages=", ".join(dice.sample(STAGES, 2)), group=dice.choice(("high", "middle")),
    )  # fmt: skip


def _counts(questions: Mapping[str, str], times: int, explain: bool) -> int:
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415
    from changke.profiles.segments import copies, queries  # noqa: PLC0415
    from changke.profiles.segments.asking import words_of_the_chain  # noqa: PLC0415

    dice, late = random.Random(7), 0
    for name, template in questions.items():
        first, again, found = Taken(), Taken(), 0
        for turn in range(times + WARM_UP):
            text = _text(template, dice)
            if (copy := copies.latest()) and copy.deeds:
                copy.deeds.forget()
            for taken in (first, again):
                start, processor = time.perf_counter(), time.process_time()
                words = words_of_the_chain()
                _, condition = words.read(text)
                found += queries.count(condition, words, now=NOW, scope=CHAIN_WIDE)
                if turn >= WARM_UP:
                    taken.add(time.perf_counter() - start, time.process_time() - processor)
        if explain:
            asked = queries.spoken(condition, words, now=NOW, scope=CHAIN_WIDE)
            _explain(connection, queries, condition, words, asked.sql)
        held = "no limit" if FREE in name else f"at most {COUNT_AT_MOST_MS}"
        print(
            f"count, {name}: first {first}, again {again} ({held});"
            f" {found / 2 / (times + WARM_UP):,.0f} customers on average; load {os.getloadavg()[0]:.1f}"
        )
        late += FREE not in name and first.p95 > COUNT_AT_MOST_MS
    return int(late)


class Taken:
    """Milliseconds of the turns of a question."""

    def __init__(self) -> None:
        self.all: list[float] = []
        self.ours: list[float] = []

    def add(self, seconds: float, processor: float) -> None:
        self.all.append(seconds * 1000)
        self.ours.append(processor * 1000)

    @property
    def p95(self) -> float:
        return sorted(self.all)[int(len(self.all) * 0.95)]

    def __str__(self) -> str:
        ours = sorted(self.ours)[len(self.ours) // 2]
        return f"p50 {sorted(self.all)[len(self.all) // 2]:.0f} ms, p95 {self.p95:.0f} ms, of it ours {ours:.0f} ms"


def _explain(connection: Any, queries: Any, condition: Any, words: Any, said: str) -> None:
    text, values = queries.statement(condition, words, now=NOW)
    with connection.cursor() as sql:
        sql.execute(f"EXPLAIN (ANALYZE, BUFFERS) {text.replace('SELECT customer_id', 'SELECT COUNT(*)', 1)}", values)
        print(said, *(line for (line,) in sql.fetchall()), sep="\n  ")


def _moves(number: int) -> int:
    from django.db import connection, transaction  # noqa: PLC0415 -- Django is set up by then

    from changke.profiles.segments.asking import words_of_the_chain  # noqa: PLC0415
    from changke.profiles.segments.models import Segment  # noqa: PLC0415
    from changke.profiles.segments.services.members import refresh_members  # noqa: PLC0415

    words, dice = words_of_the_chain(), random.Random(11)
    with transaction.atomic(), connection.cursor() as sql:
        segments = []
        for place in range(number):
            text = (
                f"silent_days >= {dice.randint(1, 300)} and silent_days < {dice.randint(301, 900)}"
                f" and net_spend_365d >= {dice.randint(2, 40) * 100} and visits_365d >= {dice.randint(1, 4)}"
            )
            tree, _ = words.read(text)
            name = f"bench_{place}"
            segments.append(Segment(key=name, name=name, tree=tree, text=text, changed_at=NOW))
        Segment.objects.bulk_create(segments)
        start = time.perf_counter()
        filled_with = refresh_members(segments, now=NOW, words=words)
        print(f"{number} groups filled with {filled_with.entered:,} members in {time.perf_counter() - start:.1f} s")
        sql.execute("ANALYZE profiles_segmentmember")
        sql.execute("SELECT MAX(id) FROM profiles_segmentmember")
        last = sql.fetchone()[0]
        sql.execute(
            "INSERT INTO profiles_segmentmember (segment_id, customer_id, entered_at)"
            " SELECT member.segment_id, strange.customer_id, %(now)s"
            " FROM (SELECT segment_id, COUNT(*) / 200 AS wanted FROM profiles_segmentmember"
            " WHERE segment_id = ANY(%(ids)s) GROUP BY 1) AS member, LATERAL (SELECT customer_id FROM"
            " profiles_profile AS one WHERE NOT EXISTS (SELECT FROM profiles_segmentmember AS inside WHERE"
            " inside.segment_id = member.segment_id AND inside.customer_id = one.customer_id)"
            " LIMIT wanted) AS strange",
            {"now": NOW, "ids": [one.pk for one in segments]},
        )
        put_in = sql.rowcount
        # After the strangers came: whoever is put out must not come back as one.
        sql.execute("DELETE FROM profiles_segmentmember WHERE id %% 200 = 0 AND id <= %s", [last])
        later = NOW + dt.timedelta(seconds=1)
        start, processor = time.perf_counter(), time.process_time()
        moved = refresh_members(segments, now=later, words=words)
        took = time.perf_counter() - start
        print(
            f"enter and leave of {number} groups: {took:.1f} s, of it ours {time.process_time() - processor:.1f} s"
            f" (at most {MOVES_AT_MOST_S}); {moved.entered:,} entered, {moved.left:,} left ({put_in:,} put in);"
            f" load {os.getloadavg()[0]:.1f}"
        )
        assert moved.left == put_in, "every stranger was found"
        transaction.set_rollback(True)
    with connection.cursor() as sql:
        sql.execute("VACUUM profiles_segmentmember")
        sql.execute("VACUUM profiles_segment")
    return int(took > MOVES_AT_MOST_S)


if __name__ == "__main__":
    raise SystemExit(main())
