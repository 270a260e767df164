"""Receipts on their way into the database, several chunks at a time.

Each chunk is its own transaction and knows nothing of the others: their keys differ, and what they point at (customers,
items, stores) was written before. So they may be written side by side, and both cores have something to do: one writes
files or waits for the disk while the other checks constraints.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from changke.facts.purchases.services.intake import TakenIn, known, reserve, take_in, take_in_carefully
from changke.foundation.database.threads import side_by_side
from changke.interfaces.importers.receipt_files import Chunk, Files


@dataclass(frozen=True)
class Written:
    """Rows of the source, so that a load's counts add up. `differing` are receipts, by their place `k`."""

    created: int
    skipped: int
    differing: tuple[int, ...] = ()
    exceeding: tuple[tuple[int, int], ...] = ()
    """Returns of more than is left, by `k`, and what was left."""


def writing(work: Files, folder: Path, *, batch_id: int, again: bool) -> Iterator[Written]:
    """What became of each chunk, in their order: sales and uses side by side, then returns one after the other.

    `again`: the batch was begun before. Then each chunk is asked for first, and what was written goes by at the cost of
    looking it up.
    """
    for returns in (False, True):
        take = take_in_carefully if returns else take_in

        def write(chunk: Chunk, take: Take = take) -> Written:
            return _write(work, folder, chunk, take, batch_id=batch_id, again=again)

        yield from side_by_side(write, work.chunks(returns=returns), alone=returns)


Take = Callable[..., TakenIn]


def _write(work: Files, folder: Path, chunk: Chunk, take: Take, *, batch_id: int, again: bool) -> Written:
    if again and known(work.keys_of(chunk), batch_id=batch_id) == chunk.count:
        return Written(work.rows_of(chunk.first, chunk.last), 0)
    ids = reserve(chunk.count)
    files = work.export(chunk, ids, folder)
    try:
        taken = take(files, batch_id=batch_id)
    finally:
        for file in files.by_table.values():
            file.unlink(missing_ok=True)
    rows = work.rows_of(chunk.first, chunk.last)
    place = {pk: chunk.first + index for index, pk in enumerate(ids)}
    skipped, differing = ([place[pk] for pk in some] for some in (taken.skipped, taken.differing))
    exceeding = [(place[pk], left) for pk, left in taken.exceeding]
    aside = (skipped, differing, [k for k, _ in exceeding])
    not_new = [work.rows_of(chunk.first, chunk.last, ks) if ks else 0 for ks in aside]
    return Written(rows - sum(not_new), not_new[0], tuple(differing), tuple(exceeding))
