"""The kinds of batches that come from files. One without a kind yet finds it out while it is read."""

import datetime as dt

from changke.facts.customers.queries import changed_since
from changke.facts.fields.queries import replaced_by
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.registry import BatchKind, Example, Part, Undo, register
from changke.interfaces.importers import columns, folders, pipeline
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sources import MIXED
from changke.interfaces.importers.undo import leaving

EXAMPLES = 5


def run(batch_id: int, now: dt.datetime) -> None:
    try:
        pipeline.run(batch_id, now=now)
    except UnreadableFile:
        return  # the batch says so itself
    folders.forget_uploads(batch_id)


def undo(batch_id: int, now: dt.datetime) -> int:
    return pipeline.undo(batch_id, now=now)


def before_undo(batch_id: int) -> Undo:
    found = leaving(batch_id)
    back, changed, some = changed_since(batch_id, most=EXAMPLES)
    own = replaced_by(batch_id)
    examples = tuple(Example(one.customer_id, one.name, one.field, one.holds, one.held) for one in some)
    return Undo(
        goes=(
            Part("receipts", found.receipts),
            Part("visits", found.visits),
            Part("openings", found.openings),
            Part("notes", found.notes),
            Part("kept", found.kept),
            Part("customers", found.customers),
            Part("fields", back + own.back),
            Part("consents", found.consents),
            Part("referrals", found.referrals),
            Part("tags", found.tags),
            Part("names", found.names),
        ),
        stays=(
            Part("fields_changed", changed + own.stays, examples),
            Part("customers_known", found.known_otherwise),
            Part("identifiers", found.identifiers),
        ),
    ).filled


FILES = BatchKind(run, undo, before_undo, needs=Capability.IMPORT_RUN, undo_needs=Capability.IMPORT_UNDO)
for _kind in ("", MIXED, *columns.KINDS):
    register(_kind, FILES)
