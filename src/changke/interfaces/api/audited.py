"""The API keeps nothing of its own but answers."""

from changke.foundation.audit.kinds import leave_out

leave_out("interfaces_keptanswer", "what was answered, kept for a week for whoever sends the same again")
