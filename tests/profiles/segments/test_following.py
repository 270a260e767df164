"""What happens to one customer reaches the segments by following."""

import datetime as dt

import pytest

from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.scores.services import define_score
from changke.facts.scores.services.take_in import Wanted, take_in_scores, withdraw_scores
from changke.foundation.batches.models import Batch
from changke.profiles.lifecycle.services import fold
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.services.members import follow
from changke.profiles.segments.services.save import save_segment
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)


def inside() -> dict[str, bool]:
    """Segment -> whether she is still in it; one in which she never was is not there."""
    rows = SegmentMember.objects.values_list("segment__key", "left_at")
    return {key: left is None for key, left in rows}


def test_a_purchase_and_a_tag_are_followed_once_and_not_before_her_profile() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    vera = book.customer(store, TODAY - dt.timedelta(days=90), name="Vera")
    fold(NOW)
    follow(NOW)
    for key, text in {
        "bought": "purchases >= 1",
        "late": "count(purchase in 30 days) = 0",
        "shy": "tag has 怕生",
    }.items():
        save_segment(None, key=key, name=key, text=text, now=NOW)
    assert inside() == {"late": True}
    book.receipt(vera, store, TODAY).save(force_insert=True)
    assert follow(NOW) == 0  # her profile does not know it yet
    fold(NOW)
    assert follow(NOW) == 1
    assert inside() == {"late": False, "bought": True}
    assert follow(NOW) == 0
    add_tag(vera, "怕生", now=NOW)
    fold(NOW)
    follow(NOW)
    assert inside() == {"late": False, "bought": True, "shy": True}
    remove_tag(vera, "怕生", now=NOW)
    fold(NOW)
    follow(NOW)
    assert inside() == {"late": False, "bought": True, "shy": False}


def test_a_score_of_the_chains_own_is_followed() -> None:
    make_chain()
    vera = Book().customer(make_stores(1)[0], TODAY - dt.timedelta(days=90), name="Vera")
    score = define_score(key="churn", kind="chance", labels={"en": "Churn"}, now=NOW)
    fold(NOW)
    save_segment(None, key="leaving", name="leaving", text="score.churn >= 50", now=NOW)
    batch = Batch.objects.create(kind="scores", title="x", created_at=NOW)
    take_in_scores([Wanted(vera.pk, score.pk, 9_000, None, TODAY)], batch_id=batch.pk)
    fold(NOW)
    follow(NOW)
    assert inside() == {"leaving": True}
    withdraw_scores(batch.pk)
    fold(NOW)
    follow(NOW)
    assert inside() == {"leaving": False}
