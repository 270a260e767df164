"""What a night counted, written down by hand: in 静安 the facial goes with the mask, in 徐汇 they are rare."""

import datetime as dt

from changke.facts.catalog.models import Item
from changke.profiles.affinity.models import Basis, GroupCount, ItemCount, PairCount, SeasonCount, StarterCount
from changke.profiles.affinity.rules import MONTHS, YEARS
from tests.cast import TODAY, Cast

SUMMER = 3
"""Months after March: June."""


def counted(cast: Cast) -> Item:
    """The mask."""
    cut = Item.objects.create(code="C1", name="剪发", kind="service")
    mask = Item.objects.create(code="M1", name="舒缓面膜", kind="product")
    one, other = sorted((cast.facial.pk, mask.pk))
    for store, had_both, receipts in ((cast.jing_an.pk, 40, 500), (cast.xu_hui.pk, 3, 90)):
        Basis.objects.create(
            store_id=store, as_of=TODAY, receipts=receipts, with_lines=receipts - 10,
            first_on=TODAY - dt.timedelta(days=700), customers=200, baskets=400,
        )  # fmt: skip
        PairCount.objects.create(store_id=store, item_id=one, other_id=other, customers=had_both, baskets=had_both)
        for item in (one, other):
            ItemCount.objects.create(store_id=store, item_id=item, customers=50, baskets=60)
        StarterCount.objects.create(
            store_id=store, item_id=one, other_id=other, customers=had_both, returned=had_both * 3 // 4, alone=60,
            alone_returned=15,
        )  # fmt: skip
        _seasons(store, one, a_month=40, lifted=4)
        _seasons(store, other, a_month=40, lifted=1)
        _seasons(store, cut.pk, a_month=400, lifted=1)
        for had, customers in ((None, had_both), (one, had_both - 1), (other, 2)):
            GroupCount.objects.create(store_id=store, trait="gender", value="f", item_id=had, customers=customers)
    return mask


def _seasons(store: int, item: int, *, a_month: int, lifted: int) -> None:
    seen, around = [0] * (MONTHS * YEARS), [0] * (MONTHS * YEARS)
    for month in range(MONTHS):
        seen[month * YEARS] = a_month * (lifted if month == SUMMER else 1)
        around[month * YEARS] = a_month * (MONTHS - 1 + lifted)
    SeasonCount.objects.create(store_id=store, item_id=item, seen=seen, around=around)
