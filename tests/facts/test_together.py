"""A batch for several rooms: found once, written together, and alone where one of them cannot."""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest
from django.db import DataError, connection, transaction

from changke.facts.customers.services.meet import Meeting, Reference, known_since, reference
from changke.facts.customers.services.together import Whom, Written, take_in
from changke.facts.models import Customer, Visit
from changke.facts.visits.services.receive import NewVisit, Visits
from changke.foundation.organisation.scope import CHAIN_WIDE
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Poisoned:
    """A room whose fact the database cannot hold. She is met all the same: nothing of that may stay."""

    meetings: Sequence[Meeting] = ()

    def whom(self) -> Whom:
        return Whom(self.meetings)

    def write(self, people: Mapping[Reference, int]) -> Written:
        with connection.cursor() as sql:
            sql.execute("SELECT 1 / 0")
        return Written()


def visit(cast: Cast, phone: str, *, key: str, days_ago: int = 1, name: str = "") -> NewVisit:
    moment = NOW - dt.timedelta(days=days_ago)
    return NewVisit(cast.jing_an, reference("phone", phone), "door", key, moment, name=name)


def test_what_one_room_cannot_take_costs_the_others_nothing(cast: Cast) -> None:
    stranger = Meeting(reference("phone", "13877770001"), cast.jing_an, TODAY, "谁")
    told = Visits([visit(cast, "13877770002", key="v1", name="来过")], now=NOW)
    before = Customer.objects.count()
    with pytest.raises(DataError):
        take_in([Poisoned([stranger]), told], scope=CHAIN_WIDE, now=NOW)
    assert Visit.objects.get().customer.name == "来过"
    assert Customer.objects.count() == before + 1


def test_the_same_stranger_in_two_rooms_is_one_person_known_since_the_earlier_day(cast: Cast) -> None:
    first = Visits([visit(cast, "13877770003", key="v1", days_ago=3)], now=NOW)
    second = Visits([visit(cast, "138 7777 0003", key="v2", days_ago=9, name="阿九")], now=NOW)
    take_in([first, second], scope=CHAIN_WIDE, now=NOW)
    her = Customer.objects.get(pk__in=Visit.objects.values("customer"))
    assert (her.name, her.known_on) == ("阿九", TODAY - dt.timedelta(days=9))


def test_a_name_that_comes_later_is_found_by_its_sound_and_changes_none_that_is_there(cast: Cast) -> None:
    cast.mo.name = ""
    cast.mo.save(update_fields=["name"])
    known_since({}, {cast.mo.pk: "莫 小 雨", cast.vera.pk: "别人"})
    cast.mo.refresh_from_db()
    assert (cast.mo.name, cast.mo.pinyin, cast.mo.initials) == ("莫 小 雨", "moxiaoyu", "mxy")
    assert cast.mo.name_grams == ["莫", "小", "雨", "莫小", "小雨"]
    assert Customer.objects.get(pk=cast.vera.pk).name == cast.vera.name


@pytest.mark.django_db(transaction=True)
def test_two_machines_that_tell_of_the_same_people_at_once_do_not_block_each_other(cast: Cast) -> None:
    """Each makes one of the two known earlier, and has a fact of the other. A fact holds its customer until it is
    committed: a lock as hard as that of a deletion would have each wait for the other."""
    phones = ["13877770005", "13877770006"]
    take_in([Visits([visit(cast, one, key=one, days_ago=3) for one in phones], now=NOW)], scope=CHAIN_WIDE, now=NOW)
    both_are_written = Barrier(2)

    def tell(machine: int) -> int:
        told = [visit(cast, one, key=f"{machine}-{one}", days_ago=9 * (n == machine)) for n, one in enumerate(phones)]
        try:
            with transaction.atomic():
                outcomes = take_in([Visits(told, now=NOW)], scope=CHAIN_WIDE, now=NOW)
                both_are_written.wait(timeout=10)
            return len(outcomes[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as machines:
        assert list(machines.map(tell, range(2))) == [2, 2]
    known = Customer.objects.filter(pk__in=Visit.objects.values("customer"))
    assert [one.known_on for one in known] == [TODAY - dt.timedelta(days=9)] * 2
