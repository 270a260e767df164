"""Purchases are facts. What is not one yet waits."""

from changke.foundation.audit.kinds import leave_out

leave_out("facts_waitingreturn", "a return that waits for its purchase, then becomes a fact")
