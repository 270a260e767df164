"""A batch is one line when it ran and one when it was undone; its own undo is better than any restore."""

from changke.foundation.audit.kinds import Kind, leave_out, register

register(Kind("batch", ("foundation_batch",)))
leave_out("foundation_rememberedmapping", "a convenience: the mapping that was used stands in the batch")
