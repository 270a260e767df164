"""The kinds of rows that a file may hold: what each needs, in which order they are taken in, and who reads them."""

from collections.abc import Mapping

from changke.interfaces.importers import cards, customers, notes, openings, purchases, visits
from changke.interfaces.importers.cards import Cards
from changke.interfaces.importers.customers import Customers
from changke.interfaces.importers.notes import Notes
from changke.interfaces.importers.openings import Openings
from changke.interfaces.importers.purchases import Purchases
from changke.interfaces.importers.visits import Visits

NEEDED = {
    "purchases": purchases.NEEDED, "customers": customers.NEEDED, "visits": visits.NEEDED, "openings": openings.NEEDED,
    "notes": notes.NEEDED, "cards": cards.NEEDED,
}  # fmt: skip
ORDER = ("customers", "cards", "openings", "purchases", "visits", "notes")
"""Of a batch with several kinds: who they are comes before what they did."""
WAITING = {"cards": cards.KIND}
"""Kinds whose room is not built yet: their rows are kept."""
Work = Purchases | Customers | Visits | Openings | Notes | Cards
WORKS: Mapping[str, type[Work]] = {
    "purchases": Purchases, "customers": Customers, "visits": Visits, "openings": Openings, "notes": Notes,
    "cards": Cards,
}  # fmt: skip
