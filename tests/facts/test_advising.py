"""Who looked after whom, from when to when."""

import datetime as dt

import pytest

from changke.facts.customers.models import Advising, Customer
from changke.facts.customers.past import adviser_at, adviser_known_since
from changke.facts.customers.services.advising import follow, note
from changke.facts.customers.services.change import change
from tests.cast import NOW, Cast

LATER = NOW + dt.timedelta(days=10)
LATEST = NOW + dt.timedelta(days=20)

# Committed for each step: what follows reads transactions that have ended.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_past_follows_whoever_changed_the_adviser(cast: Cast) -> None:
    vera = [cast.vera.pk]
    follow(NOW)
    assert adviser_known_since(vera) is None
    change(cast.vera.pk, {"adviser": cast.clerk}, now=NOW)
    assert follow(NOW) == 1
    Customer.objects.filter(pk__in=vera).update(adviser=cast.manager)  # as a bulk change that only renews the row
    change(cast.vera.pk, {"name": "薇拉"}, now=LATER)
    assert follow(LATER) == 1
    change(cast.vera.pk, {"adviser": None}, now=LATEST)
    assert follow(LATEST) == 1
    assert adviser_at(vera, NOW - dt.timedelta(seconds=1)) is None
    assert adviser_at(vera, NOW) == cast.clerk
    assert adviser_at(vera, LATER) == cast.manager
    assert adviser_at(vera, LATEST) is None
    assert adviser_known_since(vera) == NOW


def test_following_twice_changes_nothing(cast: Cast) -> None:
    change(cast.vera.pk, {"adviser": cast.clerk}, now=NOW)
    assert (follow(NOW), follow(LATER)) == (1, 0)
    assert Advising.objects.count() == 1


def test_noting_twice_is_one_span_and_tells_who_did_it(cast: Cast) -> None:
    change(cast.vera.pk, {"adviser": cast.clerk}, now=NOW)
    for moment in (NOW, LATER):
        note([cast.vera.pk], by_id=cast.owner.pk, reason="handed_over", now=moment)
    span = Advising.objects.get()
    assert (span.staff, span.given_by, span.reason, span.since) == (cast.clerk, cast.owner, "handed_over", NOW)
    assert follow(LATER) == 0, "what a verb noted itself is not found again"
