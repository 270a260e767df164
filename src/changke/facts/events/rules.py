"""The kinds of events there are."""

KINDS: dict[str, str] = {
    "customer.registered": "somebody of the shop wrote a new customer down",
    "note.written": "somebody of the shop wrote a note",
    "phone.unmasked": "somebody looked at a whole phone number, and why",
    "followup.recorded": "a follow-up of the day's list: its reason and outcome",
    "stage.changed": "the customer moved from one stage to another, with the cause",
    "warning.raised": "the rule that warns noticed that she may be leaving",
    "warning.closed": "a warning ended: she came back, or is lost",
    "customer.changed": "profile fields were changed by hand: their names, not their values",
    "complaint.received": "she complained",
    "tag.added": "a tag was put on her",
    "data.requested": "on her own page she asked for her data, or to be forgotten",
    "app.opened": "she opened a page or message of ours",
}
"""Every kind of event and what it says. A kind that is not here is refused: a stream of typos helps nobody."""
