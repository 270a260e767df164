"""A silence begins with a purchase day and ends with the next one, or not yet."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from changke.engine.clv.statistics import Floats
from changke.engine.prediction.days import Days


@dataclass(frozen=True)
class Silences:
    """Columns of equal length.

    Attributes
    ----------
    began
        Days since the first day of the data.
    x, t_x
        Repeat purchase days up to its beginning, and days since the first of them.
    longest
        The longest gap so far.
    length
        Days until she came again; infinite if she did not.
    """

    began: Floats
    x: Floats
    t_x: Floats
    longest: Floats
    length: Floats

    def __len__(self) -> int:
        return len(self.began)

    @classmethod
    def of(cls, days: Days) -> "Silences":
        if not len(days.day):
            none = np.zeros(0)
            return cls(none, none, none, none, none)
        new = np.concatenate([[True], days.who[1:] != days.who[:-1]])
        first = np.flatnonzero(new)
        sizes = np.diff(np.append(first, len(days.day)))
        begun = np.repeat(first, sizes)
        gap = np.diff(days.day, prepend=0).astype(float)
        gap[first] = 0.0
        following = np.append(days.day[1:], 0) - days.day
        length = np.where(np.append(new[1:], True), np.inf, following)
        # The longest gap so far: a running maximum that starts anew with each customer.
        shifted = gap + days.who * 1e6
        longest = np.maximum.accumulate(shifted) - days.who * 1e6
        return cls(
            (days.day - days.first_day).astype(float), (np.arange(len(days.day)) - begun).astype(float),
            (days.day - days.day[begun]).astype(float), longest, length.astype(float),
        )  # fmt: skip

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Silences":
        columns = (self.began, self.x, self.t_x, self.longest, self.length)
        return Silences(*(column[chosen] for column in columns))
