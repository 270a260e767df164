"""What former versions kept of persons where no erasure reached it is taken out, night by night, until nothing is left.

A job and not a migration: it goes in small steps while the shop is open, a restored old backup is cleaned as well, and
running again finds nothing to do. docs/decisions/0110.
"""

import datetime as dt
from typing import Any

from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import keep_clean
from changke.interfaces.importers import beside

CHUNK = 200


def take_out(*, now: dt.datetime) -> int:
    """How many rows were cleaned."""
    return _clean_batches()


def _clean_batches() -> int:
    """First rows of sheets, whom rows met, values of refused cells: gone from every batch, drafts too, which look at
    their files again."""
    cleaned = 0
    holding = Batch.objects.filter(options__has_any_keys=["look", "analysis", "problems"])
    for batch in holding.order_by("pk").iterator(chunk_size=CHUNK):
        changes = _cleaner(batch.options)
        if changes:
            keep_clean(batch.pk, changes)
            cleaned += 1
    return cleaned


def _cleaner(options: dict[str, Any]) -> dict[str, Any]:
    """The options that hold values of rows, without them; nothing where none does."""
    clean: dict[str, Any] = {}
    if options.get("look"):
        clean["look"] = beside.apart(options["look"])[0]
    if noted := options.get("analysis"):
        clean["analysis"] = {"check": noted.get("check"), "error": noted.get("error", "")}
    if options.get("problems"):
        clean["problems"] = beside.without_values(options["problems"])
    return {name: value for name, value in clean.items() if value != options[name]}
