"""Facts that come, are withdrawn or joined between two nights: what lasts follows them."""

import datetime as dt
import random
from pathlib import Path

import pytest

from changke.engine.mirror import TOUCHED
from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.purchases.models import Opening, Receipt
from changke.facts.referrals.models import Referral
from changke.facts.visits.models import Visit
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.models import Store
from changke.profiles.lifecycle.services.mirror import open_mirror
from tests.profiles.lasting import counted, differing, unlike_known
from tests.profiles.world import NOW, TODAY, Book, build

pytestmark = pytest.mark.django_db(transaction=True)


def test_new_facts_withdrawn_ones_and_merges_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(customers=400)
    file, dice, book = tmp_path / "mirror.duckdb", random.Random(5), Book()
    people, stores = list(Customer.objects.order_by("pk")), list(Store.objects.all())
    gone = Batch.objects.create(kind="load", created_at=NOW)

    def some_day() -> dt.date:
        return TODAY - dt.timedelta(days=dice.randint(-20, 400))

    def buy(person: Customer, kind: str) -> Receipt:
        return book.receipt(person, dice.choice(stores), some_day(), kind, number=f"R{dice.randint(1, 60)}")

    with open_mirror(file) as (duck, copy):
        copy.sync(conninfo("reader"))
        assert differing(duck, TODAY) == 0
        few = counted(monkeypatch)
        links = []
        asked: list[int] = []
        assert unlike_known(duck, TODAY, asked) == 0
        assert asked[0] > 200, "nothing was kept before"
        for turn in range(4):
            some = dice.sample(people, 12)
            Receipt.objects.bulk_create([buy(one, dice.choice(["sale", "use", "return"])) for one in some[:5]])
            Visit.objects.bulk_create([book.visit(some[5], stores[0], some_day())])
            Opening.objects.bulk_create([book.opening(some[6], None, some_day(), TODAY + dt.timedelta(days=1), 9, 900)])
            living = Receipt.objects.filter(withdrawn_by=None, customer=some[7]).values_list("pk", flat=True)[:2]
            Receipt.objects.filter(pk__in=list(living)).update(withdrawn_by=gone, txid=current_xid())
            Customer.objects.filter(pk=some[8].pk).update(is_active=turn % 2 == 0, txid=current_xid())
            Customer.objects.filter(pk=some[11].pk).update(home_store=stores[turn], txid=current_xid())
            told = [(some[2], some[3]), (some[4], None), (some[9], some[10])]
            Referral.objects.bulk_create([book.brought(one, other, some_day()) for one, other in told])
            stated = Referral.objects.filter(withdrawn_by=None).values_list("pk", flat=True)[turn : turn + 2]
            Referral.objects.filter(pk__in=list(stated)).update(withdrawn_by=gone, txid=current_xid())
            book.customer(stores[0], TODAY + dt.timedelta(days=turn - 1))
            pair = [
                one.pk for one in some[9:11] if Customer.objects.filter(pk=one.pk, merged_into=None, is_active=True)
            ]
            if len(pair) == 2:
                links.append(merge(pair[0], pair[1], now=NOW))
            if turn == 3 and links:
                unmerge(int(links[0].batch_id or 0), now=NOW)
            copy.sync(conninfo("reader"))
            assert duck.execute(f"SELECT COUNT(*) > 5 FROM {TOUCHED}").fetchall() == [(True,)]
            day = TODAY + dt.timedelta(days=turn // 2)
            if turn % 2:  # before the night, and as of a day that is not its own
                assert unlike_known(duck, day + dt.timedelta(days=1), asked) == 0
            assert differing(duck, day) == 0
            assert unlike_known(duck, day, asked) == 0
            assert duck.execute(f"SELECT COUNT(*) FROM {TOUCHED}").fetchall() == [(0,)]
        assert links
        assert all(0 < some < 200 for some in few)
        assert all(0 < some < 200 for some in asked[1:]), "few are summed up again"
