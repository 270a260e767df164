"""A question about deeds -> the customers it fits, from the columns that are kept.

Whoever had a fact since the columns were written is told by a second, small folder with her whole story, and her place
in the first is not read. Numbers are remembered by what they are counted of, not by what they are compared with, so
that neither another limit nor another row of the builder counts again.
"""

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from changke.facts.catalog.models import Item
from changke.profiles.conditions import deeds
from changke.profiles.conditions.deeds import Counted, Deed
from changke.profiles.conditions.tree import COMPARISONS, Asked
from changke.profiles.segments.windows.follows import follows
from changke.profiles.segments.windows.kept import KINDS, Ints, Kept, Rows
from changke.profiles.segments.windows.numbers import NEVER, last_days, numbers

Ids = NDArray[np.int64]

REMEMBERED_BYTES = 64_000_000
"""Per process: windows over a million customers take one to eight of them."""

_one_at_a_time = threading.RLock()
"""A question that is being counted holds some arrays with a place for every customer: a process counts one."""

FIRST_DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Answers:
    """The columns and who is told anew."""

    base: Kept
    again: Kept
    renewed: Ids
    """Whose deeds are those of `again`."""
    _remembered: "OrderedDict[Hashable, Ints]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, leaf: Asked, today: dt.date) -> Ids | None:
        """The ids that `leaf.members()` finds; None where it asks for what is not kept."""
        match leaf:
            case Counted() if leaf.deed.kind in KINDS:
                return self._counted(leaf, _number(today))
            case deeds.Sequence() if {leaf.first.kind, leaf.then.kind} <= set(KINDS):
                return self._followed(leaf, _number(today))
        return None

    def forget(self) -> None:
        """Count everything anew, as in a process that was not asked before."""
        with self._lock:
            self._remembered.clear()

    @property
    def size(self) -> int:
        return max(self.base.highest, self.again.highest, int(self.renewed.max(initial=0))) + 1

    def _counted(self, leaf: Counted, today: int) -> Ids:
        items = items_of(leaf.deed)
        key = (leaf.measure, leaf.deed.kind, items, leaf.days, leaf.since_visit, today)
        found = self._known(key, lambda: self._numbers(leaf, items, today))
        compare: Callable[[Ints, int], Any] = COMPARISONS[leaf.op][0]
        fits = compare(found, leaf.value)
        if leaf.since_visit:
            fits = fits & (self._came(today) != NEVER)
        elif leaf.nothing_fits:
            fits = ~fits
        return np.flatnonzero(fits)

    def _numbers(self, leaf: Counted, items: Sequence[int] | None, today: int) -> Ints:
        first = today - leaf.days + 1 if leaf.days else None
        came = None
        if leaf.since_visit:
            came = self._came(today)
            days = came[came != NEVER]
            first = int(days.min()) + 1 if len(days) else today + 1

        def told(kept: Kept) -> Ints:
            rows = kept.kinds[leaf.deed.kind]
            meant = rows.between(first, today)
            return numbers(rows, meant, leaf.measure, items=items, size=self.size, after=came)

        return self._joined(told)

    def _came(self, today: int) -> Ints:
        """Customer id -> the day of her last visit."""

        def told(kept: Kept) -> Ints:
            visits = kept.kinds["visit"]
            return last_days(visits, visits.between(None, today), self.size)

        return self._known(("came", today), lambda: self._joined(told))

    def _joined(self, told: Any) -> Ints:
        found: Ints = told(self.base)
        if len(self.renewed):
            found[self.renewed] = told(self.again)[self.renewed]
        return found

    def _followed(self, leaf: deeds.Sequence, today: int) -> Ids:
        items, then_items = items_of(leaf.first), items_of(leaf.then)
        key = ("follows", leaf.first.kind, items, leaf.then.kind, then_items, leaf.within, leaf.days, today)
        since = today - leaf.days + 1 if leaf.days else None

        def told(kept: Kept) -> Ids:
            one, other = kept.kinds[leaf.first.kind], kept.kinds[leaf.then.kind]
            first: tuple[Rows, range, Sequence[int] | None] = (one, one.between(since, today), items)
            then = (other, other.between(since, today), then_items)
            return follows(first, then, within=leaf.within, comparable=leaf.comparable, size=self.size)

        def joined() -> Ids:
            kept_ids = np.setdiff1d(told(self.base), self.renewed, assume_unique=True)
            return np.concatenate((kept_ids, told(self.again)))

        return self._known(key, joined).astype(np.int64)

    def _known(self, key: Hashable, count: Callable[[], Ints]) -> Ints:
        """As remembered; or counted, after whoever is counting: he may have counted the same."""
        found = self._recalled(key)
        if found is None:
            with _one_at_a_time:
                found = self._recalled(key)
                if found is None:
                    found = self._remember(key, count())
        return found

    def _recalled(self, key: Hashable) -> Ints | None:
        with self._lock:
            if key in self._remembered:
                self._remembered.move_to_end(key)
                return self._remembered[key]
        return None

    def _remember(self, key: Hashable, found: Ints) -> Ints:
        with self._lock:
            self._remembered[key] = found = _small(found)
            while len(self._remembered) > 1 and self._bytes() > REMEMBERED_BYTES:
                self._remembered.popitem(last=False)
        return found

    def _bytes(self) -> int:
        return sum(one.nbytes for one in self._remembered.values())


def items_of(deed: Deed) -> tuple[int, ...] | None:
    """The items that are meant, as the catalogue has them now; None: whatever it was."""
    if deed.by not in {"item", "category"}:
        return None
    meant = (
        Item.objects.filter(code=deed.value) if deed.by == "item" else Item.objects.filter(category__name=deed.value)
    )
    return tuple(meant.order_by("pk").values_list("pk", flat=True))


def _number(day: dt.date) -> int:
    return (day - FIRST_DAY).days


def _small(found: Ints) -> Ints:
    """In the fewest bytes that hold every number."""
    if not len(found):
        return found
    low, high = int(found.min()), int(found.max())
    for kind in (np.int8, np.int16, np.int32):
        bounds = np.iinfo(kind)
        if bounds.min <= low and high <= bounds.max:
            return found.astype(kind)
    return found
