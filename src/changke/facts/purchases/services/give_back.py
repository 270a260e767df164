"""No more of a receipt is given back than was paid for it: the same question for a hand, a machine and a file.

The receipts are locked while it is asked, in the order of their ids: of two who give the same one back at once, the
second sees the first. Whatever is not here yet is not judged (docs/algorithms/money.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_noop

from changke.facts.purchases.models import Receipt
from changke.facts.purchases.rules import GivenBack, Verdict, judge_return
from changke.foundation.errors import Invalid


class MoreThanLeft(Invalid):
    """`left_minor` says how much could still be given back."""

    code, status = "more_than_left", 409
    remedy = gettext_noop("Look up what was given back of this receipt already, or name the receipt that is meant.")

    def __init__(self, left_minor: int) -> None:
        self.left_minor = left_minor
        super().__init__(field="lines", reason="more than is left of this receipt to give back")


@dataclass(frozen=True)
class NewReturn:
    """A return to be: its key, what it names, and how much its lines come to."""

    source_key: str
    source: str
    store_id: int
    customer_id: int | None
    original_number: str
    back_minor: int

    @property
    def names(self) -> tuple[str, int, int | None, str]:
        return self.source, self.store_id, self.customer_id, self.original_number


def exceeding(returns: Sequence[NewReturn]) -> Mapping[str, int]:
    """Those that give back too much: source key -> what was left, in minor units.

    Judged in the order given, each knowing those before it. One that is recorded already is not judged again. Call it
    in the transaction that writes them, when the purchases of the same batch are in.
    """
    naming = [one for one in returns if one.original_number]
    if not naming:
        return {}
    originals = _originals(naming)
    recorded = Receipt.objects.filter(source_key__in=[one.source_key for one in naming], withdrawn_by__isnull=True)
    known = set(recorded.values_list("source_key", flat=True))
    found: dict[str, int] = {}
    for one in naming:
        if one.source_key in known:
            continue
        original = originals.get(one.names)
        if judge_return(one.back_minor, names_receipt=True, original=original) is Verdict.EXCEEDS:
            assert original is not None
            found[one.source_key] = original.left_minor
        elif original is not None:
            originals[one.names] = original.less(one.back_minor)
    return found


def _originals(returns: Iterable[NewReturn]) -> dict[tuple[str, int, int | None, str], GivenBack]:
    """The receipts that are named and here, locked, with what was paid and what is gone."""
    wanted = list(dict.fromkeys(one.names for one in returns))
    with connection.cursor() as cursor:
        cursor.execute(MEANT, [list(column) for column in zip(*wanted, strict=True)])
        meant = dict(cursor.fetchall())
        ids = sorted(meant.values())
        cursor.execute("SELECT id FROM facts_receipt WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])
        cursor.execute(
            "SELECT receipt_id, sum(amount_minor)::bigint FROM facts_line WHERE receipt_id = ANY(%s) GROUP BY 1", [ids]
        )
        paid = dict(cursor.fetchall())
        cursor.execute(GONE, [list(column) for column in zip(*wanted, strict=True)])
        gone = dict(cursor.fetchall())
    return {wanted[n - 1]: GivenBack(paid.get(pk, 0), gone.get(n, 0)) for n, pk in meant.items()}


_WANTED = (
    "unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[])"
    " WITH ORDINALITY AS wanted (source, store_id, customer_id, number, n)"
)
# Of the same person: a return is often recorded for another record of hers than the purchase.
_SAME = (
    "one.source = wanted.source AND one.store_id = wanted.store_id"
    " AND COALESCE((SELECT merged_into_id FROM facts_customer WHERE id = one.customer_id), one.customer_id)"
    " IS NOT DISTINCT FROM"
    " COALESCE((SELECT merged_into_id FROM facts_customer WHERE id = wanted.customer_id), wanted.customer_id)"
    " AND one.withdrawn_by_id IS NULL"
)
# The earlier of two with one number, as the view `live.returns` means it.
MEANT = f"""
SELECT wanted.n, min(one.id) FROM {_WANTED}
JOIN facts_receipt AS one ON one.number = wanted.number AND one.number <> '' AND one.kind IN ('sale', 'use') AND {_SAME}
GROUP BY wanted.n
"""  # noqa: S608 our own words
GONE = f"""
SELECT wanted.n, sum(line.amount_minor)::bigint FROM {_WANTED}
JOIN facts_receipt AS one
  ON one.original_number = wanted.number AND one.original_number <> '' AND one.kind = 'return' AND {_SAME}
JOIN facts_line AS line ON line.receipt_id = one.id
GROUP BY wanted.n
"""  # noqa: S608 our own words
