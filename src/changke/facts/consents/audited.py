"""What of this room stands outside the audit trail, and why."""

from changke.foundation.audit.kinds import leave_out

leave_out("facts_memberlink", "the way to a customer's own page: what she does there is a fact")
