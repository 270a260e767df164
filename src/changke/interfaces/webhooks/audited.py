"""Addresses are settings. What comes in by them is no change of ours."""

from changke.foundation.audit.kinds import Kind, leave_out, register

register(Kind("webhook", ("interfaces_webhookaddress",)))
leave_out("interfaces_webhookplace", "which store a place is stands in the lines of its address")
leave_out("interfaces_webhookdelivery", "a letter, kept as it came until it is read")
leave_out("interfaces_webhookrefusal", "a count of calls that were refused")
register(Kind("privacy_request", ("interfaces_privacyrequest",)))
