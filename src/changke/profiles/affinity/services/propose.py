"""What to propose to everybody seen within a year: computed by night from two years of lines, kept per customer.

The lines come from PostgreSQL by COPY, as the reader who sees every store: what goes with what is learnt from the whole
chain, and each store sees the proposals of the customers it may see.
"""

import datetime as dt
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from django.db import transaction

from changke.engine.affinity import Lines, Only, Shop, learn, recommend
from changke.facts.catalog.models import Item
from changke.facts.tables import PERSON
from changke.foundation.database.copy import copy_out
from changke.profiles.affinity.models import Proposal

LOOK_BACK_DAYS = 730
SEEN_WITHIN_DAYS = 365
LISTS: tuple[tuple[Only, int], ...] = (("any", 4), ("new", 2))
SLICE = 2_000
LINES = """
COPY (
  SELECT {person} AS customer_id, line.item_id, receipt.business_date AS date
  FROM facts_receipt AS receipt
  JOIN facts_line AS line ON line.receipt_id = receipt.id
  JOIN facts_item AS item ON item.id = line.item_id
  JOIN facts_customer AS record ON record.id = receipt.customer_id
  JOIN facts_customer AS customer ON customer.id = {person} AND customer.is_active
  WHERE receipt.kind IN ('sale', 'use') AND receipt.withdrawn_by_id IS NULL
    AND receipt.business_date > DATE '{since}' AND item.kind IN ('service', 'product', 'other')
) TO STDOUT (FORMAT csv, HEADER true)
"""

READ = """
FROM read_csv('{file}', header = true, columns = {{'customer_id': 'BIGINT', 'item_id': 'BIGINT', 'date': 'DATE'}})
"""


def propose_to_everybody(*, today: dt.date) -> int:
    """Write the proposals of everybody seen within a year, drop those of the others. Returns how many have some."""
    lines = read_lines(today)
    last = np.full(len(lines.customers), np.iinfo(np.int64).min)
    np.maximum.at(last, lines.customer, lines.day)
    seen = lines.customers[last > lines.end - SEEN_WITHIN_DAYS].tolist()
    shop, weights = Shop(lines), learn(lines)
    gone = list(Item.objects.filter(is_active=False).values_list("pk", flat=True))
    done = 0
    for some in _sliced(seen):
        found: dict[int, list[dict[str, Any]]] = {customer: [] for customer in some}
        for only, top in LISTS:
            table = recommend(
                shop, observation_end=today, top=top, only=only, customers=some, leave_out=gone, weights=weights
            )
            rows: list[dict[str, Any]] = table.records()
            for row in rows:
                mine = found[row["customer_id"]]
                if row["item_id"] not in {one["item"] for one in mine}:
                    mine.append(_kept(row, today))
        done += _write(found, today)
    _drop_others(seen)
    return done


def read_lines(today: dt.date) -> Lines:
    """Two years of lines of services and goods, without cards sold and money put on them."""
    since = today - dt.timedelta(days=LOOK_BACK_DAYS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.csv"
        copy_out(LINES.format(since=since, person=PERSON), file)
        with duckdb.connect() as duck:
            return Lines.read(duck.sql(READ.format(file=file)), observation_end=today)


def _kept(row: Mapping[str, Any], today: dt.date) -> dict[str, Any]:
    since = row["days_since"]
    return {
        "item": row["item_id"],
        "chance_bp": round(10_000 * row["chance"]),
        "reason": row["reason"],
        "times": row["times"],
        "last_on": None if since < 0 else (today - dt.timedelta(days=since)).isoformat(),
        "cycle_days": None if row["cycle_days"] < 0 else row["cycle_days"],
        "alike": row["alike"],
        "similar": row["similar"],
        "goes_with": row["goes_with"],
        "recent_customers": row["recent_customers"],
    }


def _write(found: Mapping[int, list[dict[str, Any]]], today: dt.date) -> int:
    rows = [Proposal(customer_id=customer, as_of=today, items=items) for customer, items in found.items() if items]
    with transaction.atomic():
        Proposal.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["customer"], update_fields=["as_of", "items"]
        )
    return len(rows)


def _drop_others(seen: Iterable[int]) -> None:
    known = set(seen)
    kept = Proposal.objects.order_by("pk").values_list("pk", flat=True)
    for some in _sliced([one for one in kept.iterator(chunk_size=SLICE) if one not in known]):
        Proposal.objects.filter(pk__in=some).delete()


def _sliced(ids: Iterable[int]) -> Iterator[list[int]]:
    ahead = iter(ids)
    while some := list(itertools.islice(ahead, SLICE)):
        yield some
