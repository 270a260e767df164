"""Chunks that know nothing of each other, several at a time, each on a connection and in transactions of its own."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from typing import TypeVar

from django.db import connection

WORKERS = 3
"""Of a load, on two cores: one more than cores, because each waits for the disk at its commit."""

Chunk = TypeVar("Chunk")
Done = TypeVar("Done")


def side_by_side(
    work: Callable[[Chunk], Done], chunks: Iterable[Chunk], *, alone: bool = False, workers: int = WORKERS
) -> Iterator[Done]:
    """What `work` says of each chunk, in their order. `alone`: one after the other, because it matters who is first."""
    if alone or connection.in_atomic_block:  # another connection would not see what this transaction wrote
        yield from map(work, chunks)
        return
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="chunk") as pool:
        try:
            under_way: list[Future[Done]] = []
            for chunk in chunks:
                # Whose rows a statement sees is a matter of the context (`rows_seen`): a thread does not inherit it.
                under_way.append(pool.submit(copy_context().run, work, chunk))
                if len(under_way) > workers:  # no more is held ready than is being written
                    yield under_way.pop(0).result()
            for future in under_way:
                yield future.result()
        finally:
            everyone = Barrier(workers)
            for _ in range(workers):
                pool.submit(_hang_up, everyone)


def _hang_up(everyone: Barrier) -> None:
    """A thread's connection ends with it. Waiting for the others gives each thread exactly one of these."""
    everyone.wait(timeout=60)
    connection.close()
