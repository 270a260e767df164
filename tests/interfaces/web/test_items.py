"""The pages of the catalogue: found, changed, many at once, and who may."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.services import keep
from changke.facts.catalog.services.intake import NewItem, take_in_items
from changke.foundation.access.models import Staff
from changke.foundation.access.services import add_staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.organisation.services import found_chain
from tests.cast import NOW, PASSWORD, Cast
from tests.clock import Clock

pytestmark = pytest.mark.django_db
FACIAL = {
    "name": "深层补水", "kind": "service", "price": "288", "cost": "60", "cycle": "28", "used": "1",
    "held_name": "深层补水", "held_kind": "service", "held_price": "288", "held_cost": "60", "held_cycle": "28",
    "held_used": "1",
}  # fmt: skip


def signed_in(person: Staff) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person)
    return client


@pytest.fixture
def hq(cast: Cast) -> Client:
    return signed_in(cast.hq)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)


def names(answer: HttpResponse) -> list[str]:
    return [row.item.name for row in answer.context["rows"]]  # type: ignore[attr-defined]


def facial(cast: Cast, **changes: str) -> dict[str, str]:
    skin = str(cast.facial.category_id)
    return {**FACIAL, "category": skin, "held_category": skin, **changes}


def refreshed(cast: Cast) -> Item:
    return Item.objects.select_related("category").get(pk=cast.facial.pk)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["深层补水", "补水十次卡"]),
        ("q=补水", ["深层补水", "补水十次卡"]),
        ("q=c10", ["补水十次卡"]),
        ("q=scbs", ["深层补水"]),
        ("q=shen", ["深层补水"]),
        ("q=没有", []),
        ("kind=card", ["补水十次卡"]),
        ("kind=nonsense", ["深层补水", "补水十次卡"]),
        ("category=nonsense", ["深层补水", "补水十次卡"]),
        ("category=9999999999999999999999", ["深层补水", "补水十次卡"]),
        ("care=1", []),
        ("q=%00", ["深层补水", "补水十次卡"]),
        ("from=2", []),
    ],
)
def test_items_are_found(hq: Client, query: str, found: list[str]) -> None:
    assert sorted(names(hq.get(f"/settings/items/?{query}"))) == sorted(found)


def test_a_row_says_what_a_receipt_would_reckon_by(cast: Cast, hq: Client) -> None:
    keep.add_item(code="A4", name="面膜", kind="service", category=cast.facial.category, now=NOW)
    keep.add_item(code="A1", name="什么", now=NOW)
    rows = {row.item.code: (row.margin, row.is_unknown) for row in hq.get("/settings/items/").context["rows"]}
    assert rows == {"F1": ("79%", False), "C10": ("", False), "A4": ("60%", False), "A1": ("unknown", True)}
    assert names(hq.get("/settings/items/?care=1")) == ["什么"]


def test_an_empty_catalogue_points_to_the_import() -> None:
    found_chain(name="花漾", second_factor_required=False, now=NOW)
    owner = signed_in(add_staff(username="owner", name="林老板", role="owner", password=PASSWORD, now=NOW))
    page = owner.get("/settings/items/").content.decode()
    assert "No item yet" in page
    assert "/imports/new/?kind=purchases" in page
    assert "No category yet" in owner.get("/settings/categories/").content.decode()


def test_what_nothing_fits_says_so(hq: Client) -> None:
    assert "Nothing fits" in hq.get("/settings/items/?q=没有").content.decode()
    assert "Nothing needs attention" in hq.get("/settings/items/?care=1").content.decode()


def test_pages_of_a_long_catalogue(hq: Client) -> None:
    take_in_items(NewItem(f"X{number:03}", f"项目{number:03}") for number in range(120))
    first = hq.get("/settings/items/?kind=other")
    assert (len(names(first)), first.context["next"]) == (50, "?kind=other&from=50")
    last = hq.get("/settings/items/?kind=other&from=100")
    assert (len(names(last)), last.context["next"], last.context["previous"]) == (20, "", "?kind=other&from=50")


def test_an_item_is_changed_and_put_on_the_trail(cast: Cast, hq: Client) -> None:
    page = hq.get(f"/settings/items/{cast.facial.pk}/").content.decode()
    assert 'name="held_price" value="288"' in page
    answer = hq.post(f"/settings/items/{cast.facial.pk}/", facial(cast, price="298.5", cost="", cycle="30"))
    assert answer.status_code == 303
    item = refreshed(cast)
    assert (item.price_minor, item.unit_cost_minor, item.usual_cycle_days, item.kind) == (29_850, None, 30, "service")
    line = AuditLine.objects.get(action="item.changed")
    assert line.before == {"price_minor": 28_800, "unit_cost_minor": 6_000, "usual_cycle_days": 28}
    trail = hq.get("/audit/").content.decode()
    assert "Item changed" in trail
    assert "¥298.50" in trail
    assert f"/settings/items/{cast.facial.pk}/" in trail


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""), ("name", "x" * 201), ("name", "a\0b"), ("kind", "haircut"), ("price", "-1"), ("price", "cheap"),
        ("price", "1e9999999"), ("price", "12.345"), ("price", "99999999999"), ("cost", "NaN"), ("cycle", "0"),
        ("cycle", "3651"), ("cycle", "four"), ("category", "77"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_changes(
    cast: Cast, hq: Client, field: str, text: str
) -> None:
    answer = hq.post(f"/settings/items/{cast.facial.pk}/", facial(cast, **{field: text}))
    assert answer.status_code == 422
    assert field in answer.context["errors"], answer.context["form"].errors
    assert not AuditLine.objects.filter(action="item.changed").exists()
    new = hq.post("/settings/items/new/", {"code": "N1", **facial(cast, **{field: text})})
    assert (new.status_code, field in new.context["errors"]) == (422, True)


def test_who_saves_second_is_told(cast: Cast, hq: Client) -> None:
    """Both open the form; the owner saves another price, headquarters a name and then a price of their own."""
    keep.change_item(cast.facial.pk, {"price_minor": 29_800}, now=NOW)
    address = f"/settings/items/{cast.facial.pk}/"
    assert hq.post(address, facial(cast, name="补水 60")).status_code == 303
    assert (refreshed(cast).name, refreshed(cast).price_minor) == ("补水 60", 29_800)
    late = hq.post(address, facial(cast, held_name="补水 60", name="补水 60", price="318"))
    assert late.status_code == 422
    page = late.content.decode()
    assert "there stands now: Price ¥298.00" in page
    assert 'name="held_price" value="298"' in page
    assert 'value="318"' in page
    held = dict(re.findall(r'name="(held_\w+)" value="([^"]*)"', page))
    assert hq.post(address, facial(cast, **{**held, "name": "补水 60", "price": "318"})).status_code == 303
    assert refreshed(cast).price_minor == 31_800


def test_an_item_is_added_once(cast: Cast, hq: Client) -> None:
    new = {"code": "", "name": "肩颈舒缓", "kind": "service", "price": "¥1,198", "used": "1"}
    assert hq.post("/settings/items/new/", new).status_code == 303
    item = Item.objects.get(code="肩颈舒缓")
    assert (item.price_minor, item.unit_cost_minor, item.is_active) == (119_800, None, True)
    again = hq.post("/settings/items/new/", new)
    assert again.status_code == 422
    assert "肩颈舒缓" in str(again.context["form"].non_field_errors())


def test_a_category_has_a_margin(cast: Cast, hq: Client) -> None:
    assert hq.post("/settings/categories/new/", {"name": "身体", "margin": "62.5%"}).status_code == 303
    body = Category.objects.get(name="身体")
    assert body.margin_basis_points == 6_250
    address = f"/settings/categories/{body.pk}/"
    assert 'value="62.5"' in hq.get(address).content.decode()
    wrong = hq.post(address, {"name": "身体", "margin": "101", "held_name": "身体", "held_margin": "62.5"})
    assert (wrong.status_code, "margin" in wrong.context["errors"]) == (422, True)
    taken = hq.post(address, {"name": "面部护理", "margin": "62.5", "held_name": "身体", "held_margin": "62.5"})
    assert taken.status_code == 422
    assert (
        hq.post(address, {"name": "身体护理", "margin": "", "held_name": "身体", "held_margin": "62.5"}).status_code
        == 303
    )
    body.refresh_from_db()
    assert (body.name, body.margin_basis_points) == ("身体护理", None)
    assert "身体护理" in hq.get("/settings/categories/").content.decode()


def test_those_ticked_get_their_kind_and_category(cast: Cast, hq: Client) -> None:
    take_in_items(NewItem(f"X{number}", f"项目{number}") for number in range(5))
    some = list(Item.objects.filter(kind="other").values_list("pk", flat=True))[:3]
    sent = {"id": some, "set_kind": "service", "set_category": str(cast.facial.category_id), "q": "项目"}
    answer = hq.post("/settings/items/mark/", sent)
    assert (answer.status_code, answer["Location"]) == (303, "/settings/items/?q=%E9%A1%B9%E7%9B%AE")
    assert Item.objects.filter(kind="service", category=cast.facial.category, pk__in=some).count() == 3
    assert Item.objects.filter(kind="other").count() == 2
    assert AuditLine.objects.filter(action="item.changed").count() == 3


def test_what_was_set_by_mistake_is_taken_back_from_the_message(cast: Cast, hq: Client, clock: Clock) -> None:
    take_in_items(NewItem(f"X{number}", f"项目{number}") for number in range(3))
    ids = list(Item.objects.filter(kind="other").order_by("pk").values_list("pk", flat=True))
    hq.post("/settings/items/mark/", {"id": ids, "set_kind": "card", "set_category": str(cast.facial.category_id)})
    (undo,) = set(re.findall(r"/settings/items/mark/\w+/undo/", hq.get("/settings/items/").content.decode()))
    keep.change_item(ids[0], {"kind": "product"}, now=NOW)
    assert signed_in(cast.owner).post(undo).status_code == 303
    assert Item.objects.filter(kind="card", pk__in=ids).count() == 2, "it is not the owner's to undo"
    assert hq.post(undo).status_code == 303
    assert hq.post(undo).status_code == 303
    assert list(Item.objects.filter(pk__in=ids).order_by("pk").values_list("kind", "category__name")) == [
        ("product", "面部护理"), ("other", None), ("other", None),
    ]  # fmt: skip
    hq.post("/settings/items/mark/", {"id": ids[1:], "set_kind": "service"})
    (undo,) = set(re.findall(r"/settings/items/mark/\w+/undo/", hq.get("/settings/items/").content.decode()))
    clock.passes(minutes=16)
    hq.post(undo)
    assert Item.objects.filter(kind="service", pk__in=ids).count() == 2


def test_a_line_of_the_trail_is_put_back_by_whoever_keeps_the_catalogue(cast: Cast, hq: Client) -> None:
    keep.change_item(cast.facial.pk, {"kind": "product", "price_minor": 1}, now=NOW)
    line = AuditLine.objects.get(action="item.changed")
    page = hq.get(f"/audit/{line.pk}/restore/").content.decode()
    assert "Service" in page
    now = dict(re.findall(r'name="(now_\w+)" value="([^"]*)"', page.replace("&quot;", "'")))
    sent = {"field": ["item_kind", "price_minor"], **{name: text.replace("'", '"') for name, text in now.items()}}
    assert hq.post(f"/audit/{line.pk}/restore/", sent).status_code == 303
    assert (refreshed(cast).kind, refreshed(cast).price_minor) == ("service", 28_800)


def test_all_of_a_list_after_one_was_asked(cast: Cast, hq: Client) -> None:
    take_in_items(NewItem(f"X{number}", f"项目{number}") for number in range(60))
    sent = {"set_kind": "product", "set_category": "0", "kind": "other", "q": "项目", "all": "1"}
    asked = hq.post("/settings/items/mark/", sent)
    assert (asked.status_code, asked.context["count"]) == (200, 60)
    assert Item.objects.filter(kind="other").count() == 60
    assert hq.post("/settings/items/mark/", {**sent, "sure": "1"}).status_code == 303
    assert Item.objects.filter(kind="product").count() == 60
    assert refreshed(cast).kind == "service"


@pytest.mark.parametrize(
    "sent", [{}, {"set_kind": "service"}, {"id": ["1"]}, {"id": ["x", "²"], "set_kind": "card"}, {"set_kind": "hair"}]
)
def test_a_change_of_many_without_a_wish_changes_nothing(hq: Client, sent: dict[str, object]) -> None:
    assert hq.post("/settings/items/mark/", sent).status_code == 303
    assert not AuditLine.objects.filter(action="item.changed").exists()


def test_a_category_that_is_gone_is_not_given_to_many(cast: Cast, hq: Client) -> None:
    assert hq.post("/settings/items/mark/", {"id": [cast.facial.pk], "set_category": "4711"}).status_code == 404


@pytest.mark.parametrize(
    "page", ["items/", "items/new/", "items/{item}/", "categories/", "categories/new/", "categories/{category}/"]
)
@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("hq", 200), ("manager", 403), ("clerk", 403)])
def test_the_catalogue_belongs_to_owner_and_headquarters(cast: Cast, page: str, who: str, status: int) -> None:
    address = "/settings/" + page.format(item=cast.facial.pk, category=cast.facial.category_id)
    assert signed_in(getattr(cast, who)).get(address).status_code == status
