"""One customer: who may see her, where she stands and why on any day, what happened, and what is recorded of a look."""

import datetime as dt
import io
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from changke.facts.customers.models import Customer, Note, Tag
from changke.facts.customers.services.change import change
from changke.facts.customers.services.notes import write_note
from changke.facts.customers.services.tags import add_tag
from changke.facts.events.models import Event
from changke.facts.purchases.rules import Paid
from changke.facts.purchases.services.record import NewLine, record_receipt
from changke.facts.visits.services.record import record_visit
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import system
from changke.foundation.batches.models import Batch
from changke.foundation.instance.services import confirm
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.queries import forget_vault
from changke.interfaces.web.customers import timeline
from changke.interfaces.web.customers.defined import DEFINED
from changke.interfaces.web.customers.happenings import Asked, read_position
from changke.interfaces.web.customers.measures import NAMES
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.lifecycle.services.publish import publish_models
from tests.cast import NOW, TODAY, Cast, ago, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Cast:
    publish_models(cast.chain, now=NOW)
    return cast


@pytest.fixture
def owner(client: Client, shop: Cast) -> Client:
    client.force_login(shop.owner)
    return client


def page(client: Client, customer: Customer, **asked: str) -> str:
    answer = client.get(f"/customers/{customer.pk}/", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


FOREIGN = [
    ("get", ""),
    ("get", "?part=past"),
    ("get", "edit/"),
    ("post", "edit/"),
    ("post", "call/"),
    ("post", "tags/"),
    ("post", "tags/remove/"),
    ("get", "photos/1/"),
]


@pytest.mark.parametrize(("verb", "path"), FOREIGN)
def test_a_foreign_customer_does_not_exist(shop: Cast, client: Client, verb: str, path: str) -> None:
    """Lan belongs to 徐汇, the manager to 静安; the same route opens for Mo."""
    client.force_login(shop.manager)
    sent = {"reason": "call", "tag": "敏感肌", **filled(shop.mo)}
    add_tag(shop.mo, "敏感肌", now=NOW)
    foreign = getattr(client, verb)(f"/customers/{shop.lan.pk}/{path}", sent if verb == "post" else None)
    assert foreign.status_code == 404
    assert Event.objects.count() == 0
    if not path.startswith("photos"):
        own = getattr(client, verb)(f"/customers/{shop.mo.pk}/{path}", sent if verb == "post" else None)
        assert own.status_code in (200, 303)


def test_she_stands_where_she_stood_on_that_day_and_the_page_says_why(shop: Cast, owner: Client) -> None:
    html = page(owner, shop.mo, as_of=TODAY.isoformat())
    assert 'data-stage="silent">沉默期' in html
    assert "已有 61 天没来，她平常每隔" in html


@pytest.mark.parametrize(
    ("days_before", "stage"),
    [(0, "silent"), (1, "silent"), (2, "mature"), (100, "growth"), (166, "intro")],
)
def test_time_travel_recomputes_from_facts(shop: Cast, owner: Client, days_before: int, stage: str) -> None:
    """Mo was here every 21 days and last 61 days ago; the chain calls 60 days silent."""
    html = page(owner, shop.mo, as_of=ago(days_before).isoformat())
    head = html[html.index("customer-head") : html.index("customer-reason")]
    assert f'class="stage" data-stage="{stage}"' in head


def test_the_past_does_not_know_the_future(shop: Cast, owner: Client) -> None:
    html = page(owner, shop.vera, as_of=ago(300).isoformat())
    days = re.findall(r'class="when num">([^<]+)<', html)
    assert len(days) == 2  # 312 and 342 days ago; ten more followed
    assert "¥1,776" in text_of(html)


def test_a_day_outside_her_life_becomes_the_nearest_inside(shop: Cast, owner: Client) -> None:
    for asked in ("1999-01-01", "2026-13-45", "9999-12-31", "x"):
        assert owner.get(f"/customers/{shop.mo.pk}/", {"as_of": asked}).status_code == 200


def test_another_model_gives_another_stage_and_its_reason(shop: Cast, owner: Client) -> None:
    html = page(owner, shop.vera, as_of=TODAY.isoformat(), model="m2")
    head = html[html.index("customer-head") : html.index("customer-reason")]
    assert re.search(r'class="stage" data-stage="(retain|develop)"', head)


def test_bands_come_after_the_page_and_without_scripts_inside_it(shop: Cast, owner: Client) -> None:
    address = f"/customers/{shop.mo.pk}/?part=past&as_of={TODAY}"
    part = owner.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    stages = re.findall(r'class="stage" data-stage="(\w+)"', part)
    assert stages == ["silent", "mature", "growth", "intro"]
    whole = page(owner, shop.mo, part="past", as_of=TODAY.isoformat())
    assert "ribbon-band" in whole
    assert "ribbon-waiting" not in whole


def test_allergies_stand_in_red(shop: Cast, owner: Client) -> None:
    change(shop.mo.pk, {"allergies": "水杨酸"}, now=NOW)
    html = page(owner, shop.mo)
    assert re.search(r'class="customer-allergies"[^>]*>.*水杨酸', html, re.DOTALL)
    assert 'class="bad strong"' in html


def test_every_number_says_its_definition_in_the_words_of_its_header(shop: Cast, owner: Client) -> None:
    said = {**{name: definition for name, (_name, definition) in NAMES.items()}, **DEFINED}
    assert said.keys() == REGISTRY.attributes.keys()
    for name, definition in said.items():
        english = getattr(definition, "_args", getattr(definition, "_proxy____args", [definition]))[0]
        assert english == REGISTRY.attributes[name].words, name
    html = page(owner, shop.mo, as_of=TODAY.isoformat())
    assert "累计实收，减去退款" in html


def test_profit_names_what_it_rests_on(shop: Cast, owner: Client) -> None:
    assert "按每个品项的成本计算" in page(owner, shop.mo, as_of=TODAY.isoformat())


# The telephone


def test_the_whole_number_is_shown_only_after_the_look_is_recorded(shop: Cast, owner: Client) -> None:
    assert "13800000004" not in page(owner, shop.mo)
    answer = owner.post(f"/customers/{shop.mo.pk}/call/", {"reason": "call"}, headers={"HX-Request": "true"})
    assert "13800000004" in answer.content.decode()
    assert 'href="tel:+8613800000004" data-dial' in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    looked = AuditLine.objects.get(action="phone.unmasked")
    assert (looked.customer_id, looked.actor_id, looked.after) == (shop.mo.pk, shop.owner.pk, {"reason": "call"})


def test_a_look_at_a_number_stands_in_her_timeline_with_who_and_why(shop: Cast, owner: Client) -> None:
    owner.post(f"/customers/{shop.mo.pk}/call/", {"reason": "book"})
    told = Event.objects.get(kind="phone.unmasked")
    assert (told.customer_id, told.staff_id, told.store_id) == (shop.mo.pk, shop.owner.pk, shop.jing_an.pk)
    part = owner.get(f"/customers/{shop.mo.pk}/", {"kind": "followup"}, headers={"HX-Request": "true"})
    said = text_of(part.content.decode())
    for words in ("查看了完整手机号", "为了约到店", "林老板"):
        assert words in said, words


def test_who_has_no_number_was_not_looked_at(shop: Cast, owner: Client) -> None:
    shop.mo.identifiers.all().delete()
    assert owner.post(f"/customers/{shop.mo.pk}/call/", {"reason": "call"}).status_code == 404
    assert not Event.objects.filter(kind="phone.unmasked").exists()


def test_nobody_looks_without_a_reason(shop: Cast, owner: Client) -> None:
    answer = owner.post(f"/customers/{shop.mo.pk}/call/", {"reason": "curious"})
    assert answer.status_code == 422
    assert "13800000004" not in answer.content.decode()
    assert not AuditLine.objects.filter(action="phone.unmasked").exists()


def test_a_number_is_not_fetched_by_a_link(shop: Cast, owner: Client) -> None:
    assert owner.get(f"/customers/{shop.mo.pk}/call/").status_code == 405


# The timeline


def test_everything_that_happened_stands_in_one_line(shop: Cast, owner: Client) -> None:
    record_visit(customer=shop.mo, store=shop.jing_an, source_key="v", happened_at=at(ago(3)), now=NOW)
    write_note(shop.mo, text="喜欢安静", by=shop.clerk, now=at(ago(2)))
    record_receipt(
        store=shop.jing_an,
        customer=shop.mo,
        lines=[NewLine(amount_minor=58_800, item=shop.facial)],
        tenders=[Paid("wechat", 58_800)],
        source_key="back",
        original_number="mo-0",
        is_return=True,
        happened_at=at(ago(1)),
        now=NOW,
    )
    said = text_of(page(owner, shop.mo))
    for words in ("退款 ¥588", "原单 mo-0", "喜欢安静", "苏晴", "到店", "消费 ¥588", "深层补水", "静安店"):
        assert words in said, words


@pytest.mark.parametrize(("kind", "count"), [("bought", 6), ("visit", 1), ("note", 1), ("return", 0), ("followup", 0)])
def test_kinds_filter_the_timeline(shop: Cast, owner: Client, kind: str, count: int) -> None:
    record_visit(customer=shop.mo, store=shop.jing_an, source_key="v", happened_at=at(ago(3)), now=NOW)
    write_note(shop.mo, text="喜欢安静", by=shop.clerk, now=at(ago(2)))
    part = owner.get(f"/customers/{shop.mo.pk}/", {"kind": kind}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.count('class="timeline-item"') == count


def test_a_visit_on_which_she_bought_is_told_once(shop: Cast, owner: Client) -> None:
    record_visit(customer=shop.ying, store=shop.jing_an, source_key="v", happened_at=at(ago(1), 13), now=NOW)
    address, part = f"/customers/{shop.ying.pk}/", {"HX-Request": "true"}
    both = owner.get(address, headers=part).content.decode()
    assert both.count('class="timeline-item"') == 1
    assert re.search(r'class="tag">\s*到店', both)
    visits = owner.get(address, {"kind": "visit"}, headers=part).content.decode()
    assert visits.count('class="timeline-item"') == 1


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_timeline_pages_never_repeat_or_miss_what_happened_at_once(shop: Cast, size: int) -> None:
    """Three visits to the other store, two notes and a receipt in the same moment."""
    moment = at(ago(61))
    for number in range(3):
        record_visit(customer=shop.mo, store=shop.xu_hui, source_key=f"v{number}", happened_at=moment, now=NOW)
    for number in range(2):
        write_note(shop.mo, text=f"第 {number} 条", by=shop.clerk, now=moment)
    seen: list[tuple[int, int, int]] = []
    asked = Asked(shop.mo.pk, "", "m4", {}, "Asia/Shanghai", CHAIN_WIDE)
    while True:
        happenings, behind = timeline.page_of(asked, size=size)
        seen += [one.sorting for one in happenings]
        if not behind:
            break
        position = read_position(behind)
        asked = Asked(shop.mo.pk, "", "m4", {}, "Asia/Shanghai", CHAIN_WIDE, position=position)
    assert len(seen) == len(set(seen)) == 6 + 3 + 2
    assert seen == sorted(seen)


def test_a_withdrawn_fact_leaves_the_timeline(shop: Cast, owner: Client) -> None:
    address, part = f"/customers/{shop.ying.pk}/", {"HX-Request": "true"}
    assert "消费 ¥288" in owner.get(address, headers=part).content.decode()
    batch = Batch.objects.create(kind="purchases", title="一批", created_at=NOW)
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE facts_receipt SET withdrawn_by_id = %s, txid = pg_current_xact_id() WHERE customer_id = %s",
            [batch.pk, shop.ying.pk],
        )
    assert "消费 ¥288" not in owner.get(address, headers=part).content.decode()


def test_a_position_typed_by_hand_is_none() -> None:
    for text in ("", "x", "2026-01-01~1~2", "2026-01-01T00:00:00+00:00~1", "~~"):
        assert read_position(text) is None


# Photos, tags, the form


def test_a_photo_is_seen_by_who_sees_the_customer(
    shop: Cast, client: Client, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", str(tmp_path))
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    upload = SimpleUploadedFile("a.png", picture.getvalue(), "image/png")
    note = write_note(shop.lan, text="", photo=upload, by=shop.owner, now=NOW)
    address = f"/customers/{shop.lan.pk}/photos/{note.pk}/"
    client.force_login(shop.owner)
    assert client.get(address)["Content-Type"] == "image/jpeg"
    assert client.get(f"/customers/{shop.mo.pk}/photos/{note.pk}/").status_code == 404, "a note of somebody else"
    client.force_login(shop.manager)
    assert client.get(address).status_code == 404
    assert Note.objects.count() == 1


def test_a_tag_is_put_on_taken_off_and_the_taking_off_undone(shop: Cast, owner: Client) -> None:
    address = f"/customers/{shop.mo.pk}/tags/"
    owner.post(address, {"tag": "  敏感   肌 "})
    owner.post(address, {"tag": "敏感 肌"})
    assert [tag.name for tag in Tag.objects.all()] == ["敏感 肌"]
    assert Event.objects.filter(kind="tag.added").count() == 1, "a second time changes nothing"
    removed = owner.post(f"{address}remove/", {"tag": "敏感 肌"}, headers={"HX-Request": "true"}).content.decode()
    assert not Tag.objects.exists()
    undo = re.search(r'action="(/customers/\d+/tags/\?tag=[^"]+)"', removed)
    assert undo
    back = owner.post(undo[1], headers={"HX-Request": "true"}).content.decode()
    assert [tag.name for tag in Tag.objects.all()] == ["敏感 肌"]
    assert 'id="customer-tags" hx-swap-oob' in back


def test_an_impossible_tag_is_refused_and_kept_in_the_field(shop: Cast, owner: Client) -> None:
    answer = owner.post(f"/customers/{shop.mo.pk}/tags/", {"tag": "长" * 61}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "长" * 61 in answer.content.decode()
    assert "tag-error" in answer.content.decode()


def filled(customer: Customer, **changes: str) -> dict[str, str]:
    held = {
        "name": customer.name,
        "source": customer.source,
        "home_store": str(customer.home_store_id),
        "adviser": str(customer.adviser_id or ""),
    }
    return held | changes


def test_a_profile_is_changed_and_the_event_names_fields_not_values(shop: Cast, owner: Client) -> None:
    sent = filled(
        shop.mo, name="莫小愁", living="两个孩子", allergies="水杨酸", birth_month="2", birth_day="29",
        adviser=str(shop.clerk.pk), gender="f",
    )  # fmt: skip
    answer = owner.post(f"/customers/{shop.mo.pk}/edit/", sent)
    assert (answer.status_code, answer["Location"]) == (303, f"/customers/{shop.mo.pk}/")
    mo = Customer.objects.get(pk=shop.mo.pk)
    assert (mo.name, mo.pinyin, mo.living, mo.adviser_id) == ("莫小愁", "moxiaochou", "两个孩子", shop.clerk.pk)
    changed = Event.objects.get(kind="customer.changed")
    assert changed.data == {"fields": ["adviser", "allergies", "birth_day", "birth_month", "gender", "living", "name"]}


def test_a_form_opened_before_somebody_elses_change_leaves_that_change_alone(shop: Cast, owner: Client) -> None:
    page = owner.get(f"/customers/{shop.mo.pk}/edit/").content.decode()
    assert '<input type="hidden" name="held_allergies" value="">' in page
    opened = {"held_allergies": "", "held_name": "莫愁"}
    owner.post(f"/customers/{shop.mo.pk}/edit/", filled(shop.mo, allergies="酒精"))
    owner.post(f"/customers/{shop.mo.pk}/edit/", filled(shop.mo, name="莫小愁", allergies="", **opened))
    mo = Customer.objects.get(pk=shop.mo.pk)
    assert (mo.name, mo.allergies) == ("莫小愁", "酒精")
    changes = Event.objects.filter(kind="customer.changed").order_by("id")
    assert [one.data["fields"] for one in changes] == [["allergies"], ["name"]]


def test_saving_what_is_there_changes_and_records_nothing(shop: Cast, owner: Client) -> None:
    assert owner.post(f"/customers/{shop.mo.pk}/edit/", filled(shop.mo)).status_code == 303
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("birth_year", "1850", "1900"),
        ("birth_year", "abc", "请填整数"),
        ("birth_month", "2", "birth_day"),  # a month without its day is said beside the day
        ("name", "长" * 121, ""),
        ("home_store", "999999", "请选一家您负责的门店"),
        ("adviser", "999999", "请选这家门店的员工"),
    ],
)
def test_an_error_stands_beside_its_field_and_what_was_typed_stays(
    shop: Cast, owner: Client, field: str, typed: str, said: str
) -> None:
    answer = owner.post(f"/customers/{shop.mo.pk}/edit/", filled(shop.mo, living="两个孩子", **{field: typed}))
    html = answer.content.decode()
    if field == "name":  # cut to the length of a name, as everywhere
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in html
    assert said in html
    assert "两个孩子" in html
    assert Customer.objects.get(pk=shop.mo.pk).living == ""


def test_a_manager_cannot_give_a_customer_to_a_foreign_store(shop: Cast, client: Client) -> None:
    client.force_login(shop.manager)
    answer = client.post(f"/customers/{shop.mo.pk}/edit/", filled(shop.mo, home_store=str(shop.xu_hui.pk)))
    assert answer.status_code == 422
    assert Customer.objects.get(pk=shop.mo.pk).home_store_id == shop.jing_an.pk


def test_a_customer_who_never_came_has_a_page(shop: Cast, owner: Client) -> None:
    said = text_of(page(owner, shop.bai))
    assert "还没有到店或消费的记录" in said
    assert "第一次到店后就有图了" in said


def test_the_page_needs_no_more_than_a_few_questions(
    shop: Cast, owner: Client, django_assert_max_num_queries: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    confirm(by=system("changke confirm"), now=NOW)  # whether it still is the same database is asked for every page
    page(owner, shop.vera)
    forget_vault()  # the keys are checked every two seconds: here, so that it is counted every time
    with django_assert_max_num_queries(34):  # type: ignore[operator]  # pytest-django's fixture
        page(owner, shop.vera)


def test_a_note_of_the_evening_belongs_to_the_stores_day(shop: Cast) -> None:
    """23:30 in Shanghai is still the afternoon in UTC; 00:30 in Shanghai is yesterday there."""
    write_note(shop.mo, text="夜里", by=None, now=dt.datetime(2026, 3, 1, 16, 30, tzinfo=dt.UTC))
    asked = Asked(shop.mo.pk, "note", "m4", {}, "Asia/Shanghai", CHAIN_WIDE)
    assert timeline.page_of(asked)[0][0].on == dt.date(2026, 3, 2)
