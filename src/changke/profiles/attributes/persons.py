"""What this room knows of a person: numbers computed from her facts."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.services.forget import forget_profiles


def attributes(customer_ids: Sequence[int]) -> Iterator[Row]:
    yield from Profile.objects.filter(customer_id__in=customer_ids).order_by("customer_id").values()


register(PersonTable("attributes", ("profiles_profile",), attributes, forget_profiles))
