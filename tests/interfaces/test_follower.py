"""The worker hears of a fact: what wakes it is the fact itself, not the next look at the clock."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection

from changke.facts.customers.services.change import change
from changke.facts.visits.services.record import record_visit
from changke.foundation.database.connections import conninfo
from changke.interfaces import analytics, follower
from changke.interfaces.follower import CHANNEL, Follower
from changke.profiles.attributes.models import Profile
from tests.cast import NOW, TODAY, Cast, assemble, at
from tests.interfaces.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 60


class Turns:
    """The worker's own turns at the cast's time. `calm` counts those after which nothing was left to follow."""

    def __init__(self) -> None:
        self.calm = threading.Semaphore(0)

    def __call__(self, now: datetime) -> bool:
        more = analytics.follow(NOW)
        if not more:
            self.calm.release()
        return more

    def wait(self) -> None:
        assert self.calm.acquire(timeout=PATIENCE_SECONDS), "nobody woke the follower"


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return assemble()


@pytest.fixture
def turns(people: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """A follower that has read everything and would look again by itself in ten minutes only."""
    monkeypatch.setattr(follower, "POLL_SECONDS", 600)
    turns = Turns()
    thread = Follower(conninfo("app"), turns)
    thread.start()
    turns.wait()
    yield turns
    threading.Thread(target=thread.stop, daemon=True).start()

    def ended() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")  # it waits for its next turn to see that it is asked to stop
        return not thread.is_alive()

    wait_until(ended, "the end of the follower")


def visits_of_mo(people: Cast) -> int:
    return int(Profile.objects.get(pk=people.mo.pk).visits)


def test_a_fact_wakes_the_worker_and_the_profile_follows(people: Cast, turns: Turns) -> None:
    before = visits_of_mo(people)
    record_visit(store=people.jing_an, customer=people.mo, happened_at=at(TODAY, 9), source_key="v1", now=NOW)
    turns.wait()
    assert visits_of_mo(people) == before + 1


def test_a_change_of_who_she_is_wakes_it_too(people: Cast, turns: Turns) -> None:
    change(people.mo.pk, {"birth_year": 1996}, now=NOW)
    turns.wait()
    assert Profile.objects.get(pk=people.mo.pk).birth_decade == 1990
