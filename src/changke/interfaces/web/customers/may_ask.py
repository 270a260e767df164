"""Whether somebody may narrow customers by what these filters name. To be in the answer would tell her."""

from changke.foundation.errors import NotAllowed
from changke.interfaces.web.customers import in_segment, own_fields
from changke.interfaces.web.customers.filters import Filters


def check(filters: Filters, role: str) -> None:
    """Every way out of the list asks here: the page, a file, a change of many.

    Raises
    ------
    NotAllowed
        For an own field of the chain that the role does not see.
    SegmentUnreadable
        For a segment that asks one.
    NotFound
        For a segment that is gone.
    """
    if filters.own and not own_fields.may_ask(filters.own, role):
        raise NotAllowed
    in_segment.check(filters.segment, role)
