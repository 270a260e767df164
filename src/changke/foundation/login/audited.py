"""What log-in keeps of its own. Who came in and who failed are lines of the log-in page, new passwords of `staff`."""

from changke.foundation.audit.kinds import leave_out

leave_out("foundation_attempt", "a counter that delays the next try")
leave_out("foundation_signin", "the list of devices: who came in is a line")
leave_out("foundation_secondfactor", "setting and resetting it are lines of the person it is for")
leave_out("foundation_recoverycode", "renewing them is a line of the person they are for")
leave_out("foundation_resetlink", "its making and its use are lines of the person it is for")
leave_out("foundation_device", "binding and taking back are lines of its store")
leave_out("foundation_pin", "setting it is a line of the person it is of")
