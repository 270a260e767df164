"""What the pages keep of their own."""

from changke.foundation.audit.kinds import leave_out

leave_out("interfaces_sentform", "numbers of forms, so that a double click has one effect")
