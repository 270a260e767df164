"""The trail itself, and what no room of the foundation owns."""

from changke.foundation.audit.kinds import leave_out

leave_out("foundation_auditunsealed", "which lines wait for their seal")
leave_out("foundation_auditcheck", "what a verification found")
leave_out("foundation_cursor", "where a reader of facts stands")
