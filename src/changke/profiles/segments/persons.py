"""What this room knows of a person: the groups she is and was in."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.services.forget import forget_memberships


def memberships(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = SegmentMember.objects.filter(customer_id__in=customer_ids).order_by("customer_id", "entered_at", "pk")
    yield from rows.values("customer_id", "segment__name", "entered_at", "left_at")


register(PersonTable("segments", ("profiles_segmentmember",), memberships, forget_memberships))
