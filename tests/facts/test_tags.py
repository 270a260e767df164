"""Tags: why they are believed, how long, and what was believed before."""

import datetime as dt

import pytest

from changke.facts.customers.models import FormerTag, Tag
from changke.facts.customers.past import tags_at
from changke.facts.customers.services import tag_words, tags
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.errors import Invalid
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(days=10)


def staff(person: Staff) -> By:
    return By("staff", person.pk, person.name)


def worn(cast: Cast, moment: dt.datetime) -> list[str]:
    return [one.name for one in tags_at([cast.vera.pk], moment)]


def test_a_past_day_shows_the_tags_of_that_day(cast: Cast) -> None:
    tags.add_tag(cast.vera, "敏感肌", by=staff(cast.clerk), now=NOW)
    tags.remove_tag(cast.vera, "敏感肌", by=staff(cast.manager), now=LATER)
    tags.add_tag(cast.vera, "VIP", now=LATER)
    assert worn(cast, NOW - dt.timedelta(seconds=1)) == []
    assert worn(cast, NOW) == ["敏感肌"]
    assert worn(cast, LATER - dt.timedelta(seconds=1)) == ["敏感肌"]
    assert worn(cast, LATER) == ["VIP"]


def test_what_came_off_is_kept_with_its_evidence_and_its_end(cast: Cast) -> None:
    tags.add_tag(cast.vera, "敏感肌", by=staff(cast.clerk), now=NOW)
    tags.remove_tag(cast.vera, "敏感肌", by=staff(cast.manager), because="disputed", now=LATER)
    former = FormerTag.objects.get()
    assert (former.given_by, former.ended_by, former.ended_because) == (cast.clerk, cast.manager, "disputed")
    assert (former.recorded_at, former.ended_at) == (NOW, LATER)


def test_taking_off_what_she_does_not_wear_says_so(cast: Cast) -> None:
    assert not tags.remove_tag(cast.vera, "敏感肌", now=NOW)
    assert not FormerTag.objects.exists()


def test_a_tag_comes_off_when_nobody_confirmed_it_in_time(cast: Cast) -> None:
    tag_words.save_word("孕期", group=None, stale_after_days=270, now=NOW)
    assert tags.add_tag(cast.vera, "孕期", now=NOW).stale_on == NOW.date() + dt.timedelta(days=270)
    tags.add_tag(cast.vera, "VIP", now=NOW)
    day = NOW.date() + dt.timedelta(days=269)
    assert tags.take_stale_off(today=day, now=LATER) == 0
    assert tags.take_stale_off(today=day + dt.timedelta(days=1), now=LATER) == 1
    assert [one.name for one in Tag.objects.all()] == ["VIP"]
    assert FormerTag.objects.get().ended_because == "stale"


def test_putting_it_on_again_confirms_it_and_keeps_the_first_evidence(cast: Cast) -> None:
    tag_words.save_word("孕期", group=None, stale_after_days=270, now=NOW)
    tags.add_tag(cast.vera, "孕期", by=staff(cast.clerk), now=NOW)
    again = tags.add_tag(cast.vera, "孕期", by=staff(cast.manager), now=LATER)
    again.refresh_from_db()
    assert again.stale_on == LATER.date() + dt.timedelta(days=270)
    assert (again.given_by, again.recorded_at) == (cast.clerk, NOW)


def test_a_group_of_one_answer_holds_one(cast: Cast) -> None:
    skin = tag_words.save_group(None, name="肤质", only_one=True, now=NOW)
    for name in ("干性", "油性"):
        tag_words.save_word(name, group=skin, stale_after_days=None, now=NOW)
    tags.add_tag(cast.vera, "干性", now=NOW)
    tags.add_tag(cast.vera, "VIP", now=NOW)
    tags.add_tag(cast.vera, "油性", now=LATER)
    assert worn(cast, LATER) == ["VIP", "油性"]
    assert FormerTag.objects.get().ended_because == "replaced"


@pytest.mark.parametrize("name", ["", "   ", "长" * 61])
def test_an_impossible_name_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid):
        tags.add_tag(cast.vera, name, now=NOW)


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_an_impossible_time_is_refused(db: None, days: int) -> None:
    with pytest.raises(Invalid):
        tag_words.save_word("孕期", group=None, stale_after_days=days, now=NOW)


def test_a_second_group_of_the_same_name_is_refused(db: None) -> None:
    tag_words.save_group(None, name="肤质", only_one=True, now=NOW)
    with pytest.raises(tag_words.TagNameTaken):
        tag_words.save_group(None, name=" 肤质 ", only_one=False, now=NOW)


def test_a_tag_outlives_its_group(cast: Cast) -> None:
    skin = tag_words.save_group(None, name="肤质", only_one=True, now=NOW)
    tag_words.save_word("干性", group=skin, stale_after_days=None, now=NOW)
    tags.add_tag(cast.vera, "干性", now=NOW)
    tag_words.remove_group(skin, now=NOW)
    assert worn(cast, NOW) == ["干性"]
