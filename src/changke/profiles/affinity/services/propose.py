"""What to propose to everybody seen within a year: computed by night from two years of lines, kept per customer.

What goes with what is learnt from the whole chain, and each store sees the proposals of the customers it may see.
"""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from django.db import transaction

from changke.engine.affinity import Lines, Only, Shop, learn, recommend
from changke.facts.catalog.models import Item
from changke.profiles.affinity.models import Proposal
from changke.profiles.affinity.needs import asked_for
from changke.profiles.affinity.services.cards import write_card
from changke.profiles.affinity.services.read import read_lines

SEEN_WITHIN_DAYS = 365
LISTS: tuple[tuple[Only, int], ...] = (("any", 4), ("new", 2))
SLICE = 2_000


def propose_to_everybody(*, today: dt.date, now: dt.datetime) -> int:
    """Write the proposals of everybody seen within a year, drop those of the others. Returns how many have some."""
    lines = read_lines(today)
    last = np.full(len(lines.customers), np.iinfo(np.int64).min)
    np.maximum.at(last, lines.customer, lines.day)
    seen = lines.customers[last > lines.end - SEEN_WITHIN_DAYS].tolist()
    shop, weights = Shop(lines), learn(lines)
    write_card(weights, lines, now=now)
    gone = list(Item.objects.filter(is_active=False).values_list("pk", flat=True))
    done = 0
    known = _had(lines, asked_for())
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
        done += _write(found, known, today)
    _drop_others(seen)
    return done


def _had(lines: Lines, wanted: Collection[int]) -> dict[int, dict[str, tuple[int, str]]]:
    """Of items that a tag may ask for: customer -> item -> on how many days she had it, and the last of them."""
    asked = np.flatnonzero(np.isin(lines.items, list(wanted)))
    chosen = np.isin(lines.item, asked)
    who, what, day = lines.customer[chosen], lines.item[chosen], lines.day[chosen]
    found: dict[int, dict[str, tuple[int, str]]] = {}
    both, place = np.unique(np.stack([who, what]), axis=1, return_inverse=True)
    last = np.full(both.shape[1], np.iinfo(np.int64).min)
    np.maximum.at(last, place.ravel(), day)
    times = np.bincount(place.ravel(), minlength=both.shape[1])
    for n in range(both.shape[1]):
        customer, item = lines.customers[both[0, n]].item(), lines.items[both[1, n]].item()
        found.setdefault(customer, {})[str(item)] = (int(times[n]), str(np.datetime64(int(last[n]), "D")))
    return found


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


def _write(
    found: Mapping[int, list[dict[str, Any]]], known: Mapping[int, Mapping[str, tuple[int, str]]], today: dt.date
) -> int:
    rows = [
        Proposal(customer_id=customer, as_of=today, items=items, had=known.get(customer, {}))
        for customer, items in found.items()
        if items
    ]
    with transaction.atomic():
        Proposal.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["customer"], update_fields=["as_of", "items", "had"]
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
