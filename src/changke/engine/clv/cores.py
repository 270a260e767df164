"""Rows that know nothing of each other, some thousands at a time, on every core: NumPy lets go of Python meanwhile."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

WORTH_THREADS = 100_000
"""Rows below which starting threads takes longer than they save."""


def on_every_core(work: Callable[[slice], None], rows: int, *, at_once: int) -> None:
    """Do the work of each block of rows; it writes where it likes, and no two blocks meet."""
    blocks = [slice(begin, begin + at_once) for begin in range(0, rows, at_once)]
    cores = usable() if rows >= WORTH_THREADS else 1

    def some(first: int) -> None:
        for block in blocks[first::cores]:
            work(block)

    if cores == 1:
        some(0)
        return
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(some, range(cores)))  # asked for, so that what went wrong in one is raised


def usable() -> int:
    """Those that this process may use, not those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
