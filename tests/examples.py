"""How many examples Hypothesis tries. A change is tested with few, others each time; `make test EXAMPLES=20` tries
twenty times as many."""

import os

TIMES = int(os.environ.get("EXAMPLES") or 1)


def few(count: int) -> int:
    return count * TIMES
