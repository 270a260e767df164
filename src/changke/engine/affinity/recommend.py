"""The list: what to propose to whom, with the reason."""

from collections.abc import Collection
from dataclasses import fields, replace
from numbers import Integral
from typing import Literal

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Lines
from changke.engine.affinity.parts import Candidates, Shop
from changke.engine.affinity.reasons import partners, reasons
from changke.engine.affinity.weights import Weights, learn
from changke.engine.days import Day
from changke.engine.refusals import Refusal
from changke.engine.table import Table

MISSING = -1
Only = Literal["any", "new", "again"]


class NotANumber(Refusal):
    """At least one recommendation per customer."""

    code = "not_a_number"


def recommend(
    lines: object,
    *,
    observation_end: Day,
    top: int = 10,
    only: Only = "any",
    customers: Collection[object] | None = None,
    leave_out: Collection[object] = (),
    weights: Weights | None = None,
    customer_id: str = "customer_id",
    item_id: str = "item_id",
    date: str = "date",
) -> Table:
    """The best items for each customer, best first.

    Parameters
    ----------
    lines
        One row per line of a receipt, without returns: a Polars, pandas, Arrow or DuckDB frame, the path of a Parquet
        file, `Lines` read before, or the `Shop` of them, which spares making it again.
    observation_end
        The last day that is fully known.
    top
        How many per customer, at most.
    only
        "new": nothing she ever had; "again": only what she had.
    customers
        For whom; everybody with lines unless given. Who has no lines is left out: see `popular`.
    leave_out
        Items that are not to be proposed: not sold any more, out of stock.
    weights
        From `learn`; learnt here unless given.

    Returns
    -------
    Table
        customer_id, place (1 is best), item_id, chance (0 to 1, of the next basket), reason ("again", "due", "alike",
        "goes_with", "popular"), and what the reason says: times, days_since, cycle_days, alike, similar,
        goes_with (an item's id, or None), recent_customers. -1 where there is none.

    Raises
    ------
    NotANumber, UnreadableFrame
    """
    if not isinstance(top, Integral) or top < 1:
        raise NotANumber(f"{top} recommendations")
    names = {"customer_id": customer_id, "item_id": item_id, "date": date}
    if not isinstance(lines, Lines | Shop):
        lines = Lines.read(lines, observation_end=observation_end, **names)
    shop = lines if isinstance(lines, Shop) else Shop(lines)
    known = shop.lines
    counts = weights or learn(known)
    wanted = np.unique(known.customer)
    if customers is not None:
        wanted = wanted[np.isin(known.customers[wanted], np.array(list(customers), dtype=known.customers.dtype))]
    banned = np.isin(known.items, np.array(list(leave_out), dtype=known.items.dtype))
    recent = shop.recent_customers()
    portions = [_portion(shop, counts, one, top, only, banned, recent) for one in shop.batches(wanted)]
    empty = _portion_of_nobody(known)
    return Table({name: np.concatenate([empty[name], *(one[name] for one in portions)]) for name in empty})


def _portion(
    shop: Shop,
    weights: Weights,
    customers: npt.NDArray[np.int64],
    top: int,
    only: Only,
    banned: npt.NDArray[np.bool_],
    recent: npt.NDArray[np.int64],
) -> dict[str, npt.NDArray[np.generic]]:
    found = shop.candidates(customers)
    allowed = ~banned[found.item]
    if only != "any":
        allowed &= (found.times > 0) == (only == "again")
    found = _take(found, np.flatnonzero(allowed))
    chance = weights.chance(found)
    order = np.lexsort((found.item, -chance, found.row))
    start = np.searchsorted(found.row[order], np.arange(len(customers)))
    place = np.arange(len(order)) - start[found.row[order]]
    kept = order[place < top]
    best, chance = _take(found, kept), chance[kept]
    partner = partners(shop, customers, best)
    ids = shop.lines.items
    goes_with = np.array([None if one < 0 else ids[one : one + 1].tolist()[0] for one in partner], dtype=object)
    cycle = np.where(best.times > 0, np.rint(shop.cycle_days[best.item]), MISSING).astype(np.int64)
    return {
        "customer_id": shop.lines.customers[customers[best.row]],
        "place": place[place < top] + 1,
        "item_id": ids[best.item],
        "chance": chance,
        "reason": np.array([str(one) for one in reasons(shop, weights, best, partner)], dtype=object),
        "times": best.times,
        "days_since": best.days_since,
        "cycle_days": cycle,
        "alike": best.alike,
        "similar": best.similar[best.row],
        "goes_with": goes_with,
        "recent_customers": recent[best.item],
    }


def _take(candidates: Candidates, kept: npt.NDArray[np.int64]) -> Candidates:
    columns = {one.name: getattr(candidates, one.name) for one in fields(candidates) if one.name != "similar"}
    return replace(candidates, **{name: column[kept] for name, column in columns.items()})


def _portion_of_nobody(lines: Lines) -> dict[str, npt.NDArray[np.generic]]:
    numbers = np.zeros(0, dtype=np.int64)
    words = np.zeros(0, dtype=object)
    return {
        "customer_id": lines.customers[:0],
        "place": numbers,
        "item_id": lines.items[:0],
        "chance": np.zeros(0),
        "reason": words,
        "times": numbers,
        "days_since": numbers,
        "cycle_days": numbers,
        "alike": numbers,
        "similar": numbers,
        "goes_with": words,
        "recent_customers": numbers,
    }
