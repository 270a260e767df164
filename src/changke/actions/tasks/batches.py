"""The kind of batch that is here."""

from changke.actions.tasks import services
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.registry import BatchKind, register

register(
    services.KIND,
    BatchKind(
        run=services.run,
        undo=services.undo,
        before_undo=services.before_undo,
        needs=Capability.HANDOVER_RUN,
        undo_needs=Capability.HANDOVER_RUN,
    ),
)
