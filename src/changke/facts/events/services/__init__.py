"""Verbs that write events: the stream, and looking at a whole phone number."""

from changke.facts.events.rules import KINDS
from changke.facts.events.services.stream import (
    OUR_OWN,
    Events,
    NewEvent,
    receive,
    record,
    record_notes,
    record_selected,
    recorded,
    withdraw_events,
)
from changke.facts.events.services.unmask import unmask

__all__ = [
    "KINDS",
    "OUR_OWN",
    "Events",
    "NewEvent",
    "receive",
    "record",
    "record_notes",
    "record_selected",
    "recorded",
    "unmask",
    "withdraw_events",
]
