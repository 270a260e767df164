"""Keys of encryption are no settings: changing the key of the installation is a deed of whoever runs it."""

from changke.foundation.audit.kinds import leave_out

leave_out("foundation_personkey", "made with the person, destroyed by her erasure, which is a line")
leave_out("foundation_keyversion", "which key of the installation is in use")
leave_out("foundation_suppression", "follows an erasure, a withdrawal or a consent, which is its record")
