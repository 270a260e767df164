"""Stages and rules are added to a model of one's own and taken out of it, on its page."""

import copy
import html
import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from changke.foundation.organisation.queries import the_chain
from changke.interfaces.web.lifecycle.building import rebuilt
from changke.interfaces.web.lifecycle.editing import Edited
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.models import StageModel, Standing
from changke.profiles.lifecycle.services import bring_into_use, refresh_customers
from tests.cast import NOW, Cast, know_everybody
from tests.clock import Clock
from tests.interfaces.web.test_stage_models import sent_by

pytestmark = pytest.mark.django_db
PAGE = "/lifecycle/models/mine/"


def words(text: str) -> dict[str, str]:
    return {"zh-hans": text, "en": text, "zh-hant": text}


MINE: dict[str, Any] = {
    "key": "mine",
    "words": words("我们的"),
    "stages": [{"key": "bought", "words": words("买过")}, {"key": "rest", "words": words("其他")}],
    "ask": [
        {
            "stage": "bought",
            "when": {"attribute": "purchases", "op": ">=", "value": 1},
            "reason": words("消费过 {purchases} 次"),
        },
        {"stage": "rest", "reason": words("没买过")},
    ],
}
OFTEN = {
    "new.mode": "rows", "new.word": "and", "new.0.what": "purchases", "new.0.op": ">=", "new.0.value": "6",
    "new-stage": "", "new-key": "often",
    "new-zh-hans": "常来", "new-en": "Often", "new-zh-hant": "常來", "add-rule": "1",
}  # fmt: skip


@pytest.fixture
def hq(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    Clock(monkeypatch, NOW)
    queries._read.cache_clear()
    know_everybody()
    bring_into_use(MINE, chain=the_chain(), now=NOW)
    client.force_login(cast.hq)
    return client


def sent(page: HttpResponse) -> dict[str, str]:
    """What the page's form holds, as a browser sends it."""
    return sent_by(page.content.decode())


def definition_on(page: HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sent(page)["definition"])
    return found


def pressed(client: Client, page: HttpResponse, **typed: str) -> HttpResponse:
    return client.post(PAGE, {**sent(page), **typed})  # type: ignore[return-value]


def test_a_new_stage_comes_with_its_rule_and_is_published_after_its_dry_run(hq: Client, cast: Cast) -> None:
    page = pressed(hq, hq.get(PAGE), **OFTEN)  # type: ignore[arg-type]
    assert page.status_code == 200
    assert [stage["key"] for stage in definition_on(page)["stages"]] == ["bought", "rest", "often"]
    assert [rule["stage"] for rule in definition_on(page)["ask"]] == ["bought", "often", "rest"]
    page = pressed(hq, page, up="1")
    assert [rule["stage"] for rule in definition_on(page)["ask"]] == ["often", "bought", "rest"]
    assert "会换阶段" in page.content.decode()
    assert StageModel.objects.get(key="mine").version == 1
    assert pressed(hq, page, publish="1").status_code == 303
    refresh_customers([cast.vera.pk, cast.qiu.pk], now=NOW)
    stages = dict(Standing.objects.filter(model="mine").values_list("customer_id", "stage"))
    assert (stages[cast.vera.pk], stages[cast.qiu.pk]) == ("often", "bought")


def test_a_stage_is_taken_out_with_its_rules(hq: Client) -> None:
    page = pressed(hq, hq.get(PAGE), **OFTEN)  # type: ignore[arg-type]
    page = pressed(hq, page, **{"drop-stage": "bought"})
    assert page.status_code == 200
    assert [stage["key"] for stage in definition_on(page)["stages"]] == ["rest", "often"]
    assert [rule["stage"] for rule in definition_on(page)["ask"]] == ["often", "rest"]


def test_who_stands_in_the_stage_of_everybody_else_has_to_go_somewhere(hq: Client) -> None:
    page = pressed(hq, hq.get(PAGE), **{"drop-stage": "rest"})  # type: ignore[arg-type]
    assert page.status_code == 422
    assert "先为他们另选一个阶段" in page.content.decode()
    assert definition_on(page) == MINE
    page = pressed(hq, page, **OFTEN)
    page = pressed(hq, page, **{"drop-stage": "rest", "else-stage": "often"})
    assert page.status_code == 200
    assert [rule["stage"] for rule in definition_on(page)["ask"]] == ["bought", "often", "often"]


@pytest.mark.parametrize(("typed", "said"), [
    ({"new-key": "bought"}, "已经有这个代号的阶段"),
    ({"new-key": "Oft en"}, "「Oft en」"),
    ({"new-key": ""}, "字母和数字"),
    ({"new-en": ""}, "三种语言的说法"),
    ({"new.0.value": "many"}, "“many”不是"),
    ({"new.0.what": "shoe_size"}, "没有这个属性"),
    ({"new.0.what": ""}, "请选择规则要问什么"),
])  # fmt: skip
def test_what_cannot_be_meant_is_named_and_what_was_typed_stays(hq: Client, typed: dict[str, str], said: str) -> None:
    page = pressed(hq, hq.get(PAGE), **{**OFTEN, **typed})  # type: ignore[arg-type]
    text = html.unescape(page.content.decode())
    assert page.status_code == 422
    assert said in text
    assert definition_on(page) == MINE  # type: ignore[arg-type]
    assert 'value="常来"' in text


def test_a_model_that_comes_with_the_product_keeps_its_stages(hq: Client) -> None:
    page = hq.get("/lifecycle/models/m4/")
    assert 'name="add-rule"' not in page.content.decode()
    m4 = definition_on(page)  # type: ignore[arg-type]
    tried = hq.post("/lifecycle/models/m4/", {**sent(page), **OFTEN})  # type: ignore[arg-type]
    assert definition_on(tried) == m4  # type: ignore[arg-type]
    copied = hq.get("/lifecycle/models/m4/?copy=1").content.decode()
    assert 'name="add-rule"' in copied, "a copy is one's own from the start"


# Pure


ASKED: dict[str, Any] = {"attribute": "purchases", "op": ">=", "value": 6}


def built(**typed: str) -> tuple[dict[str, Any], Edited]:
    done = Edited(copy.deepcopy(MINE))
    rebuilt(done, typed, when=ASKED)
    return done.definition, done


def test_one_rule_more_of_a_stage_there_is() -> None:
    definition, done = built(**{**OFTEN, "new-stage": "rest"})
    assert done.errors == {}
    assert definition["ask"][1] == {
        "stage": "rest", "when": ASKED, "reason": words("其他"),
    }  # fmt: skip
    assert definition["stages"] == MINE["stages"]


@pytest.mark.parametrize(("typed", "asked"), [
    ({"drop-rule": "0"}, ["rest"]),
    ({"drop-rule": "1"}, ["bought", "rest"]),  # the last one stays
    ({"drop-rule": "9"}, ["bought", "rest"]),
    ({"drop-rule": "-1"}, ["bought", "rest"]),
    ({"drop-stage": "nowhere"}, ["bought", "rest"]),
    ({"else-stage": "nowhere"}, ["bought", "rest"]),
    ({"else-stage": "bought"}, ["bought", "bought"]),
])  # fmt: skip
def test_rules_that_are_taken_out(typed: dict[str, str], asked: list[str]) -> None:
    definition, _done = built(**typed)
    assert [rule["stage"] for rule in definition["ask"]] == asked
    if typed == {"drop-rule": "0"}:
        assert [stage["key"] for stage in definition["stages"]] == ["rest"], "nobody could stand in the other any more"


def test_braces_in_the_name_of_a_stage_are_no_attribute() -> None:
    definition, _done = built(**{**OFTEN, "new-en": "{often}"})
    assert definition["ask"][1]["reason"]["en"] == "{{often}}"
