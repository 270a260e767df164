"""Two people decide about the same records at the same moment, on connections of their own: one of them is first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from changke.facts.customers.models import Customer, MergeLink
from changke.facts.customers.services.merge import NotMerged, SamePerson, merge, unmerge
from changke.facts.customers.services.register import register
from changke.facts.duplicates.models import Duplicate, State
from changke.facts.duplicates.services import DecidedAlready, find_duplicates, merge_pair, not_same
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError
from changke.foundation.organisation.scope import CHAIN_WIDE
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], object]) -> list[str]:
    """What came of each: `done`, or the code of the refusal. Anything else is raised."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> str:
        try:
            with seeing(CHAIN_WIDE):
                connection.ensure_connection()
                start.wait(timeout=30)
                deed()
            return "done"
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as people:
        return list(people.map(do, deeds))


def test_the_same_merge_twice_is_one(cast: Cast) -> None:
    ying, qiu = cast.ying.pk, cast.qiu.pk
    came = at_once(*[lambda: merge(ying, qiu, now=NOW)] * 2)
    assert sorted(came) == sorted(["done", SamePerson.code])
    assert MergeLink.objects.filter(withdrawn_by__isnull=True).count() == 1


def test_each_into_the_other_makes_no_circle(cast: Cast) -> None:
    ying, qiu = cast.ying.pk, cast.qiu.pk
    came = at_once(lambda: merge(ying, qiu, now=NOW), lambda: merge(qiu, ying, now=NOW))
    assert sorted(came) == sorted(["done", SamePerson.code])
    read_as = dict(Customer.objects.filter(pk__in=[ying, qiu]).values_list("pk", "merged_into_id"))
    assert sorted(read_as.values(), key=str) in ([qiu, None], [ying, None])


def test_a_merge_and_an_unmerge_leave_one_of_both_orders(cast: Cast) -> None:
    ying, qiu, mo = cast.ying.pk, cast.qiu.pk, cast.mo.pk
    batch = int(merge(ying, qiu, now=NOW).batch_id or 0)
    came = at_once(lambda: merge(qiu, mo, now=NOW), lambda: unmerge(batch, now=NOW))
    read_as = dict(Customer.objects.filter(pk__in=[ying, qiu, mo]).values_list("pk", "merged_into_id"))
    if came == ["done", "done"]:  # parted first, then merged
        assert read_as == {ying: None, qiu: mo, mo: None}
    else:  # merged first: what was joined before is parted only after it
        assert came == ["done", "merged_further"]
        assert read_as == {ying: mo, qiu: mo, mo: None}


def test_parting_twice_is_parting_once(cast: Cast) -> None:
    batch = int(merge(cast.ying.pk, cast.qiu.pk, now=NOW).batch_id or 0)
    came = at_once(*[lambda: unmerge(batch, now=NOW)] * 2)
    assert sorted(came) == sorted(["done", NotMerged.code])
    assert not Customer.objects.filter(merged_into__isnull=False).exists()


def test_one_says_the_same_and_the_other_says_two(cast: Cast) -> None:
    twin = register(name="莹莹", phone="13800000001", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    came = at_once(lambda: merge_pair(pair.pk, into_id=cast.ying.pk, now=NOW), lambda: not_same(pair.pk, now=NOW))
    pair.refresh_from_db()
    twin.refresh_from_db()
    # A late merge of what was called two persons is allowed: the last word holds, and it is whole.
    assert came in (["done", DecidedAlready.code], ["done", "done"])
    assert (pair.state, twin.merged_into_id) == (State.MERGED, cast.ying.pk)


def test_a_double_click_merges_once(cast: Cast) -> None:
    register(name="莹莹", phone="13800000001", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    assert at_once(*[lambda: merge_pair(pair.pk, into_id=cast.ying.pk, now=NOW)] * 2) == ["done", "done"]
    assert MergeLink.objects.count() == 1


def test_a_search_beside_a_decision_changes_nothing_of_it(cast: Cast) -> None:
    register(name="莹莹", phone="13800000001", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    assert at_once(lambda: find_duplicates(now=NOW), lambda: not_same(pair.pk, now=NOW)) == ["done", "done"]
    pair.refresh_from_db()
    assert pair.state == State.NOT_SAME
