"""Staff and keys. Their rights are given anew by hand, never put back from a line: nobody gains by an old mistake."""

from changke.foundation.audit.kinds import Kind, leave_out, register

register(Kind("staff", ("foundation_staff", "foundation_grant")))
register(Kind("role", ("foundation_ownrole",)))
register(Kind("key", ("foundation_apikey",)))
leave_out("foundation_ratebucket", "how fast a key asks right now")
