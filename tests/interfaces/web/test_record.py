"""Written down by hand, through HTTP: each form once, each double tap once, each mistake beside its field."""

import datetime as dt
import io
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image

from changke.facts.catalog.models import Item
from changke.facts.catalog.services.intake import NewItem, take_in_items
from changke.facts.catalog.services.keep import change_items
from changke.facts.consents.models import Consent
from changke.facts.customers.models import Customer, Note
from changke.facts.customers.queries import phone_of, with_phone
from changke.facts.customers.services.change import change
from changke.facts.events.models import Event
from changke.facts.purchases.models import Line, Receipt, Tender
from changke.facts.visits.models import Visit
from changke.foundation.access.models import Staff
from changke.foundation.access.services import change_staff
from changke.foundation.audit.models import AuditLine
from tests.cast import NOW, TODAY, Cast, ago, at
from tests.clock import Clock

HTMX = {"HX-Request": "true"}
TOKEN = "0123456789abcdef0123456789abcdef"
FORMS = ["record-sale", "record-use", "record-return", "record-visit", "record-note", "record-allergy"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)


def desk(staff: Staff) -> Client:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(staff)
    return client


@pytest.fixture
def clerk(cast: Cast, clock: Clock) -> Client:
    return desk(cast.clerk)


def sale(customer: Customer | None, *lines: tuple[object, str], **more: object) -> dict[str, object]:
    """What the form sends: lines of (item or text, amount)."""
    about = {"customer": customer.pk} if customer else {"walk_in": "1"}
    return {
        **about,
        "token": TOKEN,
        "tender": "wechat",
        "line_item": [getattr(what, "pk", "") for what, _ in lines],
        "line_text": [what if isinstance(what, str) else "" for what, _ in lines],
        "line_quantity": ["1"] * len(lines),
        "line_amount": [amount for _, amount in lines],
        "save": "1",
        **more,
    }


def typed_in() -> QuerySet[Receipt]:
    """What came through a form, not what the cast was born with."""
    return Receipt.objects.filter(source_key__startswith="hand:").all()


def photo(width: int = 3000, height: int = 2000) -> SimpleUploadedFile:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(written, "JPEG")
    return SimpleUploadedFile("IMG_1.jpg", written.getvalue(), content_type="image/jpeg")


# New customers


def test_a_new_customer_keeps_her_first_source_store_and_adviser(cast: Cast, clerk: Client) -> None:
    typed = {"name": "谷雨", "phone": "139 0000 0042", "source": "抖音", "staff": cast.clerk.pk, "token": TOKEN}
    answer = clerk.post(reverse("record-customer"), typed)
    new = Customer.objects.get(name="谷雨")
    assert answer["Location"] == reverse("customer", args=[new.pk])
    assert (new.source, new.home_store, new.adviser, new.known_on) == ("抖音", cast.jing_an, cast.clerk, TODAY)
    assert phone_of(new) == "+8613900000042"
    assert Event.objects.get(kind="customer.registered").customer == new


def test_what_she_agrees_to_at_the_counter_is_a_consent(cast: Cast, clerk: Client) -> None:
    typed = {"name": "谷雨", "phone": "139 0000 0042", "agrees": ["marketing-sms", "profiling"], "token": TOKEN}
    for _ in range(2):
        clerk.post(reverse("record-customer"), typed)
    said = Consent.objects.get()
    assert (said.purpose, said.channel, said.given, said.staff) == ("marketing", "sms", True, cast.clerk)


def test_a_customer_without_a_phone_sent_twice_is_one_customer(cast: Cast, clerk: Client) -> None:
    for _ in range(2):
        clerk.post(reverse("record-customer"), {"name": "无名", "token": TOKEN})
    assert Customer.objects.filter(name="无名").count() == 1


def test_a_known_phone_leads_to_its_owner_and_keeps_what_was_typed(cast: Cast, clerk: Client) -> None:
    answer = clerk.post(reverse("record-customer"), {"name": "新人", "phone": "13800000003", "token": TOKEN})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "薇拉" in page
    assert reverse("customer", args=[cast.vera.pk]) in page
    assert 'value="新人"' in page
    assert "薇拉" in clerk.get(reverse("record-known-phone"), {"phone": "138 0000 0003"}).content.decode()


def test_a_phone_that_two_use_is_written_down_for_the_second_too(cast: Cast, clerk: Client) -> None:
    typed = {"name": "小薇", "phone": "13800000003", "token": TOKEN}
    assert 'name="share"' in clerk.post(reverse("record-customer"), typed).content.decode()
    assert clerk.post(reverse("record-customer"), typed | {"share": "1"}).status_code == 303
    assert with_phone("13800000003") == [cast.vera.pk, Customer.objects.get(name="小薇").pk]
    clerk.post(reverse("record-customer"), typed | {"share": "1"})
    assert Customer.objects.filter(name="小薇").count() == 1


def test_of_a_phone_of_another_store_only_that_it_is_known_is_said(cast: Cast, clerk: Client) -> None:
    page = clerk.post(reverse("record-customer"), {"name": "新人", "phone": "13800000005", "token": TOKEN})
    assert page.status_code == 422
    assert "岚岚" not in page.content.decode()
    assert "别的门店" in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"name": "", "phone": ""}, "name", "姓名或手机号"),
        ({"name": "甲", "phone": "12"}, "phone", "电话"),
        ({"name": "甲", "birth_month": "2", "birth_day": "30"}, "birth_day", ""),
    ],
)
def test_a_mistake_stands_beside_its_field(
    cast: Cast, clerk: Client, typed: dict[str, str], field: str, words: str
) -> None:
    answer = clerk.post(reverse("record-customer"), {**typed, "token": TOKEN}, headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.content.decode().partition(f'id="{field}"')[2]
    assert "<html" not in answer.content.decode(), "htmx gets the form alone"


# Sales


def test_a_sale_by_hand_is_a_receipt_with_its_line_and_tender(cast: Cast, clerk: Client) -> None:
    answer = clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "258"), staff=cast.clerk.pk))
    receipt = typed_in().get(customer=cast.mo)
    assert answer["Location"] == reverse("customer", args=[cast.mo.pk])
    assert (receipt.kind, receipt.cash_minor, receipt.consumed_minor) == ("sale", 25_800, 25_800)
    assert (receipt.store, receipt.staff, receipt.business_date) == (cast.jing_an, cast.clerk, TODAY)
    assert Line.objects.get(receipt=receipt).item == cast.facial
    assert Tender.objects.get(receipt=receipt).kind == "wechat"


def test_a_sale_sent_twice_is_one_sale(cast: Cast, clerk: Client, clock: Clock) -> None:
    for _ in range(2):
        assert clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"))).status_code == 303
        clock.passes(seconds=1)
    assert typed_in().count() == 1


def test_two_sales_by_two_forms_are_two(cast: Cast, clerk: Client) -> None:
    for token in ("a" * 32, "b" * 32):
        clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"), token=token))
    assert typed_in().count() == 2


def test_a_sale_of_several_things_and_a_free_amount(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"), ("面膜一盒", "12.5"), ("", "")))
    receipt = typed_in().get()
    assert receipt.cash_minor == 30_050
    assert list(Line.objects.filter(receipt=receipt).values_list("description", flat=True)) == ["", "面膜一盒"]


def test_a_card_sold_is_money_and_a_card_used_is_not(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.card, "1980"), token="a" * 32))
    clerk.post(reverse("record-use"), sale(cast.mo, (cast.facial, "288"), token="b" * 32, tender="session"))
    sold, used = typed_in().order_by("pk")
    assert (sold.kind, sold.cash_minor, sold.consumed_minor) == ("sale", 198_000, 0)
    assert (used.kind, used.cash_minor, used.consumed_minor) == ("use", 0, 28_800)


def test_a_passer_by_counts_for_the_store_only(cast: Cast, clerk: Client) -> None:
    assert clerk.post(reverse("record-sale"), sale(None, ("面膜", "99")))["Location"] == reverse("record")
    assert typed_in().get().customer is None


@pytest.mark.parametrize(
    ("lines", "more", "words"),
    [
        ([("", "")], {}, "请选品项"),
        ([("面膜", "abc")], {}, "请写数字"),
        ([("面膜", "1.234")], {}, "请写数字"),
        ([("面膜", "-5")], {}, ""),
        ([("面膜", "99999999999")], {}, ""),
        ([("面膜", "9")], {"tender": "shells"}, ""),
        ([("面膜", "9")], {"when": "2026-03-05T09:00"}, ""),
        ([("面膜", "9")], {"when": "gestern"}, "时间写得不对"),
    ],
)
def test_what_no_till_prints_is_refused_and_stays_in_the_form(
    cast: Cast, clerk: Client, lines: list[tuple[object, str]], more: dict[str, str], words: str
) -> None:
    answer = clerk.post(reverse("record-sale"), sale(cast.mo, *lines, **more), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'class="error"' in page
    assert f'value="{lines[0][1]}"' in page
    assert not typed_in().exists()


def test_an_item_is_one_tap_with_its_price_and_a_second_tap_is_a_second_piece(cast: Cast, clerk: Client) -> None:
    typed = sale(cast.mo, ("", ""), add=cast.facial.pk)
    typed.pop("save")
    page = clerk.post(reverse("record-sale"), typed, headers=HTMX).content.decode()
    assert "深层补水" in page
    assert 'value="288"' in page
    again = sale(cast.mo, (cast.facial, "288"), add=cast.facial.pk)
    assert 'value="576"' in clerk.post(reverse("record-sale"), again, headers=HTMX).content.decode()
    assert not typed_in().exists(), "choosing is not saving"


def test_a_line_can_be_taken_out(cast: Cast, clerk: Client) -> None:
    typed = sale(cast.mo, (cast.facial, "288"), ("面膜", "99"), remove="0")
    page = clerk.post(reverse("record-sale"), typed, headers=HTMX).content.decode()
    assert 'value="99"' in page
    assert 'value="288"' not in page


def test_the_catalogue_is_searched_by_name(cast: Cast, clerk: Client) -> None:
    assert "补水十次卡" in clerk.get(reverse("record-items"), {"item_q": "十次", "kind": "sale"}).content.decode()
    assert "补水十次卡" not in clerk.get(reverse("record-items"), {"item_q": "十次", "kind": "use"}).content.decode()


def test_what_nobody_said_is_named_where_a_card_is_used(cast: Cast, clerk: Client) -> None:
    take_in_items([NewItem("S1", "肩颈舒缓"), NewItem("S2", "艾灸")])
    use = {"kind": "use", "item_q": "肩颈"}
    page = clerk.get(reverse("record-items"), use).content.decode()
    assert "肩颈舒缓" in page
    assert "/settings/items/" not in page, "she may not say it"
    office = Client()
    office.force_login(cast.hq)
    assert "/settings/items/?kind=other&q=" in office.get(reverse("record-items"), use).content.decode()
    assert "艾灸" not in office.get(reverse("record-use"), {"customer": cast.mo.pk}).content.decode(), (
        "others are offered"
    )
    change_items(list(Item.objects.values_list("pk", flat=True)), {"kind": "other"}, now=NOW)
    assert "艾灸" in office.get(reverse("record-use"), {"customer": cast.mo.pk}).content.decode()
    assert "?kind=other" not in office.get(reverse("record-items"), {**use, "kind": "sale"}).content.decode()
    assert office.get(reverse("record-items"), {"kind": "use", "item_q": "\0"}).status_code == 200


def test_yesterday_s_sale_is_yesterday_s(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"), when="2026-03-03T23:30"))
    assert typed_in().get().business_date == ago(1)


def test_a_return_meets_its_receipt(cast: Cast, clerk: Client) -> None:
    original = Receipt.objects.get(number="ying-1")
    page = clerk.get(reverse("record-return"), {"customer": cast.ying.pk, "receipt": original.pk}).content.decode()
    assert 'value="288"' in page
    assert "深层补水" in page
    clerk.post(reverse("record-return"), sale(cast.ying, (cast.facial, "288"), receipt=original.pk))
    back = Receipt.objects.get(kind="return")
    assert (back.source, back.store, back.original_number) == (original.source, original.store, original.number)
    assert (back.cash_minor, back.consumed_minor) == (28_800, 28_800)
    assert "已退" in clerk.get(reverse("record-return"), {"customer": cast.ying.pk}).content.decode()


def test_no_more_is_given_back_than_was_paid(cast: Cast, clerk: Client) -> None:
    original = Receipt.objects.get(number="ying-1")

    def give_back(amount: str) -> int:
        sent = sale(cast.ying, (cast.facial, amount), receipt=original.pk, token=uuid.uuid4().hex)
        answer = clerk.post(reverse("record-return"), sent)
        if answer.status_code == 422:
            assert "超过了这张单还能退的金额" in answer.content.decode()
        return answer.status_code

    assert [give_back(amount) for amount in ("100", "188.01", "188", "0.01")] == [303, 422, 303, 422]
    assert sum(Receipt.objects.filter(kind="return").values_list("cash_minor", flat=True)) == original.cash_minor


def test_another_customer_s_receipt_cannot_be_given_back(cast: Cast, clerk: Client) -> None:
    foreign = Receipt.objects.get(number="vera-0")
    assert clerk.get(reverse("record-return"), {"customer": cast.mo.pk, "receipt": foreign.pk}).status_code == 404


def parts(*typed: tuple[str, str]) -> dict[str, object]:
    return {"part_kind": [kind for kind, _ in typed], "part_amount": [amount for _, amount in typed]}


def test_a_sale_is_paid_in_several_ways_and_nobody_adds_up(cast: Cast, clerk: Client) -> None:
    more = parts(("stored_value", "100"), ("cash", "88.5"), ("cash", ""))
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"), **more))
    receipt = typed_in().get()
    paid = dict(Tender.objects.filter(receipt=receipt).values_list("kind", "amount_minor"))
    assert paid == {"wechat": 9_950, "stored_value": 10_000, "cash": 8_850}
    assert (receipt.kind, receipt.cash_minor, receipt.consumed_minor) == ("sale", 18_800, 28_800)


def test_a_card_may_be_used_up_with_the_rest_off_another(cast: Cast, clerk: Client) -> None:
    typed = sale(cast.mo, (cast.facial, "288"), tender="session", **parts(("stored_value", "88")))
    clerk.post(reverse("record-use"), typed)
    receipt = typed_in().get()
    assert (receipt.kind, receipt.cash_minor) == ("use", 0)
    assert Tender.objects.filter(receipt=receipt).count() == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("cash", "288.01"), "各部分加起来超过了总额"),
        (("cash", "abc"), "请写数字"),
        (("cash", "1.234"), "请写数字"),
        (("cash", "-1"), ""),
        (("shells", "10"), "请选这一部分怎么付的"),
    ],
)
def test_a_part_that_cannot_be_stays_in_the_form_with_its_mistake(
    cast: Cast, clerk: Client, typed: tuple[str, str], said: str
) -> None:
    sent = sale(cast.mo, (cast.facial, "288"), **parts(typed))
    answer = clerk.post(reverse("record-sale"), sent, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert f'value="{typed[1]}"' in page
    assert not typed_in().exists()


# What never happened


def take_back(client: Client, receipt: Receipt, name: str = "record-void") -> int:
    return client.post(reverse(name, args=[receipt.pk])).status_code


def page_after(client: Client, answer: HttpResponse) -> str:
    """Where the form leads, with what it says there."""
    return client.get(answer["Location"]).content.decode()


def living() -> QuerySet[Receipt]:
    return typed_in().filter(withdrawn_by__isnull=True)


def test_a_mistake_of_today_leaves_every_number_and_is_no_return(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "2880")))
    mistake = typed_in().get()
    assert "莫愁" in clerk.get(reverse("record")).content.decode()
    assert take_back(clerk, mistake) == 303
    assert not living().exists()
    assert not Receipt.objects.filter(kind="return").exists()
    mistake.refresh_from_db()
    assert mistake.withdrawn_by is not None
    assert (mistake.withdrawn_by.kind, mistake.withdrawn_by.created_by) == ("void", cast.clerk)
    line = AuditLine.objects.get(action="receipt.voided")
    assert (line.subject, line.actor_name) == (f"receipt:{mistake.pk}", "苏晴")
    assert take_back(clerk, mistake) == 404, "a second tap finds it gone"
    clerk.get(reverse("record"))  # says once that it is taken back
    assert "2,880" not in clerk.get(reverse("customer", args=[cast.mo.pk])).content.decode()
    assert f"#{mistake.withdrawn_by.pk}" not in desk(cast.hq).get(reverse("imports")).content.decode()


def test_after_the_sale_one_tap_takes_it_back_and_another_puts_it_back(cast: Cast, clerk: Client) -> None:
    shown = page_after(clerk, clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"))))
    first = typed_in().get()
    assert reverse("record-void", args=[first.pk]) in shown
    shown = page_after(clerk, clerk.post(reverse("record-void", args=[first.pk])))
    assert reverse("record-restore", args=[first.pk]) in shown
    for _ in range(2):
        assert take_back(clerk, first, "record-restore") == 303
    again = living().get()
    assert again.pk != first.pk
    assert (again.cash_minor, again.number, again.customer, again.staff) == (28_800, first.number, cast.mo, first.staff)
    assert [line.amount_minor for line in Line.objects.filter(receipt=again)] == [28_800]
    assert [paid.kind for paid in Tender.objects.filter(receipt=again)] == ["wechat"]
    assert AuditLine.objects.filter(action="receipt.restored").count() == 1


def test_what_was_put_back_can_be_taken_back_again(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288")))
    first = typed_in().get()
    take_back(clerk, first)
    take_back(clerk, first, "record-restore")
    assert take_back(clerk, living().get()) == 303
    assert not living().exists()


def test_after_a_quarter_of_an_hour_it_is_written_down_anew(cast: Cast, clerk: Client, clock: Clock) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288")))
    first = typed_in().get()
    take_back(clerk, first)
    clock.passes(minutes=16)
    assert "不能恢复" in page_after(clerk, clerk.post(reverse("record-restore", args=[first.pk])))
    assert not living().exists()


def test_yesterday_is_closed_and_a_file_is_undone_whole(cast: Cast, clerk: Client, clock: Clock) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288")))
    clock.at(at(TODAY + dt.timedelta(days=1), 9))
    assert "只有今天" in page_after(clerk, clerk.post(reverse("record-void", args=[typed_in().get().pk])))
    assert living().exists()
    assert "今天记下的" not in clerk.get(reverse("record")).content.decode()


def test_what_was_given_back_is_not_taken_back(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-sale"), sale(cast.mo, (cast.facial, "288"), token="a" * 32))
    sold = typed_in().get()
    clerk.post(reverse("record-return"), sale(cast.mo, (cast.facial, "100"), receipt=sold.pk, token="b" * 32))
    back = Receipt.objects.get(kind="return")
    assert "已经退过" in page_after(clerk, clerk.post(reverse("record-void", args=[sold.pk])))
    take_back(clerk, back)
    assert take_back(clerk, sold) == 303
    assert not living().exists()


def test_nobody_takes_back_what_another_store_wrote(cast: Cast, clerk: Client) -> None:
    desk(cast.hq).post(reverse("record-sale"), sale(cast.lan, (cast.facial, "288"), store=cast.xu_hui.pk))
    foreign = typed_in().get()
    assert take_back(clerk, foreign) == 404
    assert take_back(desk(cast.hq), foreign) == 303
    assert take_back(clerk, foreign, "record-restore") == 404


# Visits, notes, allergies


def test_a_visit_sent_twice_is_one_visit(cast: Cast, clerk: Client) -> None:
    for _ in range(2):
        clerk.post(reverse("record-visit"), {"customer": cast.mo.pk, "purpose": "咨询", "token": TOKEN})
    visit = Visit.objects.get(customer=cast.mo)
    assert (visit.store, visit.purpose, visit.business_date) == (cast.jing_an, "咨询", TODAY)


def test_a_note_with_a_photo_is_kept_once_and_shown_to_her_stores_only(
    cast: Cast, clerk: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", str(tmp_path))
    for _ in range(2):
        typed = {"customer": cast.mo.pk, "text": "喜欢安静", "photo": photo(), "token": TOKEN}
        assert clerk.post(reverse("record-note"), typed).status_code == 303
    note = Note.objects.get(customer=cast.mo)
    assert Event.objects.get(kind="note.written", customer=cast.mo).data["note"] == note.pk
    assert "喜欢安静" not in str(Event.objects.get(kind="note.written", customer=cast.mo).data)
    shown = clerk.get(reverse("customer-photo", args=[cast.mo.pk, note.pk]))
    assert shown["Content-Type"] == "image/jpeg"
    assert "private" in shown["Cache-Control"]
    assert max(Image.open(io.BytesIO(b"".join(shown.streaming_content))).size) == 1600  # type: ignore[attr-defined]
    change_staff(cast.clerk, stores=[cast.xu_hui], now=NOW)
    assert clerk.get(reverse("customer-photo", args=[cast.mo.pk, note.pk])).status_code == 404
    assert Client().get(f"/media/{note.photo.name}").status_code in (302, 404)


@pytest.mark.parametrize(
    "upload", [SimpleUploadedFile("a.jpg", b"no photo"), SimpleUploadedFile("a.svg", b"<svg onload='x()'/>"), None]
)
def test_what_is_no_photo_is_refused_and_the_text_stays(
    cast: Cast, clerk: Client, upload: SimpleUploadedFile | None
) -> None:
    text = "这段要留着" if upload else ""
    typed = {"customer": cast.mo.pk, "text": text, "token": TOKEN} | ({"photo": upload} if upload else {})
    answer = clerk.post(reverse("record-note"), typed, headers=HTMX)
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert text in answer.content.decode()
    assert not Note.objects.exists()


def test_an_allergy_is_ticked_or_typed_and_stands_red_on_every_form(cast: Cast, clerk: Client) -> None:
    clerk.post(
        reverse("record-allergy"),
        {"customer": cast.mo.pk, "usual": ["酒精", "香精"], "text": "对虾过敏", "token": TOKEN},
    )
    cast.mo.refresh_from_db()
    assert cast.mo.allergies == "对虾过敏、酒精、香精"
    page = clerk.get(reverse("record-sale"), {"customer": cast.mo.pk}).content.decode()
    assert "notice bad" in page
    assert "对虾过敏、酒精、香精" in page
    event = Event.objects.get(kind="customer.changed", customer=cast.mo)
    assert "虾" not in str(event.data), "what she has is no part of a fact"


def test_the_timeline_names_the_field_that_the_form_changed(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-allergy"), {"customer": cast.mo.pk, "text": "酒精", "token": TOKEN})
    assert Event.objects.get(kind="customer.changed").data["fields"] == ["allergies"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("对虾", "对虾、酒精"), ("对虾、乳胶", "对虾、酒精、乳胶"), ("", "对虾、酒精")],
)
def test_of_two_who_write_at_once_neither_takes_an_allergy_away(
    cast: Cast, clerk: Client, typed: str, kept: str
) -> None:
    change(cast.mo.pk, {"allergies": "对虾"}, now=NOW)
    assert 'name="held" value="对虾"' in clerk.get(reverse("record-allergy"), {"customer": cast.mo.pk}).content.decode()
    change(cast.mo.pk, {"allergies": "对虾、酒精"}, now=NOW)  # a colleague, meanwhile
    sent = {"customer": cast.mo.pk, "text": typed, "held": "对虾", "token": TOKEN}
    assert clerk.post(reverse("record-allergy"), sent).status_code == 303
    cast.mo.refresh_from_db()
    assert cast.mo.allergies == kept


def test_an_emptied_allergy_is_gone(cast: Cast, clerk: Client) -> None:
    change(cast.mo.pk, {"allergies": "酒精"}, now=NOW)
    clerk.post(reverse("record-allergy"), {"customer": cast.mo.pk, "text": "", "token": TOKEN})
    cast.mo.refresh_from_db()
    assert cast.mo.allergies == ""


# Whom it is about


@pytest.mark.parametrize("name", FORMS)
def test_every_form_first_asks_for_whom(cast: Cast, clerk: Client, name: str) -> None:
    assert "哪位客人" in clerk.get(reverse(name)).content.decode()
    found = clerk.get(reverse(name), {"q": "0004"}, headers=HTMX).content.decode()
    assert "莫愁" in found
    assert f"{reverse(name)}?customer={cast.mo.pk}" in found


@pytest.mark.parametrize("text", ["莫", "莫愁", "mochou", "mc", "0004", "13800000004", "138 0000 0004"])
def test_she_is_found_as_a_front_desk_asks(cast: Cast, clerk: Client, text: str) -> None:
    assert "莫愁" in clerk.get(reverse("record-sale"), {"q": text}, headers=HTMX).content.decode()


def test_nobody_of_another_store_is_found_or_written_about(cast: Cast, clerk: Client) -> None:
    assert "岚岚" not in clerk.get(reverse("record-sale"), {"q": "岚"}, headers=HTMX).content.decode()
    for name in FORMS:
        assert clerk.get(reverse(name), {"customer": cast.lan.pk}).status_code == 404, name
        assert clerk.post(reverse(name), sale(cast.lan, (cast.facial, "288"))).status_code == 404, name
    assert not typed_in().filter(customer=cast.lan).exists()


def test_whom_the_store_saw_today_needs_no_search(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-visit"), {"customer": cast.vera.pk, "token": TOKEN})
    assert "薇拉" in clerk.get(reverse("record-note")).content.decode()
    assert "薇拉" in clerk.get(reverse("record")).content.decode()


def test_what_comes_next_stays_in_our_house(cast: Cast, clerk: Client) -> None:
    home = clerk.post(reverse("record-visit"), {"customer": cast.mo.pk, "token": "a" * 32, "next": "/"})
    away = clerk.post(reverse("record-visit"), {"customer": cast.mo.pk, "token": "b" * 32, "next": "//evil.example/"})
    assert home["Location"] == "/"
    assert away["Location"] == reverse("customer", args=[cast.mo.pk])


def test_a_store_that_is_not_mine_is_not_taken(cast: Cast, clerk: Client) -> None:
    clerk.post(reverse("record-visit"), {"customer": cast.mo.pk, "token": TOKEN, "store": cast.xu_hui.pk})
    assert Visit.objects.get().store == cast.jing_an


def test_headquarters_write_in_the_customer_s_store_unless_they_say_another(cast: Cast, clock: Clock) -> None:
    hq = desk(cast.hq)
    hq.post(reverse("record-visit"), {"customer": cast.lan.pk, "token": "a" * 32})
    hq.post(reverse("record-visit"), {"customer": cast.lan.pk, "token": "b" * 32, "store": cast.jing_an.pk})
    assert [visit.store for visit in Visit.objects.order_by("pk")] == [cast.xu_hui, cast.jing_an]


def test_the_fact_lies_at_the_moment_of_the_tap(cast: Cast, clerk: Client, clock: Clock) -> None:
    clock.at(at(TODAY, 23) + dt.timedelta(minutes=59))
    clerk.post(reverse("record-visit"), {"customer": cast.mo.pk, "token": TOKEN})
    assert Visit.objects.get().business_date == TODAY
