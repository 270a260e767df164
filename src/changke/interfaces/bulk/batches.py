"""The kind of batch that is here."""

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.registry import BatchKind, register
from changke.interfaces.bulk import work

register(
    work.KIND,
    BatchKind(
        run=work.run,
        undo=work.undo,
        before_undo=work.before_undo,
        needs=Capability.CUSTOMER_BULK_EDIT,
        undo_needs=Capability.CUSTOMER_BULK_EDIT,
    ),
)
