"""Every number of a page can be asked how it is computed, by whoever may see analyses, and what it says runs."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import translation

from changke.facts.customers.models import Customer
from changke.foundation.access.models import Grant, OwnRole
from changke.foundation.audit.rules import HOUSE
from changke.foundation.errors import NotFound
from changke.interfaces import numbers
from changke.interfaces.asking import Asking
from changke.interfaces.counted import COUNTED, PAGE
from changke.interfaces.statements import heard
from changke.interfaces.web.customers.measures import NAMES
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import save_segment
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller
from tests.interfaces.api.conftest import hq as hq
from tests.interfaces.api.conftest import key_of as key_of

pytestmark = pytest.mark.django_db
TEMPLATES = Path(numbers.__file__).parent / "web" / "templates"


@pytest.fixture
def shop(cast: Cast) -> Cast:
    publish_models(cast.chain, now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return cast


def test_whatever_a_page_names_can_be_asked(shop: Cast) -> None:
    named = {key for path in TEMPLATES.rglob("*.html") for key in re.findall(r'<c-how key="(\w+)"', path.read_text())}
    assert len(named) > 8
    for key in named | set(NAMES) | set(REGISTRY.attributes):
        assert all(numbers.called(key)), key
    for key in named | {"net_spend"}:
        assert "SELECT" in numbers.number(key).sql, key


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_every_number_is_called_in_the_readers_language(language: str) -> None:
    with translation.override(language):
        assert [key for key in numbers.every() if any(word.isascii() for word in numbers.called(key))] == []


def test_everything_a_page_counts_is_statements_that_the_database_answers_as_they_stand(shop: Cast) -> None:
    """In one test: the world is the same for all of them."""
    for key in COUNTED:
        told = numbers.number(key)
        assert told.parts, key
        for part in told.parts:
            assert "changke.stores" not in part.sql, key
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(re.sub(r":(customer_id|population_version)\b", "0", part.sql))
                cursor.fetchall()


def test_what_is_shown_is_what_the_page_asks(shop: Cast, client: Client) -> None:
    """Whoever sees the whole chain opens the page: what is shown of its number is among what the page asked."""
    client.force_login(shop.hq)
    for key, page in PAGES.items():
        shown = {part.sql for part in numbers.number(key).parts if part.says == PAGE}
        assert shown, key
        asked = set(heard(lambda page=page: client.get(page)))  # type: ignore[misc]
        assert {_dayless(one) for one in shown} <= {_dayless(one) for one in asked}, key


PAGES = {
    "stage_needs": "/lifecycle/stages/",
    "time_in_stage": "/lifecycle/stages/",
    "store_health": "/lifecycle/health/",
    "value_grid": "/value/",
    "value_groups": "/value/",
    "customers_by_age": "/value/",
    "product_lines": "/value/lines/",
    "service_lines": "/risk/lines/",
    "pairs_together": "/together/",
    "first_baskets": "/together/starters/",
    "seasons": "/together/seasons/",
    "group_favourites": "/together/groups/",
    "segment_members": "/segments/",
    "customers_by_adviser": "/advisers/",
    "slipping_customers": "/advisers/",
}


def _dayless(sql: str) -> str:
    """Without the moments of two clocks that were read one after the other."""
    return re.sub(r"'\d{4}-\d\d-\d\d[ T][^']*'", "''", sql)


def test_the_portrait_of_a_segment_asks_for_the_segment(shop: Cast) -> None:
    save_segment(None, name="大额", text="net_spend >= 100", is_tracked=True, by=HOUSE, now=NOW)
    key = Segment.objects.get().key
    told = numbers.number("segment_portrait", Asking(key))
    assert all("net_spend" in part.sql for part in told.parts)
    both = numbers.number("segment_overlap", Asking(key, key))
    assert len(both.parts) == 3
    with pytest.raises(NotFound):
        numbers.number("segment_portrait", Asking("nobody"))


def test_stages_are_counted_over_the_rules_of_the_model(shop: Cast) -> None:
    sql = numbers.number("customers_by_stage").sql
    assert "CASE" in sql
    assert "GROUP BY" in sql
    for stage in ("lost", "silent", "mature", "growth", "intro"):
        assert f"'{stage}'" in sql, stage
    assert "$" not in sql


def test_an_attribute_shows_its_file_and_what_it_stands_on(shop: Cast) -> None:
    told = numbers.number("silent_days")
    assert told.reads == ("last_active",)
    assert told.definition.startswith("-- silence:")
    assert "last_active" in told.sql


def test_what_there_is_not_is_not_found(shop: Cast) -> None:
    with pytest.raises(NotFound):
        numbers.number("happiness")


def test_the_pages_say_it_to_whoever_may_see_analyses(shop: Cast, client: Client) -> None:
    client.force_login(shop.hq)
    every = client.get("/numbers/", headers={"accept-language": "zh-hans"}).content.decode()
    assert 'href="/numbers/net_spend/"' in every
    one = client.get("/numbers/net_spend/", headers={"accept-language": "zh-hans"}).content.decode()
    for words in ("累计消费", "完整语句", "SELECT", "-- money:"):
        assert words in one, words
    assert client.get("/numbers/happiness/").status_code == 404
    assert 'href="/numbers/value_at_risk/"' in client.get("/customers/").content.decode()
    only_customers = OwnRole.objects.create(name="盘点", capabilities=["customer.view"])
    Grant.objects.filter(staff=shop.clerk).update(built_in="", own_role=only_customers)
    client.force_login(shop.clerk)
    assert client.get("/numbers/net_spend/").status_code == 403
    assert client.get("/numbers/").status_code == 403
    seen = client.get("/customers/").content.decode()
    assert "莫愁" in seen
    assert "/numbers/" not in seen


def test_the_api_says_it_too(shop: Cast, hq: Caller) -> None:
    assert {one["key"] for one in hq.get("/numbers").json()} == set(numbers.every())
    told = hq.get("/numbers/net_spend").json()
    assert told["sql"] == numbers.number("net_spend").sql
    assert hq.get("/numbers/happiness").status_code == 404


def test_and_the_command_line(shop: Cast) -> None:
    def told(*words: str) -> dict[str, Any]:
        out = StringIO()
        call_command("numbers", *words, "--json", stdout=out)
        found: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
        return found

    assert told("value_grid")["sql"].startswith("SELECT")
    assert len(told()["numbers"]) == len(numbers.every())
