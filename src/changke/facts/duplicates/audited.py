"""Pairs: that somebody called them two persons is a line in the story of both; a merge has its own."""

from changke.foundation.audit.kinds import leave_out

leave_out("facts_duplicate", "found by a search; what somebody decides has a line in the story of both")
