"""An arm as three integers: how many customers, the sum of what they brought, the sum of its squares."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from operator import mul
from typing import Any, Protocol

from changke.engine.refusals import NotFinite, Refusal


class NotWhole(Refusal):
    """Amounts are whole minor units; counts are whole."""

    code = "not_whole"


class ImpossibleMoments(Refusal):
    """No data has this n, sum and sum of squares together."""

    code = "impossible_moments"


class Arm(Protocol):
    """What a comparison needs of an arm, adjusted or not. The mean in minor units per customer, the variance of one
    customer."""

    @property
    def n(self) -> int: ...
    @property
    def mean(self) -> float: ...
    @property
    def variance(self) -> float: ...
    @property
    def plain_mean(self) -> float: ...


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of one arm.

    Parameters
    ----------
    n
        Customers assigned, who bought or not.
    total, squares
        Sum, and sum of squares, in minor units (squared). Integers of any size: `SUM(v * v)` as HUGEINT or NUMERIC.

    Raises
    ------
    NotWhole, ImpossibleMoments
    """

    n: int
    total: int
    squares: int

    def __post_init__(self) -> None:
        for number in (self.n, self.total, self.squares):
            if not isinstance(number, int):
                raise NotWhole(f"n, total and squares are integers, not {number!r}")
        if self.n < 0 or self.n * self.squares < self.total**2 or (self.n == 0 and (self.total or self.squares)):
            raise ImpossibleMoments(f"{self.n} customers cannot sum to {self.total} with squares {self.squares}")

    @classmethod
    def of(cls, values: Sequence[Any]) -> "Moments":
        """From one number per customer (list or array), in whole minor units; True and False count as 1 and 0.

        Raises
        ------
        NotFinite, NotWhole
        """
        numbers = whole(values)
        return cls(len(numbers), sum(numbers), sum(map(mul, numbers, numbers)))

    @classmethod
    def of_rate(cls, n: int, hits: int) -> "Moments":
        """Of a yes-or-no outcome: `hits` of `n`."""
        if hits > n:
            raise ImpossibleMoments(f"{hits} of {n}")
        return cls(n, hits, hits)

    def __add__(self, other: "Moments") -> "Moments":
        """Two stores are a region."""
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    @property
    def plain_mean(self) -> float:
        return self.mean

    @property
    def variance(self) -> float:
        """Unbiased. Formed in integers and divided once: nothing cancels."""
        return (self.n * self.squares - self.total**2) / (self.n * (self.n - 1)) if self.n > 1 else 0.0


def whole(values: Sequence[Any]) -> list[int]:
    """Python's own integers, which no square overflows."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    if any(isinstance(value, float) and not isfinite(value) for value in listed):
        raise NotFinite("NaN or an infinity among the amounts")
    try:
        numbers = [int(value) for value in listed]
    except (TypeError, ValueError) as why:
        raise NotWhole("an amount is missing or no number") from why
    if numbers != listed:
        raise NotWhole("amounts are whole minor units")
    return numbers
