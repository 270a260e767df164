"""What a chain's own scores say of a person."""

from collections.abc import Iterator, Sequence

from changke.facts.scores.models import ScoreValue
from changke.facts.scores.services.forget import forget_scores
from changke.foundation.persons.registry import PersonTable, Row, register


def values(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = ScoreValue.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True)
    for row in rows.select_related("score").order_by("scored_on", "pk"):
        if row.number is not None or row.text is not None:
            yield {
                "customer_id": row.customer_id,
                "score": row.score.key,
                "kind": row.score.kind,
                "value": row.text if row.number is None else row.number,
                "scored_on": row.scored_on,
            }


register(PersonTable("scores", ("facts_scorevalue",), values, forget_scores))
