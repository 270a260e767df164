"""Answers kept for repetition hold what was written down of a person."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.interfaces.api.models import KeptAnswer
from changke.interfaces.api.services import forget_answers_about


def answers(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = KeptAnswer.objects.filter(answer__id__in=list(customer_ids), answer__has_key="known_on").order_by("kept_at")
    yield from rows.values("kept_at", "answer")


register(PersonTable("answers", ("interfaces_keptanswer",), answers, forget_answers_about))
