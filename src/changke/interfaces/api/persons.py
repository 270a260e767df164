"""Answers kept for repetition hold what was written down of a person."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from changke.foundation.login.sealing import CannotUnseal
from changke.foundation.persons.registry import PersonTable, Row, register
from changke.interfaces.api.models import KeptAnswer
from changke.interfaces.api.services import forget_answers_about, read_answer


def answers(customer_ids: Sequence[int]) -> Iterator[Row]:
    for kept in KeptAnswer.objects.filter(shows__in=list(customer_ids)).order_by("kept_at"):
        with suppress(CannotUnseal):  # kept under a key that is gone: nobody can read it, we neither
            yield {"kept_at": kept.kept_at, "answer": read_answer(kept)}


register(PersonTable("answers", ("interfaces_keptanswer",), answers, forget_answers_about))
