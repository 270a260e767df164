"""Chance from one seed, a stream of its own per subject.

A new subject takes nothing from the others, so the worlds of last year stay the same when the generator learns
something.
"""

from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np

from .tables import Integers

Chance = np.random.Generator
Streams = Callable[[str], Chance]


def streams(seed: int) -> Streams:
    def stream(subject: str) -> Chance:
        return np.random.default_rng([seed, crc32(subject.encode())])

    return stream


def pick(chance: Chance, weights: Sequence[float], size: int) -> Integers:
    """Positions drawn by weight."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(bounds, chance.random(size) * bounds[-1], side="right")
    return np.asarray(np.minimum(drawn, len(bounds) - 1), dtype=np.int64)
