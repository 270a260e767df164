"""Name and password: what delays, whom it delays, and what an unknown name costs."""

import datetime as dt
import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from pytest_django import Settings

from changke.foundation.access.services import change_staff
from changke.foundation.login.models import Attempt
from changke.foundation.login.services.delays import KEPT, TooManyTries, forget_attempts
from changke.foundation.login.services.log_in import WrongLogin, log_in
from tests.cast import NOW, PASSWORD, Cast, assemble

HOME, ELSEWHERE = "198.51.100.1", "203.0.113.9"


class CountingHasher(Argon2PasswordHasher):
    """Argon2 with its own parameters, which counts how often it works."""

    algorithm = "counted"
    worked = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.worked += 1
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        CountingHasher.worked += 1
        return super().verify(password, encoded)


def wrong(username: str = "owner", *, address: str = HOME, times: int = 1, now: dt.datetime = NOW) -> None:
    for _ in range(times):
        with pytest.raises(WrongLogin):
            log_in(username=username, password="not it", address=address, now=now)


def right(*, address: str = HOME, known_here: tuple[int, ...] = (), now: dt.datetime = NOW) -> str:
    return log_in(username="Owner ", password=PASSWORD, address=address, known_here=known_here, now=now).username


@pytest.mark.django_db
def test_three_wrong_tries_are_free_then_one_waits_longer_and_longer(cast: Cast) -> None:
    now = NOW
    wrong(times=3)
    for seconds in (1, 2, 4, 8):
        with pytest.raises(TooManyTries) as told:
            right(now=now)
        assert told.value.places["seconds"] == seconds
        now += dt.timedelta(seconds=seconds)
        wrong(now=now)


@pytest.mark.django_db
def test_waiting_is_enough_nobody_is_locked_out(cast: Cast) -> None:
    wrong(times=3)
    assert right(now=NOW + dt.timedelta(seconds=1)) == "owner"
    assert not Attempt.objects.filter(key__contains="owner").exists()


@pytest.mark.django_db
def test_a_stranger_who_tries_from_one_place_does_not_delay_the_owner_elsewhere(cast: Cast) -> None:
    wrong(address=ELSEWHERE, times=3)
    assert right(address=HOME) == "owner"


@pytest.mark.django_db
def test_many_machines_that_guess_one_password_are_slowed_together_and_the_owners_browser_is_not(cast: Cast) -> None:
    for place in range(10):
        wrong(address=f"203.0.113.{place}")
    with pytest.raises(TooManyTries):
        right(address="198.51.100.77")
    assert right(known_here=(cast.owner.pk,)) == "owner"


@pytest.mark.django_db
def test_strangers_delay_a_name_by_a_minute_at_most(cast: Cast) -> None:
    now = NOW
    for turn in range(40):
        now += dt.timedelta(minutes=2)
        wrong(address=f"203.0.113.{turn}", now=now)
    assert right(now=now + dt.timedelta(minutes=1)) == "owner"


@pytest.mark.django_db
def test_one_machine_that_tries_every_name_is_slowed(cast: Cast) -> None:
    for turn in range(20):
        wrong(f"name{turn}", address=ELSEWHERE)
    with pytest.raises(TooManyTries):
        right(address=ELSEWHERE)
    assert right(address=HOME) == "owner"


@pytest.mark.django_db
def test_a_right_log_in_does_not_wash_its_address_clean(cast: Cast) -> None:
    for turn in range(19):
        wrong(f"name{turn}", address=ELSEWHERE)
    assert right(address=ELSEWHERE) == "owner"
    wrong("name19", address=ELSEWHERE)
    with pytest.raises(TooManyTries):
        right(address=ELSEWHERE)


@pytest.mark.django_db
def test_a_store_that_shares_an_address_logs_in_all_day(cast: Cast) -> None:
    assert [right() for _ in range(40)] == ["owner"] * 40


@pytest.mark.django_db
def test_failures_are_forgotten_after_a_day(cast: Cast) -> None:
    wrong(times=3)
    later = NOW + dt.timedelta(days=1, seconds=2)
    wrong(now=later, times=2)
    assert right(now=later) == "owner"
    assert forget_attempts(now=later + KEPT + dt.timedelta(seconds=1)) > 0
    assert not Attempt.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["owner", "nobody-here", "gone", "hq"])
def test_an_unknown_name_costs_the_same_work_and_gets_the_same_answer(
    cast: Cast, settings: Settings, username: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    for person in (cast.owner, cast.clerk):
        change_staff(person, password="another-jade-26", now=NOW)
    cast.clerk.username = "gone"
    cast.clerk.save()
    change_staff(cast.clerk, is_active=False, now=NOW)
    cast.hq.set_unusable_password()
    cast.hq.save()
    CountingHasher.worked = 0
    with pytest.raises(WrongLogin) as told:
        log_in(username=username, password="not it", address=HOME, now=NOW)
    assert (CountingHasher.worked, str(told.value)) == (1, "Name or password is not right.")


@pytest.mark.django_db(transaction=True)
def test_twenty_guesses_sent_at_once_are_not_twenty_free_ones() -> None:
    assemble()
    gate, answers = threading.Barrier(20), []

    def guess() -> None:
        gate.wait()
        try:
            log_in(username="owner", password="not it", address=HOME, now=NOW)
        except (WrongLogin, TooManyTries) as told:
            answers.append(type(told))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (answers.count(WrongLogin), answers.count(TooManyTries)) == (3, 17)
