"""The customer list in the order of what is expected: one order, whichever way it is found, and nobody twice."""

import re

import pytest
from django.http import QueryDict
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.customers.services.register import register
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces.web.customers import by_prediction, reads
from changke.interfaces.web.customers.filters import Filters, read_filters
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from changke.profiles.value.models import Prediction
from changke.profiles.value.queries import prediction_of
from tests.cast import NOW, Cast
from tests.interfaces.web.test_customers import browser
from tests.kept import keeping
from tests.profiles.value.night import a_night, expect

pytestmark = pytest.mark.django_db
ORDERS = ("outlook", "expected", "money")


@pytest.fixture
def shop(cast: Cast) -> Cast:
    a_night_with_models(cast)
    return cast


@keeping
def a_night_with_models(cast: Cast) -> None:
    publish_models(cast.chain, now=NOW)
    a_night(NOW)


@pytest.fixture
def tied(shop: Cast) -> Cast:
    """Twenty more: of six nothing is expected, the others stand in four groups of one value each."""
    twenty_more(shop)
    return shop


@keeping
def twenty_more(shop: Cast) -> None:
    for number in range(20):
        one = register(name=f"客{number}", home_store=shop.jing_an if number % 2 else shop.xu_hui, now=NOW)
        if number >= 6:
            expect(one, 1_000 * (number % 4))
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)


def by_hand(filters: Filters, scope: Scope = CHAIN_WIDE) -> list[int]:
    """The highest first, whoever never bought last, equal ones by their number."""
    seen = Profile.objects.for_scope(scope.narrowed(filters.store))
    if filters.stages:
        seen = seen.filter(stage__in=filters.stages)
    values = dict(Prediction.objects.values_list("pk", reads.ORDERS[filters.order].column))
    people = seen.values_list("customer_id", flat=True)
    return sorted(people, key=lambda pk: (pk not in values, -values.get(pk, 0), pk))


def walked(filters: Filters, size: int, *, back: bool = False, scope: Scope = CHAIN_WIDE) -> list[int]:
    """Everybody, page by page from the first to the last, or from the last back to the first."""
    page = reads.page_of(filters, scope, size=size)
    pages = [page]
    while page.next:
        page = reads.page_of(read_filters(QueryDict(page.next.query[1:])), scope, size=size)
        pages.append(page)
    if back:
        pages = [page]
        while page.previous:
            page = reads.page_of(read_filters(QueryDict(page.previous.query[1:])), scope, size=size)
            pages.insert(0, page)
    return [row.customer.pk for page in pages for row in page.rows]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("size", [3, 8])
def test_pages_never_repeat_or_miss_anybody(tied: Cast, order: str, back: bool, size: int) -> None:
    filters = Filters(order=order)
    assert walked(filters, size, back=back) == by_hand(filters)
    assert len(by_hand(filters)) == 26


@pytest.mark.parametrize(("few", "steps", "most"), [(100, 1, 1), (0, 1, 100), (0, 2, 2), (0, 100, 100)])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("stages", [(), ("intro", "lost")])
def test_few_and_many_and_a_walk_that_is_given_up_answer_alike(
    tied: Cast, monkeypatch: pytest.MonkeyPatch, few: int, steps: int, most: int, back: bool, stages: tuple[str, ...]
) -> None:
    monkeypatch.setattr(by_prediction, "FEW", few)
    monkeypatch.setattr(by_prediction, "STEPS", steps)
    monkeypatch.setattr(by_prediction, "MOST_STEPS", most)
    filters = Filters(order="money", stages=stages, store=tied.jing_an.pk)
    assert walked(filters, 2, back=back) == by_hand(filters)


def test_a_store_is_put_in_order_by_itself(tied: Cast) -> None:
    mine = Scope(frozenset({tied.xu_hui.pk}))
    filters = Filters(order="outlook")
    assert walked(filters, 3, scope=mine) == by_hand(filters, mine)
    assert len(by_hand(filters, mine)) == 11


def test_the_list_shows_what_is_expected_and_the_order_in_words(shop: Cast, client: Client) -> None:
    page = browser(client, shop.owner).get("/customers/?order=outlook", headers={"accept-language": "zh-hans"})
    vera = prediction_of(shop.vera.pk)
    assert vera is not None
    for words in (f"{vera.p_active_bp / 100:.0f}%", "90 天内", "前景", "预计消费次数", "预计消费"):
        assert words in page.content.decode(), words


@pytest.mark.parametrize("position", ["1~x", "x~1", f"{2**70}~1", "~1", "-5~3"])
def test_a_position_typed_by_hand_is_no_error(tied: Cast, client: Client, position: str) -> None:
    assert browser(client, tied.owner).get(f"/customers/?order=money&after={position}").status_code == 200


@pytest.mark.parametrize(("currency", "money"), [("CNY", "¥1,234"), ("JPY", "¥123,456")])
def test_expected_money_is_shown_in_whole_units_of_its_currency(
    shop: Cast, client: Client, currency: str, money: str
) -> None:
    Chain.objects.update(currency=currency)
    Prediction.objects.filter(pk=shop.vera.pk).update(expected_spend_minor=123_456)
    page = browser(client, shop.owner).get("/customers/?order=money").content.decode()
    assert re.search(rf"{money}(?![\d,.])", page)
