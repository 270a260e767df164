"""How often one address may knock: tokens cannot be guessed, but guessing should not cost us anything either."""

import time

from django.core.cache import cache

PER_MINUTE = 30
"""A customer taps a few times. Per process: two workers let twice as many through, which changes nothing."""


def too_fast(address: str) -> bool:
    """Whether this address has knocked too often in this minute; counts the knock."""
    key = f"member:{address}:{int(time.time() // 60)}"
    cache.add(key, 0, timeout=120)
    return bool(cache.incr(key) > PER_MINUTE)
