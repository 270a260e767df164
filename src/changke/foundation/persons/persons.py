"""The person's own key: nothing to hand out, and the last thing to go."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.models import PersonKey
from changke.foundation.persons.registry import PersonTable, Row, register
from changke.foundation.persons.services.keys import destroy_keys


def keys(person_ids: Sequence[int]) -> Iterator[Row]:
    for one in PersonKey.objects.filter(person_id__in=person_ids).order_by("pk"):
        yield {"customer_id": one.person_id, "version": one.version}


register(PersonTable("keys", ("foundation_personkey",), keys, destroy_keys, last=True))
