"""Written down on a phone, by thumb: how many taps, what one sees, what is there afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from PIL import ExifTags, Image
from playwright.sync_api import Page, Route, expect

from changke.facts.customers.models import Customer, Note
from changke.facts.purchases.models import Receipt
from changke.profiles.lifecycle.services import refresh_customers
from tests.browser.audit import COLOURS, findings, sideways
from tests.browser.waiting import settled
from tests.cast import NOW, Cast
from tests.clock import Clock

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
LOOKS = [("desktop", False), ("phone", False), ("phone", True)]
FORMS = ["customer", "sale", "use", "return", "visit", "note", "allergy"]


@pytest.fixture(autouse=True)
def day(people: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    monkeypatch.setattr(settings, "MEDIA_ROOT", str(tmp_path / "media"))
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return Clock(monkeypatch, NOW)


def arrives(page: Page) -> None:
    """On her page, with nothing under way any more: the next test clears the tables."""
    page.wait_for_url("**/customers/**")
    settled(page)


def typed_in() -> int:
    return Receipt.objects.filter(source_key__startswith="hand:").count()


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_every_form_is_accessible_and_fits(visit: Visit, people: Cast, size: str, dark: bool) -> None:
    page = visit("/record/", size=size, dark=dark, by=people.clerk)
    assert findings(page, only=COLOURS if dark else None) == []
    width = 390 if size == "phone" else 1440
    page.set_viewport_size({"width": width, "height": 2400})  # the save bar would lie above what one can scroll free
    for form in FORMS:
        for query in ("", f"?customer={people.vera.pk}"):
            page.goto(f"/record/{form}/{query}")
            assert findings(page, only=COLOURS if dark else None) == [], form
            assert sideways(page) == 0, form


def test_a_sale_by_phone_is_on_her_page(visit: Visit, people: Cast) -> None:
    """Five taps and four digits, from the tab bar to the receipt."""
    page = visit("/", size="phone", by=people.clerk)
    page.locator(".phone-tabs a.record").tap()
    page.get_by_role("link", name="消费", exact=True).tap()
    page.get_by_placeholder("手机尾号四位").fill("0004")
    page.get_by_role("link", name="莫愁").tap()
    page.get_by_role("button", name="深层补水").tap()
    expect(page.locator("[data-total]")).to_have_text("¥288")
    page.get_by_role("button", name="记下消费").tap()
    expect(page.locator("[data-toast]")).to_contain_text("莫愁：已记 ¥288")
    expect(page).to_have_url(f"{page.url.split('/customers')[0]}/customers/{people.mo.pk}/")
    expect(page.locator("main")).to_contain_text("深层补水")
    assert typed_in() == 1
    settled(page)


def test_the_sum_follows_the_typing(visit: Visit, people: Cast) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", size="phone", by=people.clerk)
    page.get_by_label("金额", exact=True).fill("12.5")
    expect(page.locator("[data-total]")).to_have_text("¥12.50")


def test_a_double_tap_on_save_is_one_sale(visit: Visit, people: Cast) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", by=people.clerk)
    page.get_by_label("金额", exact=True).fill("99")
    page.get_by_role("button", name="记下消费").dblclick()
    expect(page.locator("[data-toast]").first).to_contain_text("¥99")
    assert typed_in() == 1
    settled(page)


@pytest.fixture
def slow() -> Callable[[Page], list[Route]]:
    """A line on which the next thing sent waits until the test lets it go."""

    def held_on(page: Page) -> list[Route]:
        held: list[Route] = []

        def hold(route: Route) -> None:
            if route.request.method == "POST" and not held:
                held.append(route)
            else:
                route.continue_()

        page.route("**/record/**", hold)
        return held

    return held_on


def let_go(page: Page, held: list[Route], *, lost: bool = False) -> None:
    while not held:
        page.wait_for_timeout(20)
    held[0].abort() if lost else held[0].continue_()


def test_a_tap_on_save_before_the_line_is_there_saves_with_the_line(
    visit: Visit, people: Cast, slow: Callable[[Page], list[Route]]
) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", size="phone", by=people.clerk)
    held = slow(page)
    page.get_by_role("button", name="深层补水").tap()
    expect(page.locator("#record-form")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_label("金额", exact=True)).not_to_be_editable()
    page.get_by_role("button", name="记下消费").tap()
    expect(page.get_by_role("button", name="记下消费")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="记下消费").tap()
    assert typed_in() == 0
    let_go(page, held)
    expect(page.locator("[data-toast]")).to_contain_text("莫愁：已记 ¥288")
    arrives(page)
    assert typed_in() == 1


def test_what_is_tapped_one_after_the_other_on_a_slow_line_is_all_there(
    visit: Visit, people: Cast, slow: Callable[[Page], list[Route]]
) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", size="phone", by=people.clerk)
    held = slow(page)
    page.get_by_role("button", name="深层补水").dblclick()
    page.get_by_role("button", name="直接记金额").tap()
    let_go(page, held)
    expect(page.locator(".line")).to_have_count(2)
    settled(page)
    expect(page.locator("[data-total]")).to_have_text("¥288")
    expect(page.locator("#record-form")).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_label("金额", exact=True).first).to_be_editable()


def test_what_waited_for_an_answer_that_never_came_is_not_done(
    visit: Visit, people: Cast, slow: Callable[[Page], list[Route]]
) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", size="phone", by=people.clerk)
    held = slow(page)
    page.get_by_role("button", name="深层补水").tap()
    page.get_by_role("button", name="记下消费").tap()
    let_go(page, held, lost=True)
    expect(page.locator("[data-offline]")).to_be_visible()
    expect(page.get_by_label("金额", exact=True)).to_be_editable()
    assert page.locator("#record-form button[aria-busy]").count() == 0
    page.get_by_role("button", name="深层补水").tap()
    expect(page.locator("[data-total]")).to_have_text("¥288")
    settled(page)
    assert typed_in() == 0
    visit.said.clear()  # type: ignore[attr-defined]  # the browser logs the request that failed


def test_enter_saves_and_searching_the_catalogue_does_not(visit: Visit, people: Cast) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", by=people.clerk)
    page.get_by_label("在品项里找").press_sequentially("十次")
    expect(page.locator("#items").get_by_role("button", name="补水十次卡")).to_be_visible()
    page.locator("#items").get_by_role("button", name="补水十次卡").click()
    expect(page.get_by_label("金额", exact=True)).to_have_value("1980")
    assert typed_in() == 0
    page.get_by_label("金额", exact=True).press("Enter")
    expect(page.locator("[data-toast]").first).to_contain_text("¥1,980")
    assert typed_in() == 1
    settled(page)


def test_a_mistake_keeps_what_was_typed(visit: Visit, people: Cast) -> None:
    page = visit(f"/record/sale/?customer={people.mo.pk}", size="phone", by=people.clerk)
    page.get_by_label("内容（可不填）").fill("面膜")
    page.get_by_label("金额", exact=True).fill("一百")
    page.get_by_role("button", name="记下消费").tap()
    expect(page.locator(".line .error")).to_contain_text("请写数字")
    expect(page.get_by_label("内容（可不填）")).to_have_value("面膜")
    assert findings(page) == []
    visit.said.clear()  # type: ignore[attr-defined]  # the browser logs the refusal's status 422


def test_a_dead_network_keeps_the_form(visit: Visit, people: Cast) -> None:
    page = visit(f"/record/note/?customer={people.mo.pk}", size="phone", by=people.clerk)
    page.get_by_label("备注", exact=True).fill("喜欢安静")
    page.context.set_offline(True)
    page.get_by_role("button", name="记下备注").tap()
    expect(page.locator("[data-offline]")).to_be_visible()
    expect(page.get_by_label("备注", exact=True)).to_have_value("喜欢安静")
    page.context.set_offline(False)
    page.get_by_role("button", name="记下备注").tap()
    arrives(page)
    assert Note.objects.get(customer=people.mo).text == "喜欢安静"
    visit.said.clear()  # type: ignore[attr-defined]  # the browser logs the request that failed


def test_a_photo_is_seen_before_it_is_sent(visit: Visit, people: Cast, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "teal").save(tmp_path / "skin.jpg")
    page = visit(f"/record/note/?customer={people.mo.pk}", size="phone", by=people.clerk)
    page.locator("input[name=photo]").set_input_files(str(tmp_path / "skin.jpg"))
    expect(page.locator("[data-photo-shown]")).to_be_visible()
    page.get_by_role("button", name="记下备注").tap()
    arrives(page)
    assert Note.objects.get(customer=people.mo).photo


@pytest.fixture
def lying(tmp_path: Path) -> Path:
    """A photo as phones write it: large, on its side, with a note for whoever shows it how to turn it. Upright, its
    left half is red."""
    upright = Image.effect_noise((2400, 3200), 60).convert("RGB")
    upright.paste((200, 0, 0), (0, 0, 1200, 3200))
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned.save(tmp_path / "lying.jpg", exif=exif, quality=90)
    return tmp_path / "lying.jpg"


def kept(customer: Customer) -> Image.Image:
    return Image.open(Note.objects.get(customer=customer).photo.path)


def test_of_a_large_photo_only_what_is_kept_goes_over_the_line(visit: Visit, people: Cast, lying: Path) -> None:
    page = visit(f"/record/note/?customer={people.mo.pk}", size="phone", by=people.clerk)
    field = page.locator("input[name=photo]")
    field.set_input_files(str(lying))
    smaller = f"(field) => field.files[0].size < {lying.stat().st_size} / 2"
    page.wait_for_function(f"() => ({smaller})(document.querySelector('input[name=photo]'))")
    page.get_by_role("button", name="记下备注").tap()
    arrives(page)
    photo = kept(people.mo)
    assert photo.size == (1200, 1600), "upright"
    assert [photo.getpixel((x, 800))[0] > 150 for x in (100, 500)] == [True, True]  # type: ignore[index]
    assert photo.getpixel((300, 800))[1] < 60 < photo.getpixel((900, 800))[1]  # type: ignore[index,operator]


def test_where_the_browser_cannot_make_it_smaller_the_whole_photo_is_sent(
    visit: Visit, people: Cast, lying: Path
) -> None:
    page = visit("/record/", size="phone", by=people.clerk)
    page.add_init_script("delete window.createImageBitmap")
    page.goto(f"/record/note/?customer={people.mo.pk}")
    page.locator("input[name=photo]").set_input_files(str(lying))
    expect(page.locator("[data-photo-shown]")).to_be_visible()
    page.get_by_role("button", name="记下备注").tap()
    arrives(page)
    assert kept(people.mo).size == (1200, 1600)


def test_a_known_phone_is_said_while_it_is_typed(visit: Visit, people: Cast) -> None:
    page = visit("/record/customer/", size="phone", by=people.clerk)
    page.get_by_label("手机号").press_sequentially("13800000003")
    expect(page.locator("#known")).to_contain_text("薇拉")
    settled(page)


def test_next_on_the_keyboard_goes_from_the_name_to_the_phone(visit: Visit, people: Cast) -> None:
    page = visit("/record/customer/", size="phone", by=people.clerk)
    page.get_by_label("姓名").fill("林小雨")
    page.get_by_label("姓名").press("Enter")
    expect(page.get_by_label("手机号")).to_be_focused()
    assert not Customer.objects.filter(name="林小雨").exists()
    page.keyboard.type("13900001234")
    page.keyboard.press("Enter")
    arrives(page)
    assert Customer.objects.filter(name="林小雨").exists()


def test_an_allergy_is_two_taps_and_red_ever_after(visit: Visit, people: Cast) -> None:
    page = visit(f"/record/allergy/?customer={people.mo.pk}", size="phone", by=people.clerk)
    page.locator("label.chip", has_text="酒精").tap()
    page.get_by_role("button", name="记下过敏").tap()
    arrives(page)
    page.goto(f"/record/sale/?customer={people.mo.pk}")
    expect(page.locator(".notice.bad")).to_contain_text("酒精")
