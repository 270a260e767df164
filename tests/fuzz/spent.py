"""How long a fuzzer goes on: by the processor time it spent, so that a busy machine does not shorten its work."""

import os
import sys
import time
from collections.abc import Callable

LONGER_BY = 1_000
"""The fuzzer's own clock runs on the wall; it only has to be later than ours."""


def until_spent(target: Callable[[bytes], None], *, seconds: float) -> Callable[[bytes], None]:
    """The target, which ends the process once it has worked for so long, and says how often it was tried."""
    runs = 0

    def one_more(data: bytes) -> None:
        nonlocal runs
        target(data)
        runs += 1
        if runs % 50 == 0 and time.process_time() >= seconds:
            print(f"{runs:,} executions, {time.process_time():,.0f} s of the processor, no crash", flush=True)
            sys.stdout.flush()
            os._exit(0)  # the fuzzer's loop knows no other way out

    return one_more
