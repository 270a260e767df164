"""The kind of batch that is here."""

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.registry import BatchKind, register
from changke.interfaces.scores import work

register(
    work.KIND,
    BatchKind(
        run=work.run,
        undo=work.undo,
        before_undo=work.before_undo,
        needs=Capability.IMPORT_RUN,
        undo_needs=Capability.IMPORT_UNDO,
    ),
)
