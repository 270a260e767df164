"""What groups of the whole chain have most, and what wearers of a tag have more often than others: for proposals to
whoever bought nothing yet, and to whoever wears the tag."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from changke.engine.affinity import Lines, count_pairs, count_recent, lifts, members_of, shares
from changke.engine.affinity.sparse import matrix
from changke.profiles.affinity.models import Trait
from changke.profiles.affinity.rules import ALL, HOME, LEAST_MEMBERS, LEAST_SUPPORT, RECENT_DAYS, TAG
from changke.profiles.affinity.services.read import Cards, read_tags

TOP = 6
COLUMNS = ("as_of", "trait", "value", "place", "item_id", "customers", "members", "lift_low_milli")
Row = tuple[Any, ...]


def favourites(today: dt.date, lines: Lines, cards: Cards, known: Iterable[tuple[str, Any]]) -> Iterator[Row]:
    """Rows of `Favourite`. `known`: trait and its values, one per customer of the lines, empty where unknown."""
    homes = np.where(cards.store < 0, "", cards.store.astype(str))
    everybody = np.full(len(lines.customers), "*")
    groups = [one for one in known if one[0] != Trait.STAGE]
    yield from _of_everybody_and_groups(today, lines, [(ALL, everybody), *groups, (HOME, homes)])
    yield from _of_tags(today, lines)


def _of_everybody_and_groups(today: dt.date, lines: Lines, known: list[tuple[str, Any]]) -> Iterator[Row]:
    chain: Any = None
    for trait, values in known:
        names, value = np.unique(values, return_inverse=True)
        members, had = count_recent(
            lines, members_of(np.where(values == "", -1, value.ravel()), len(names)), days=RECENT_DAYS
        )
        if chain is None:  # everybody comes first
            chain = had.toarray()[0] / max(1, members[0]) if len(members) else np.zeros(len(lines.items))
        for place in np.flatnonzero(members >= LEAST_MEMBERS).tolist():
            counts = had[place].toarray()[0]
            share = np.where(counts > 0, shares(counts, int(members[place]), chain), -1.0)
            name = "" if trait == ALL else str(names[place])
            for rank, item in enumerate(np.lexsort((np.arange(len(share)), -share))[:TOP].tolist()):
                if counts[item] > 0:
                    yield (today, trait, name, rank + 1, lines.items[item].item(), round(counts[item]),
                           int(members[place]), None)  # fmt: skip


def _of_tags(today: dt.date, lines: Lines) -> Iterator[Row]:
    """What wearers had, the surest first. Who wears a tag because she bought an item, had it: that is told as well."""
    names, name, who = read_tags(lines)
    often = np.flatnonzero(np.bincount(name, minlength=len(names)) >= LEAST_SUPPORT)
    if not len(often):
        return
    kept = np.isin(name, often)
    wearers = matrix(np.ones(int(kept.sum())), np.searchsorted(often, name[kept]), who[kept],
                     (len(often), len(lines.customers)))  # fmt: skip
    nothing = np.zeros(0, dtype=np.int64)
    mine = count_pairs(lines, nothing, nothing, wearers, among="customers")
    everybody = members_of(np.zeros(len(lines.customers), dtype=np.int64), 1)
    chain = count_pairs(lines, nothing, nothing, everybody, among="customers")
    for place, tag in enumerate(often.tolist()):
        members, had = int(mine.total[place]), mine.had[place]
        enough = np.flatnonzero(had >= LEAST_SUPPORT)
        if not len(enough):
            continue
        _, _, low = lifts(had[enough], np.full(len(enough), members), chain.had[0][enough], int(chain.total[0]))
        best = sorted((-low[n], int(enough[n])) for n in range(len(enough)) if low[n] > 1)[:TOP]
        for rank, (less, item) in enumerate(best):
            yield (today, TAG, names[tag], rank + 1, lines.items[item].item(), int(had[item]), members,
                   round(-1_000 * less))  # fmt: skip


def traits(today: dt.date, cards: Cards, band_years: int) -> tuple[tuple[str, Any], ...]:
    """Of each customer of the lines her age band, gender and stage; empty where unknown."""
    age = today.year - cards.birth_year
    band = age // band_years * band_years
    return (
        (Trait.AGE.value, np.where((cards.birth_year > 0) & (age >= 0), band.astype(str), "")),
        (Trait.GENDER.value, cards.gender),
        (Trait.STAGE.value, cards.stage),
    )
