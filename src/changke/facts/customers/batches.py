"""The kind of batch that is here."""

from changke.facts.customers.services import merge
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.registry import BatchKind, register

register(
    merge.KIND,
    BatchKind(
        run=merge.run,
        undo=merge.undo,
        before_undo=merge.before_undo,
        needs=Capability.CUSTOMER_MERGE,
        undo_needs=Capability.CUSTOMER_MERGE,
    ),
)
