"""What this room knows of a person: when the shop was warned that she may be leaving."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.profiles.risk.models import ChurnWarning
from changke.profiles.risk.services.forget import forget_warnings


def warnings(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = ChurnWarning.objects.filter(customer_id__in=customer_ids).order_by("customer_id", "silent_since")
    yield from rows.values(
        "customer_id",
        "line__category__name",
        "line__item__name",
        "silent_since",
        "opened_on",
        "outlook_opened_bp",
        "cause",
        "ended",
        "ended_on",
    )


register(PersonTable("warnings", ("profiles_churnwarning",), warnings, forget_warnings))
