"""Who gets whose customers when somebody leaves. docs/algorithms/hand-over.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How customers are shared out among those who take over."""

    EVEN = "even"
    """The money at risk evenly, within each one's stores."""
    SERVED = "served"
    """Whoever of them served her last; the others evenly."""


@dataclass(frozen=True)
class Hers:
    """A customer who is handed over. Money in minor units."""

    customer_id: int
    store_id: int | None
    at_risk_minor: int
    served_last_by: int | None = None


@dataclass(frozen=True)
class Receiver:
    """Somebody who takes over. `store_ids` None: works for the whole chain."""

    staff_id: int
    store_ids: frozenset[int] | None

    def works_in(self, store_id: int | None) -> bool:
        return self.store_ids is None or store_id in self.store_ids


@dataclass
class Share:
    """What one receiver gets."""

    staff_id: int
    customer_ids: list[int]
    at_risk_minor: int = 0

    def take(self, one: Hers) -> None:
        self.customer_ids.append(one.customer_id)
        self.at_risk_minor += one.at_risk_minor


def shares(customers: Sequence[Hers], receivers: Sequence[Receiver], how: How) -> tuple[list[Share], list[Hers]]:
    """Each receiver's share, and those in whose store none of them works: they stay where they are.

    The most valuable first, each to whoever has the least money so far (then the fewest customers, then the lower id):
    the same question gets the same answer, whatever order the rows came in.
    """
    found = {one.staff_id: Share(one.staff_id, []) for one in receivers}
    left = []
    for one in sorted(customers, key=lambda one: (-one.at_risk_minor, one.customer_id)):
        able = [receiver.staff_id for receiver in receivers if receiver.works_in(one.store_id)]
        if how == How.SERVED and one.served_last_by in able:
            able = [one.served_last_by]
        if not able:
            left.append(one)
            continue
        lightest = min(able, key=lambda pk: (found[pk].at_risk_minor, len(found[pk].customer_ids), pk))
        found[lightest].take(one)
    return [found[one.staff_id] for one in receivers], left
