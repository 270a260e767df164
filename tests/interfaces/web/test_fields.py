"""The chain's own fields: made in the settings, filled on a customer's page, found in the list."""

import html
import re

import pytest
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.fields.models import Field
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.services import define, retire, set_values
from changke.foundation.audit.models import AuditLine
from changke.profiles.lifecycle.services import bring_into_use, refresh_customers
from tests.cast import NOW, Cast
from tests.profiles.test_choices_that_models_ask import OILY, SECOND


@pytest.fixture
def hq(client: Client, cast: Cast) -> Client:
    client.force_login(cast.hq)
    return client


@pytest.fixture
def skin(cast: Cast) -> Field:
    return define(
        key="skin", kind="choice", labels={"zh-hans": "肤质", "en": "Skin"}, choices=["干性", "油性"], now=NOW
    )


NEW = {"key": "wedding", "kind": "date", "label_zh_hans": "结婚纪念日", "label_en": "Wedding day"}


def test_headquarters_make_a_field(hq: Client, cast: Cast) -> None:
    assert hq.post("/settings/fields/new/", NEW).status_code == 303
    assert "结婚纪念日" in hq.get("/settings/fields/").content.decode()
    line = AuditLine.objects.latest("id")
    assert (line.action, line.actor_id) == ("field.defined", cast.hq.pk)


@pytest.mark.parametrize("wrong", [{"key": "婚"}, {"label_zh_hans": "", "label_en": ""}, {"kind": "choice"}])
def test_a_field_that_means_nothing_is_refused_beside_its_input(hq: Client, wrong: dict[str, str]) -> None:
    answer = hq.post("/settings/fields/new/", {**NEW, **wrong})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'class="error"' in page or "至少写一种语言的名称" in page
    assert not Field.objects.exists()


@pytest.mark.parametrize("who", ["manager", "clerk"])
def test_a_store_makes_no_field(client: Client, cast: Cast, skin: Field, who: str) -> None:
    client.force_login(getattr(cast, who))
    for address in ("/settings/fields/", "/settings/fields/new/", f"/settings/fields/{skin.pk}/"):
        assert client.get(address).status_code == 403
    assert client.post(f"/settings/fields/{skin.pk}/ask/").status_code == 403


def test_a_field_is_retired_and_asked_again(hq: Client, skin: Field) -> None:
    hq.post(f"/settings/fields/{skin.pk}/ask/")
    assert fields_for() == []
    hq.post(f"/settings/fields/{skin.pk}/ask/")
    assert fields_for() == [skin]


def edit(client: Client, cast: Cast, **typed: object) -> int:
    return client.post(f"/customers/{cast.mo.pk}/edit/", typed).status_code


def test_she_is_asked_and_her_page_says_it(client: Client, cast: Cast, skin: Field) -> None:
    client.force_login(cast.clerk)
    define(key="budget", kind="money", labels={"zh-hans": "预算"}, now=NOW)
    assert "肤质" in client.get(f"/customers/{cast.mo.pk}/edit/").content.decode()
    sent = {"name": "莫愁", "home_store": cast.jing_an.pk, "source": "路过", "own_skin": "油性", "own_budget": "1280.5"}
    held = {f"held_{name}": str(value) for name, value in sent.items() if not name.startswith("own_")}
    assert edit(client, cast, **sent, **held) == 303
    assert values_of(cast.mo.pk, fields_for()) == {"skin": "油性", "budget": 128_050}
    refresh_customers([cast.mo.pk], now=NOW)
    page = client.get(f"/customers/{cast.mo.pk}/").content.decode()
    assert "油性" in page
    assert "1,280.50" in page
    assert AuditLine.objects.filter(action="profile.changed", actor_id=cast.clerk.pk).exists()


def test_what_does_not_fit_stays_typed_and_nothing_is_saved(client: Client, cast: Cast, skin: Field) -> None:
    client.force_login(cast.clerk)
    sent = {"name": "莫愁女士", "home_store": cast.jing_an.pk, "own_skin": "中性"}
    answer = client.post(f"/customers/{cast.mo.pk}/edit/", sent)
    assert answer.status_code == 422
    cast.mo.refresh_from_db()
    assert cast.mo.name == "莫愁"


def test_a_field_of_the_owner_is_nobody_elses(client: Client, cast: Cast) -> None:
    define(key="debts", kind="text", labels={"zh-hans": "欠款"}, roles=["owner"], now=NOW)
    set_values(cast.mo.pk, {"debts": "很多"}, now=NOW)
    refresh_customers([cast.mo.pk], now=NOW)
    client.force_login(cast.clerk)
    for address in (f"/customers/{cast.mo.pk}/", f"/customers/{cast.mo.pk}/edit/"):
        assert "欠款" not in client.get(address).content.decode()
    sent = {"name": "莫愁", "home_store": cast.jing_an.pk, "own_debts": "没有"}
    client.post(f"/customers/{cast.mo.pk}/edit/", sent)
    assert values_of(cast.mo.pk, fields_for()) == {"debts": "很多"}


def test_a_retired_field_is_asked_no_more(client: Client, cast: Cast, skin: Field) -> None:
    retire(skin, now=NOW)
    client.force_login(cast.clerk)
    assert "肤质" not in client.get(f"/customers/{cast.mo.pk}/edit/").content.decode()


def test_the_list_shows_of_whom_the_same_is_known(client: Client, cast: Cast, skin: Field) -> None:
    set_values(cast.mo.pk, {"skin": "油性"}, now=NOW)
    set_values(cast.qiu.pk, {"skin": "干性"}, now=NOW)
    refresh_customers([cast.mo.pk, cast.qiu.pk], now=NOW)
    client.force_login(cast.clerk)
    page = client.get("/customers/", {"own": "skin~油性"}).content.decode()
    assert ("莫愁" in page, "秋月" in page, "肤质: 油性" in page or "肤质：油性" in page) == (True, False, True)
    for nonsense in ("skin~中性", "shoe~38", "skin", "~"):
        assert client.get("/customers/", {"own": nonsense}).status_code == 200


def test_nobody_filters_by_what_he_does_not_see(client: Client, cast: Cast) -> None:
    define(key="debts", kind="yes_no", labels={"zh-hans": "欠款"}, roles=["owner"], now=NOW)
    set_values(cast.mo.pk, {"debts": True}, now=NOW)
    refresh_customers([cast.mo.pk, cast.qiu.pk], now=NOW)
    client.force_login(cast.clerk)
    page = client.get("/customers/", {"own": "debts~yes"}).content.decode()
    assert "欠款" not in page
    assert "秋月" in page, "the filter is not there for him"


def test_her_history_says_the_field_by_its_name_to_who_sees_it(client: Client, cast: Cast, skin: Field) -> None:
    define(key="debts", kind="text", labels={"zh-hans": "欠款"}, roles=["owner"], now=NOW)
    set_values(cast.mo.pk, {"skin": "油性", "debts": "很多"}, now=NOW)
    line = AuditLine.objects.latest("id")
    set_values(cast.mo.pk, {"skin": "干性"}, now=NOW)
    client.force_login(cast.clerk)
    page = client.get(f"/customers/{cast.mo.pk}/changes/").content.decode()
    assert ("肤质" in page, "油性" in page, "欠款" in page, "很多" in page) == (True, True, False, False)
    client.force_login(cast.hq)
    page = client.get(f"/audit/{line.pk}/restore/").content.decode()
    assert ("肤质" in page, "欠款" in page) == (True, False)


def test_somebody_new_is_asked_at_the_counter_too(client: Client, cast: Cast, skin: Field) -> None:
    define(key="budget", kind="money", labels={"zh-hans": "预算"}, required=True, now=NOW)
    define(key="likes", kind="choices", labels={"zh-hans": "喜好"}, choices=["茶", "花", "猫"], now=NOW)
    client.force_login(cast.clerk)
    page = client.get("/record/customer/").content.decode()
    assert (
        page.index('name="own_budget"') < page.index('class="record-more"') < page.index('name="own_skin"')
    )  # required first
    sent = {"name": "谷雨", "own_skin": "干性", "own_budget": "1280.5", "own_likes": ["茶", "猫"]}
    for _ in range(2):  # a double tap is one customer
        assert client.post("/record/customer/", sent | {"token": "0" * 31 + "1"}).status_code == 303
    new = Customer.objects.get(name="谷雨")
    assert values_of(new.pk, fields_for()) == {"skin": "干性", "budget": 128_050, "likes": ["茶", "猫"]}
    assert AuditLine.objects.filter(action="profile.changed", customer_id=new.pk, actor_id=cast.clerk.pk).count() == 1


@pytest.mark.parametrize(
    ("sent", "name", "error"),
    [
        ({}, "own_budget", "必填"),
        ({"own_budget": "很多"}, "own_budget", "不是数字"),
        ({"own_budget": "1.005"}, "own_budget", "小数"),
        ({"own_budget": "5"}, "own_budget", "1000"),
        ({"own_budget": "10", "own_skin": "中性"}, "own_skin", "中性"),
    ],
)
def test_nobody_is_written_down_while_a_field_does_not_fit(
    client: Client, cast: Cast, skin: Field, sent: dict[str, str], name: str, error: str
) -> None:
    define(key="budget", kind="money", labels={"zh-hans": "预算"}, minimum=1_000, required=True, now=NOW)
    client.force_login(cast.clerk)
    answer = client.post("/record/customer/", {"name": "谷雨", "phone": "13900000042", **sent})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert error in page.partition(f'name="{name}"')[2].partition('class="error"')[2].partition("</p>")[0]
    assert 'value="谷雨"' in page  # what was typed stays
    assert ('<details class="record-more" open' in page) == (name == "own_skin")
    assert not Customer.objects.filter(name="谷雨").exists()


def test_a_field_of_the_owner_is_not_asked_by_a_clerk(client: Client, cast: Cast) -> None:
    define(key="debts", kind="text", labels={"zh-hans": "欠款"}, roles=["owner"], required=True, now=NOW)
    client.force_login(cast.clerk)
    assert "欠款" not in client.get("/record/customer/").content.decode()
    assert client.post("/record/customer/", {"name": "谷雨", "own_debts": "没有"}).status_code == 303
    assert values_of(Customer.objects.get(name="谷雨").pk, fields_for()) == {"debts": None}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh-hans", "「护理」按位置用到这个字段的选项"),
        ("en", "护理 asks for this field by the place of its choices"),
        ("zh-hant", "「护理」依位置用到這個欄位的選項"),
    ],
)
def test_choices_that_a_stage_model_asks_for_stay_and_what_was_typed_too(
    hq: Client, cast: Cast, language: str, sentence: str
) -> None:
    likes = define(key="likes", kind="choices", labels={"zh-hans": "喜好"}, choices=["茶", "花"], now=NOW)
    bring_into_use(
        SECOND | {"key": "nursing", "words": dict.fromkeys(SECOND["words"], "护理")}, chain=cast.chain, now=NOW
    )
    sent = {"label_zh_hans": "新的名称", "choices": "花\n茶\n猫"}
    answer = hq.post(f"/settings/fields/{likes.pk}/", sent, headers={"accept-language": language})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "新的名称" in page
    assert "花\n茶\n猫" in page
    assert Field.objects.get(pk=likes.pk).choices == ["茶", "花"]
    # What stood before is put back only as far as it means the same.
    hq.post(f"/settings/fields/{likes.pk}/", {"label_zh_hans": "喜好", "choices": "茶\n花\n猫"})
    line = AuditLine.objects.filter(action="field.changed").latest("id")
    held = dict(
        re.findall(r'name="(now_choices)" value="([^"]*)"', hq.get(f"/audit/{line.pk}/restore/").content.decode())
    )
    back = {"field": ["choices"], **{name: html.unescape(value) for name, value in held.items()}}
    answer = hq.post(f"/audit/{line.pk}/restore/", back, headers={"accept-language": language})
    assert (answer.status_code, sentence in answer.content.decode()) == (409, True)


def test_a_choice_that_a_stage_model_names_stays(hq: Client, cast: Cast, skin: Field) -> None:
    bring_into_use(OILY, chain=cast.chain, now=NOW)
    sent = {"label_zh_hans": "肤质", "choices": "干性\n中性"}
    answer = hq.post(f"/settings/fields/{skin.pk}/", sent, headers={"accept-language": "zh-hans"})
    assert (answer.status_code, "「Care」用到「油性」" in answer.content.decode()) == (422, True)
