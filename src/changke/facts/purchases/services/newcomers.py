"""A receipt on its way in, as a machine tells it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from changke.facts.customers.services.meet import Reference
from changke.facts.purchases import rules
from changke.facts.purchases.services.record import NewLine
from changke.foundation.organisation.models import Store


@dataclass(frozen=True)
class NewReceipt:
    """The same `source_key` with the same contents is the same receipt."""

    store: Store
    source: str
    source_key: str
    happened_at: dt.datetime
    lines: Sequence[NewLine]
    tenders: Sequence[rules.Paid] = ()
    is_return: bool = False
    number: str = ""
    original_number: str = ""
    who: Reference | None = None
    name: str = ""
    """What to call the customer if nobody knew her yet."""
    staff_id: int | None = None
