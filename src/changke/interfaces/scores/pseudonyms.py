"""Whose number or pseudonym it is: what `changke publish` gave out comes back.

Pseudonyms stand in no table: they follow from the key, and are made anew for whoever is there. A million of them are a
second of computing and 20 MB, so a process keeps them while it runs.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from changke.facts.scores.queries import numbers_in_use
from changke.interfaces.publish import pseudonym, pseudonym_key

LENGTH = 24
"""Hexadecimal digits of a pseudonym."""


class Numbers:
    """Customers by number, as they are at the moment of asking."""

    def __init__(self) -> None:
        self.ids = np.array(numbers_in_use(), np.int64)

    def known(self, number: int) -> bool:
        place = int(np.searchsorted(self.ids, number))
        return place < len(self.ids) and int(self.ids[place]) == number


class Pseudonyms(Numbers):
    """The same by pseudonym."""

    def __init__(self) -> None:
        super().__init__()
        found = _made(self.ids.tobytes())
        self._order, self._heads = found

    def number(self, text: str) -> int | None:
        """Whose it is; None where it is nobody's who is there."""
        plain = text.strip().lower()
        if len(plain) != LENGTH:
            return None
        try:
            head = np.uint64(int(plain[:16], 16))
        except ValueError:
            return None
        place = int(np.searchsorted(self._heads, head))
        while place < len(self._heads) and self._heads[place] == head:
            number = int(self.ids[self._order[place]])
            if pseudonym(pseudonym_key(), number) == plain:
                return number
            place += 1
        return None


@lru_cache(maxsize=1)
def _made(numbers: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Places of the customers in the order of their pseudonyms' first half, and these halves."""
    key = pseudonym_key()
    ids: Sequence[int] = np.frombuffer(numbers, np.int64).tolist()
    heads = np.array([int(pseudonym(key, one)[:16], 16) for one in ids], np.uint64)
    order = np.argsort(heads, kind="stable")
    return order, heads[order]
