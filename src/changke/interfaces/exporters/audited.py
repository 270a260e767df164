"""An export is one line of the trail, written by the verb that asks for it; how far it is, is no change."""

from changke.foundation.audit.kinds import leave_out

leave_out("interfaces_export", "asking for a file writes a line; making and forgetting the file changes nothing else")
