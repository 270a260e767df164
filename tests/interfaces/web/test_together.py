"""The pages of what goes together: each says its numbers, what they stand on, and where there are too few."""

import pytest
from django.test import Client
from django.urls import reverse

from changke.foundation.access.models import Grant, OwnRole, Staff
from changke.foundation.access.services import add_staff
from changke.profiles.affinity.models import Basis, GroupCount, SeasonCount
from changke.profiles.lifecycle.services import publish_models
from tests.cast import NOW, Cast
from tests.interfaces.together import counted

pytestmark = pytest.mark.django_db

TABS = ("together", "together-starters", "together-seasons", "together-groups")


def page(person: Staff, name: str, **query: str) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    answer = client.get(reverse(name), query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_pairs_with_their_counts_and_lift(cast: Cast) -> None:
    counted(cast)
    said = page(cast.hq, "together")
    assert "舒缓面膜" in said
    assert "43% of 100" in said
    assert '<td class="right num">1.7<div' in said, "43 of 100, against 100 of 400"
    assert "590 receipts in two years, 570 of them say what was had" in said
    assert "Days with both" in page(cast.hq, "together", among="baskets")


def test_a_manager_sees_the_numbers_of_her_store(cast: Cast) -> None:
    counted(cast)
    said = page(cast.manager, "together")
    assert "80% of 50" in said
    assert "500 receipts in two years" in said


def test_what_is_too_rare_in_a_store_is_said_and_not_shown(cast: Cast) -> None:
    counted(cast)
    there = add_staff(username="there", name="徐", role="manager", stores=[cast.xu_hui], now=NOW)
    said = page(there, "together")
    assert "舒缓面膜" not in said
    assert "Nothing stands out" in said
    assert "1 more pair stands out over the whole chain; here fewer than 20 had both." in said
    assert "Too few to say" in page(there, "together-starters")
    assert "Of groups with fewer than 20 such customers nothing is told." in page(there, "together-groups", by="gender")


def test_of_many_rows_the_first_are_shown_and_it_is_said_where_all_are(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(cast)
    assert "the export has them all" not in page(cast.hq, "together-seasons")
    monkeypatch.setattr("changke.interfaces.web.together.pages.MOST_SHOWN", 1)
    said = page(cast.hq, "together-seasons")
    assert "The first 1 of 3; the export has them all." in said


def test_what_newcomers_begin_with(cast: Cast) -> None:
    counted(cast)
    said = page(cast.manager, "together-starters")
    assert "30/40" in said
    assert "15/60" in said
    assert "More come back" in said
    assert "An observation, no experiment" in said


def test_seasons_by_month(cast: Cast) -> None:
    counted(cast)
    said = page(cast.hq, "together-seasons")
    assert said.index(">Mar<") < said.index(">Jun<") < said.index(">Feb<")
    assert "Much asked for: Jun" in said
    SeasonCount.objects.all().delete()
    said = page(cast.hq, "together-seasons")
    assert "A season needs a year and a half of receipts with lines. The first here is of" in said


def test_what_a_group_has_most(cast: Cast) -> None:
    publish_models(cast.chain, now=NOW)
    counted(cast)
    said = page(cast.hq, "together-groups", by="gender")
    assert "Female" in said
    assert "43 customers had anything" in said
    GroupCount.objects.update(trait="age", value="30")
    assert "30–39" in page(cast.hq, "together-groups")
    GroupCount.objects.update(trait="stage", value="intro")
    assert "43 customers had anything" in page(cast.hq, "together-groups", by="stage")
    assert "Nobody whose group is known" in page(cast.hq, "together-groups", by="nonsense")


@pytest.mark.parametrize("name", TABS)
def test_before_the_first_night_each_says_so(name: str, cast: Cast) -> None:
    assert "Nothing was counted yet" in page(cast.hq, name)


def test_receipts_without_lines_are_told_as_the_reason(cast: Cast) -> None:
    counted(cast)
    Basis.objects.update(with_lines=0)
    assert "No receipt says what was had" in page(cast.hq, "together")


@pytest.mark.parametrize("name", TABS)
def test_an_adviser_is_told_that_few_are_left_out(name: str, cast: Cast) -> None:
    counted(cast)
    assert "is left out" not in page(cast.manager, name)
    Grant.objects.filter(staff=cast.manager).update(sees="assigned")
    assert "what fewer than 5 customers had is left out" in page(cast.manager, name)


def test_it_has_its_place_in_the_menu_for_whoever_may_analyse(cast: Cast) -> None:
    assert f'href="{reverse("together")}"' in page(cast.manager, "value")
    calls = OwnRole.objects.create(name="Calls", capabilities=["customer.view"])
    Grant.objects.filter(staff=cast.clerk).update(built_in="", own_role=calls)
    assert f'href="{reverse("together")}"' not in page(cast.clerk, "customers")
    client = Client()
    client.force_login(cast.clerk)
    assert [client.get(reverse(name)).status_code for name in TABS] == [403] * 4
