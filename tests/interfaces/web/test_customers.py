"""The customer list: found in every way, filtered, paged by position, seen only by whom it concerns."""

import re

import pytest
from django.http import QueryDict
from django.test import Client

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import matching
from changke.facts.customers.services.change import change
from changke.facts.customers.services.register import register
from changke.facts.customers.services.tags import add_tag
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.organisation.services import change_settings
from changke.foundation.persons.queries import forget_vault
from changke.interfaces.web.customers import counts, narrowed, reads, walk
from changke.interfaces.web.customers.filters import ORDERS, Filters, read_filters
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import StageCount
from changke.profiles.lifecycle.services.some import refresh_customers
from tests.cast import NOW, TODAY, Cast, ago, know_everybody

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Cast:
    """The cast with its profiles, as they are on the cast's day."""
    know_everybody()
    return cast


def refresh_all() -> None:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)


def browser(client: Client, staff: object) -> Client:
    client.force_login(staff)  # type: ignore[arg-type]  # Staff is our user
    return client


def names(answer: object) -> list[str]:
    """Names in the table, in order. Cards repeat them, so only the table is read."""
    return re.findall(r'<a class="strong" href="/customers/\d+/">([^<]*)</a>', answer.content.decode())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("莫", ["莫愁"]),  # one character
        ("愁", ["莫愁"]),  # also one from the middle
        ("莫愁", ["莫愁"]),
        (" 莫 愁 ", ["莫愁"]),  # spaces of an input method
        ("mochou", ["莫愁"]),
        ("MoC", ["莫愁"]),  # the beginning of the pinyin
        ("mc", ["莫愁"]),  # initials
        ("0004", ["莫愁"]),  # last four digits
        ("13800000004", ["莫愁"]),
        ("+86 138-0000-0004", ["莫愁"]),
        ("138 0000 0004", ["莫愁"]),
        ("1380000", []),  # the beginning of a phone: it is sealed, only the whole and its end are known
        ("K-77", ["莫愁"]),  # the number of another system
        ("k-77", []),  # which is taken as written
        ("愁莫", []),  # the same characters in another order
        ("四", []),
    ],
)
def test_a_search_finds_by_each_way(shop: Cast, client: Client, text: str, who: list[str]) -> None:
    Identifier.objects.create(customer=shop.mo, kind="external", source="old", value="K-77")
    answer = browser(client, shop.owner).get("/customers/", {"q": text})
    assert sorted(names(answer)) == sorted(who)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("欧阳娜", True),
        ("阳娜娜", True),  # three characters from the middle
        ("欧阳娜娜", True),
        ("欧阳阳娜", False),  # every pair stands in the name, but not in this order
        ("阳欧", False),
    ],
)
def test_long_names_are_found_by_pieces_in_their_order(shop: Cast, text: str, found: bool) -> None:
    nana = register(name="欧阳娜娜", home_store=shop.jing_an, now=NOW)
    assert Customer.objects.filter(matching(text), pk=nana.pk).exists() is found


def test_foreign_names_are_found_by_any_word(shop: Cast) -> None:
    mary = register(name="Mary Ann Lee", home_store=shop.jing_an, now=NOW)
    for text in ("mary", "Ann", "lee", "ann lee", "mal"):
        assert list(Customer.objects.filter(matching(text))) == [mary], text
    assert not Customer.objects.filter(matching("lea")).exists()


def test_a_search_takes_no_sign_for_a_command(shop: Cast, client: Client) -> None:
    for text in ("%", "_", "\\", "(莫", "莫愁(", "'; DROP", "a.*", "\0", "莫.愁", "[" * 60):
        answer = browser(client, shop.owner).get("/customers/", {"q": text})
        assert answer.status_code == 200
        assert names(answer) == [] or text == "\0", text


def test_stages_stand_above_the_list_with_their_counts(shop: Cast, client: Client) -> None:
    page = browser(client, shop.owner).get("/customers/").content.decode()
    counts = re.findall(r'facet-words cut">([^<]+)</span>\s*<span class="facet-count">([^<]+)<', page)
    assert counts == [("引入期", "2"), ("成长期", "1"), ("成熟期", "1"), ("沉默期", "1"), ("流失期", "1")]


def test_a_stage_chosen_keeps_the_counts_of_the_others(shop: Cast, client: Client) -> None:
    page = browser(client, shop.owner).get("/customers/?stage=silent&stage=lost")
    assert names(page) == ["莫愁", "岚岚"]
    assert [count.number for count in counted(Filters(stages=("silent",)))] == [2, 1, 1, 1, 1]


def counted(filters: Filters, scope: Scope = CHAIN_WIDE) -> list[counts.Count]:
    stages = ["intro", "growth", "mature", "silent", "lost"]
    return list(counts.counts_of(filters, scope, stages, model="m4").values())


def test_counts_follow_search_tags_and_store(shop: Cast) -> None:
    add_tag(shop.mo, "敏感肌", now=NOW)
    assert [one.number for one in counted(Filters(q="莫"))] == [0, 0, 0, 1, 0]
    assert [one.number for one in counted(Filters(tag="敏感肌"))] == [0, 0, 0, 1, 0]
    assert [one.number for one in counted(Filters(store=shop.xu_hui.pk))] == [0, 0, 0, 0, 1]
    assert [one.number for one in counted(Filters(), Scope(frozenset({shop.jing_an.pk})))] == [2, 1, 1, 1, 0]


def test_counting_stops_where_nobody_reads_on(shop: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "CAP", 1)
    assert counted(Filters())[:2] == [counts.Count(1, more=True), counts.Count(1)]
    monkeypatch.setattr(narrowed, "SEARCH_CAP", 1)
    for one in (shop.mo, shop.lan):
        add_tag(one, "敏感肌", now=NOW)
    assert counted(Filters(tag="敏感肌"))[3].more, "what is looked up is counted in one go, and says so of every stage"


def test_beyond_the_cap_the_roll_up_of_the_charts_knows(shop: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "CAP", 1)
    for day, customers in ((TODAY, 1_234), (ago(30), 9)):
        StageCount.objects.create(day=day, model="m4", stage="intro", store_id=None, customers=customers, value_minor=0)
    assert counted(Filters())[0] == counts.Count(1_234)
    assert counted(Filters(adviser=shop.clerk.pk))[0] == counts.Count(0), "the roll-up knows nothing of advisers"


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("tag=敏感肌", ["莫愁"]),
        ("adviser=ME", ["秋月"]),
        ("store=XH", ["岚岚"]),
        ("store=XH&stage=silent", []),
        ("tag=敏感肌&stage=silent&q=mo", ["莫愁"]),
        ("order=name", ["白露", "岚岚", "莫愁", "秋月", "薇拉", "莹莹"]),
        ("order=last", ["莹莹", "薇拉", "秋月", "莫愁", "岚岚", "白露"]),  # who never came stands last
        ("order=spend", ["薇拉", "莫愁", "秋月", "莹莹", "岚岚", "白露"]),
        ("", ["薇拉", "莫愁", "秋月", "莹莹", "岚岚", "白露"]),  # value at risk
        ("order=nonsense&group=nobody&store=x&adviser=-1&after=1~x", ["薇拉", "莫愁", "秋月", "莹莹", "岚岚", "白露"]),
    ],
)
def test_filters_and_orders_live_in_the_address(shop: Cast, client: Client, asked: str, who: list[str]) -> None:
    add_tag(shop.mo, "敏感肌", now=NOW)
    change(shop.qiu.pk, {"adviser": shop.clerk}, now=NOW)
    refresh_all()
    address = asked.replace("ME", str(shop.clerk.pk)).replace("XH", str(shop.xu_hui.pk))
    assert names(browser(client, shop.owner).get(f"/customers/?{address}")) == who


@pytest.mark.parametrize(("first", "most"), [(1, 0), (1, 100), (2, 3), (100, 100)])
@pytest.mark.parametrize(
    "filters",
    [
        Filters(q="bai"),
        Filters(q="白", order="name"),
        Filters(q="白", order="name", stages=("intro", "silent")),
        Filters(tag="敏感肌", order="name"),
        Filters(tag="敏感肌", order="last"),
        Filters(tag="敏感肌", stages=("intro", "silent"), order="spend"),
    ],
)
def test_few_and_many_are_found_in_the_same_order(
    shop: Cast, monkeypatch: pytest.MonkeyPatch, filters: Filters, first: int, most: int
) -> None:
    """Few are looked up first; of many the first of the order are asked, then whoever fits is sorted: one answer."""
    for one in Customer.objects.all():
        add_tag(one, "敏感肌", now=NOW)
    Customer.objects.update(name_grams=["白"], pinyin="bai")
    few = [row.customer.pk for row in reads.page_of(filters, CHAIN_WIDE).rows]
    assert len(few) == 6 if not filters.stages else few
    monkeypatch.setattr(narrowed, "SEARCH_CAP", 0)
    monkeypatch.setattr(walk, "FIRST_STEPS", first)
    monkeypatch.setattr(walk, "MOST_STEPS", most)
    many, page = [], reads.page_of(filters, CHAIN_WIDE, size=2)
    while True:
        many += [row.customer.pk for row in page.rows]
        if page.next is None:
            break
        page = reads.page_of(page.next, CHAIN_WIDE, size=2)
    assert many == few


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("size", [2, 7])
def test_pages_never_repeat_or_miss_anybody_where_values_tie(shop: Cast, order: str, size: int) -> None:
    """Nine customers who never came tie in every order but the name, where three share theirs."""
    for number in range(9):
        register(name=f"{'同名' if number % 3 else '刘'}", home_store=shop.jing_an, now=NOW)
    refresh_all()
    there = list(walked(Filters(order=order), size, back=False))
    assert len(there) == len(set(there)) == Profile.objects.count() == 15
    assert there == [row.customer.pk for row in reads.page_of(Filters(order=order), CHAIN_WIDE, size=100).rows]
    assert list(walked(Filters(order=order), size, back=True)) == there
    in_any_stage = Filters(order=order, stages=("intro", "growth", "mature", "silent", "lost"))
    assert list(walked(in_any_stage, size, back=False)) == there, "several stages are walked one by one and merged"
    assert list(walked(in_any_stage, size, back=True)) == there


def walked(filters: Filters, size: int, *, back: bool) -> list[int]:
    """Everybody, page by page from the first to the last, or from the last back to the first."""
    page = reads.page_of(filters, CHAIN_WIDE, size=size)
    pages = [page]
    while page.next:
        page = reads.page_of(read_filters(QueryDict(page.next.query[1:])), CHAIN_WIDE, size=size)
        pages.append(page)
    if back:
        pages = [page]
        while page.previous:
            page = reads.page_of(read_filters(QueryDict(page.previous.query[1:])), CHAIN_WIDE, size=size)
            pages.insert(0, page)
    return [row.customer.pk for page in pages for row in page.rows]


def test_somebody_new_in_between_shifts_no_page(shop: Cast) -> None:
    first = reads.page_of(Filters(order="name"), CHAIN_WIDE, size=2)
    register(name="阿宝", home_store=shop.jing_an, now=NOW)
    refresh_all()
    assert first.next is not None
    second = reads.page_of(first.next, CHAIN_WIDE, size=2)
    assert [row.customer.name for row in second.rows] == ["莫愁", "秋月"]


def test_an_old_link_behind_the_end_begins_again(shop: Cast) -> None:
    behind = read_filters(QueryDict("order=spend&after=-999~999999"))
    assert len(reads.page_of(behind, CHAIN_WIDE).rows) == 6


def test_a_manager_sees_the_own_store_only(shop: Cast, client: Client) -> None:
    page = browser(client, shop.manager).get("/customers/")
    assert "岚岚" not in names(page)
    assert len(names(page)) == 5
    assert names(client.get("/customers/?q=岚岚")) == []
    assert names(client.get(f"/customers/?store={shop.xu_hui.pk}")) == []


def test_phones_are_masked_in_the_list(shop: Cast, client: Client) -> None:
    page = browser(client, shop.owner).get("/customers/").content.decode()
    assert "138****0004" in page
    assert "13800000004" not in page


def test_an_empty_list_names_the_tightest_condition_and_drops_it(shop: Cast, client: Client) -> None:
    add_tag(shop.mo, "敏感肌", now=NOW)
    answer = browser(client, shop.owner).get("/customers/?tag=敏感肌&stage=lost", headers={"Accept-Language": "en"})
    page = answer.content.decode()
    assert names(answer) == []
    # Without the stage one would be found, without the tag one as well: the first of them is named.
    assert "Without Lost there would be 1." in page
    assert re.search(r'<a[^>]*href="/customers/\?tag=%E6%95%8F%E6%84%9F%E8%82%8C"[^>]*class="button primary', page)


def test_a_chain_without_customers_says_what_will_be_here(client: Client, cast: Cast) -> None:
    page = browser(client, cast.owner).get("/customers/").content.decode()  # profiles were never computed
    assert "还没有客户" in page


def test_a_fragment_carries_rows_and_counts_and_a_clean_address(shop: Cast, client: Client) -> None:
    answer = browser(client, shop.owner).get(
        "/customers/?q=&store=&group=&tag=&stage=silent&order=", headers={"HX-Request": "true"}
    )
    page = answer.content.decode()
    assert "<html" not in page
    assert 'id="customer-facets" hx-swap-oob' in page
    assert answer["HX-Push-Url"] == "/customers/?stage=silent"


def test_the_top_bar_searches_here(shop: Cast, client: Client) -> None:
    answer = browser(client, shop.owner).get("/find/?q=mc")
    assert answer["Location"] == "/customers/?q=mc"


def test_a_list_asks_the_database_a_fixed_number_of_times(
    shop: Cast, client: Client, django_assert_max_num_queries: object
) -> None:
    browser(client, shop.owner).get("/customers/")  # the models of the stages are read once per process
    forget_vault()  # the keys are checked every two seconds: here, so that it is counted every time
    with django_assert_max_num_queries(25):  # type: ignore[operator]  # pytest-django's fixture
        client.get("/customers/")


@pytest.mark.parametrize(("kinds", "said"), [(["visit", "use"], "最近到店"), (["purchase"], "最近消费")])
def test_the_column_of_the_last_day_says_what_counts(shop: Cast, client: Client, kinds: list[str], said: str) -> None:
    change_settings(shop.chain, {"activity_kinds": kinds}, now=NOW)
    client.cookies["django_language"] = "zh-hans"
    page = browser(client, shop.hq).get("/customers/", headers={"accept-language": "zh-hans"}).content.decode()
    assert page.count(said) >= 2, "the heading, and the order to choose"
