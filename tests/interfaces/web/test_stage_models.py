"""Models as pages: listed, tried, published, copied; what was typed stays whatever is pressed."""

import datetime as dt
import html
import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from changke.facts.catalog.models import Category
from changke.facts.catalog.services.keep import CategoryAsked, change_category
from changke.facts.customers.services.tags import add_tag
from changke.facts.scores.models import Score, ScoreValue
from changke.facts.scores.services import define_score
from changke.foundation.audit.models import AuditLine
from changke.foundation.organisation.models import Chain
from changke.interfaces import jobs
from changke.interfaces.web.customers.measures import name_of
from changke.interfaces.web.customers.named import EVENTS
from changke.interfaces.web.lifecycle.asking import language_of, opened
from changke.interfaces.web.lifecycle.editing import edited, reorder
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.models import StageModel, StageReplay, Standing
from changke.profiles.lifecycle.rules import LANGUAGES
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.lifecycle.services.publish import shipped_models
from tests.cast import NOW, TODAY, Cast, know_everybody
from tests.clock import Clock

pytestmark = pytest.mark.django_db
M4 = next(one for one in shipped_models() if one["key"] == "m4")
PAGE = "/lifecycle/models/m4/"


@pytest.fixture
def shop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    Clock(monkeypatch, NOW)
    queries._read.cache_clear()  # time stands still: what another test published has the same number and moment
    know_everybody()
    return cast


@pytest.fixture
def hq(client: Client, shop: Cast) -> Client:
    client.force_login(shop.hq)
    return client


def form(definition: dict[str, Any] | None = None, **typed: str) -> dict[str, str]:
    return {"definition": json.dumps(definition or M4), **typed}


def published(hq: Client, sent: dict[str, str]) -> HttpResponse:
    """What people do: look at what it does, then publish what they looked at."""
    told = hq.post(PAGE, {**sent, "try": "1"})
    return hq.post(PAGE, {**sent, "publish": "1", "previewed": token_on(told)})  # type: ignore[return-value]


def token_on(page: object) -> str:
    found = re.search(r'name="previewed" value="([0-9a-f]{32})"', page.content.decode())  # type: ignore[attr-defined]
    assert found, "no dry run on the page"
    return found[1]


def sent_by(page: str) -> dict[str, str]:
    """What the form of a page sends back when nobody touched it."""
    form = page[page.index('class="split model-form"') :]
    found = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    for select in re.findall(r"<select[^>]*>.*?</select>", form, re.DOTALL):
        name, chosen = re.search(r' name="([^"]+)"', select), re.search(r'<option value="([^"]*)" selected', select)
        if name:
            found[name[1]] = chosen[1] if chosen else ""
    return {name: html.unescape(value) for name, value in found.items()}


def rule_of(stage: str) -> int:
    return next(place for place, one in enumerate(M4["ask"]) if one["stage"] == stage)


def rows(place: int | str, *asked: dict[str, str], word: str = "and") -> dict[str, str]:
    """The rows of a rule as a browser sends them."""
    prefix = f"when-{place}" if isinstance(place, int) else place
    typed = {f"{prefix}.mode": "rows", f"{prefix}.word": word}
    return typed | {f"{prefix}.{n}.{name}": value for n, row in enumerate(asked) for name, value in row.items()}


def text(place: int, said: str) -> dict[str, str]:
    return {f"when-{place}.mode": "text", f"when-{place}.text": said}


def silent(days: str) -> dict[str, str]:
    return rows(rule_of("silent"), {
        "what": "silent_days", "op": ">=", "value": days, "setting": "silent_after_days",
    })  # fmt: skip


def test_the_list_says_which_lead_which_run_and_which_wait(hq: Client) -> None:
    page = hq.get("/lifecycle/models/").content.decode()
    assert page.count("名单所用") == 1
    assert page.count(">启用</button>") + page.count("启用</span>") >= 6
    for words in (M4["words"]["zh-hans"], "新客链路", "老客链路", "获客四步", "服务时刻"):
        assert words in page, words


def test_a_number_is_tried_and_then_published(hq: Client, shop: Cast) -> None:
    tried = hq.post(PAGE, form(**silent("10"), **{"try": "1"}))
    page = tried.content.decode()
    assert tried.status_code == 200
    assert "会换阶段" in page
    assert "薇拉" in page, "she came 12 days ago and would be called silent"
    assert 'value="10"' in page, "what was typed stays"
    assert StageModel.objects.get(key="m4").version == 1
    assert published(hq, form(**silent("10"))).status_code == 303
    stored = StageModel.objects.get(key="m4")
    assert stored.version == 2
    assert stored.definition["ask"][rule_of("silent")]["when"]["value"] == 10
    refresh_customers([shop.vera.pk], now=NOW)
    assert Standing.objects.get(customer=shop.vera, model="m4").stage == "silent"


def test_nothing_is_published_that_was_not_looked_at(hq: Client) -> None:
    assert 'name="publish"' not in hq.get(PAGE).content.decode(), "the page leads through the dry run"
    unseen = hq.post(PAGE, form(**silent("10"), **{"publish": "1"}))
    page = unseen.content.decode()
    assert unseen.status_code == 409
    assert "还没有发布" in page
    assert "薇拉" in page, "what it does is shown at once"
    assert StageModel.objects.get(key="m4").version == 1
    changed = hq.post(PAGE, form(**silent("11"), **{"publish": "1", "previewed": token_on(unseen)}))
    assert changed.status_code == 409, "eleven is not the ten that was looked at"
    assert token_on(changed) != token_on(unseen)
    assert 'value="11"' in changed.content.decode()
    assert StageModel.objects.get(key="m4").version == 1
    seen = hq.post(PAGE, form(**silent("11"), **{"publish": "1", "previewed": token_on(changed)}))
    assert (seen.status_code, StageModel.objects.get(key="m4").version) == (303, 2)


def test_what_the_page_sends_back_after_the_dry_run_is_what_was_shown(hq: Client) -> None:
    """With everything that stands in its inputs: the definition has taken up what was typed."""
    page = hq.post(PAGE, form(**silent("10"), **{"try": "1"})).content.decode()
    sent = sent_by(page)
    assert json.loads(sent["definition"])["ask"][rule_of("silent")]["when"]["value"] == 10
    assert hq.post(PAGE, {**sent, "publish": "1"}).status_code == 303
    assert StageModel.objects.get(key="m4").version == 2


def test_others_published_since_it_was_looked_at(hq: Client) -> None:
    told = token_on(hq.post(PAGE, form(**silent("10"), **{"try": "1"})))
    published(hq, form(**silent("20")))
    again = hq.post(PAGE, form(**silent("10"), **{"publish": "1", "previewed": told}))
    assert again.status_code == 409
    assert StageModel.objects.get(key="m4").version == 2


def test_who_clicks_twice_publishes_once(hq: Client) -> None:
    sent = form(**silent("20"))
    told = token_on(hq.post(PAGE, {**sent, "try": "1"}))
    clicks = [hq.post(PAGE, {**sent, "publish": "1", "previewed": told}) for _ in range(2)]
    assert clicks[0].status_code == 303
    assert clicks[1].status_code == 303, "it stands as she wanted it"
    assert StageModel.objects.get(key="m4").version == 2
    assert AuditLine.objects.filter(action="stages.published", subject="stages:m4").count() == 2, "as shipped, and once"


def test_the_chains_numbers_changed_since_it_was_looked_at(hq: Client) -> None:
    told = token_on(hq.post(PAGE, form(**{"name-en": "Renamed", "try": "1"})))
    Chain.objects.update(silent_after_days=45)
    again = hq.post(PAGE, form(**{"name-en": "Renamed", "publish": "1", "previewed": told}))
    assert again.status_code == 409
    assert StageModel.objects.get(key="m4").definition["words"]["en"] != "Renamed"


def test_a_rule_is_written_as_text_and_a_mistake_in_it_is_marked(hq: Client) -> None:
    place = rule_of("silent")
    written = text(place, "silent_days >= 10 and visits >= 1")
    assert published(hq, form(**written)).status_code == 303
    assert StageModel.objects.get(key="m4").definition["ask"][place]["when"] == {
        "and": [
            {"attribute": "silent_days", "op": ">=", "value": 10},
            {"attribute": "visits", "op": ">=", "value": 1},
        ]
    }
    bad = hq.post(PAGE, form(**text(place, "silentt_days >= 10"), publish="1"))
    page = bad.content.decode()
    assert bad.status_code == 422
    assert "<mark>silentt_days</mark>" in page
    assert ">silentt_days &gt;= 10</textarea>" in page
    beyond = hq.post(PAGE, form(**text(place, "segment has x"), publish="1"))
    assert beyond.status_code == 422, "stages ask of any day"
    assert StageModel.objects.get(key="m4").version == 2


def deeds_and_tags(place: int) -> dict[str, str]:
    """Rows of everything that a rule asks beyond attributes, in a group of its own."""
    inner = rows(f"when-{place}.1", {"what": "#tag", "op": "not", "value": "怕痒"},
                 {"what": "#sequence", "op": "is", "kind": "visit", "within": "14", "thenkind": "purchase",
                  "window": ""}, word="or")  # fmt: skip
    return {**inner, **rows(place, {"what": "#count", "kind": "purchase", "window": "days", "days": "400", "op": ">=",
                                    "value": "2"})}  # fmt: skip


BEYOND = {
    "and": [
        {"measure": "count", "deed": {"kind": "purchase"}, "days": 400, "op": ">=", "value": 2},
        {"or": [
            {"not": {"tag": "怕痒"}}, {"first": {"kind": "visit"}, "then": {"kind": "purchase"}, "within": 14},
        ]},
    ]
}  # fmt: skip


def test_deeds_and_tags_are_rows_as_in_segments(hq: Client) -> None:
    page = hq.post(PAGE, form(**deeds_and_tags(0), **{"try": "1"})).content.decode()
    assert 'name="when-0.1.0.value" id="when-0.1.0.value" value="怕痒"' in page
    assert "最近 400 天消费次数不少于 2" in page, "the sentence"
    offered = set(re.findall(r'<option value="(#[a-z]+)"', page))
    assert offered == {"#tag", "#consent", "#count", "#sum", "#sequence", "#text"}, "who is in a group, of no past day"
    kinds = {
        place: re.findall(rf'name="when-0.{place}kind".*?</select>', page, re.DOTALL)[0] for place in ("0.", "1.1.")
    }
    assert ['value="event"' in kinds[place] for place in ("0.", "1.1.")] == [True, False]
    assert published(hq, form(**deeds_and_tags(0))).status_code == 303
    stored = StageModel.objects.get(key="m4")
    assert stored.definition["ask"][0]["when"] == BEYOND
    assert stored.definition["ask"][1:] == M4["ask"][1:]
    again = hq.get(PAGE).content.decode()
    sent = sent_by(again)
    assert published(hq, sent).status_code == 303
    assert StageModel.objects.get(key="m4").version == 2, "looked at and sent back, it is the same"


def test_a_row_comes_and_goes_without_anything_being_tried(hq: Client) -> None:
    fragment = {"HTTP_HX_REQUEST": "true"}
    more = hq.post(PAGE, form(**silent("10"), edit=f"when-{rule_of('silent')}:add:-"), **fragment)  # type: ignore[arg-type]
    part = more.content.decode()
    assert more.status_code == 200
    assert part.count('class="condition-row') == 2
    assert "split model-form" not in part
    assert 'value="10"' in part
    whole = hq.post(PAGE, form(**silent("10"), edit=f"when-{rule_of('silent')}:text:-")).content.decode()
    assert "silent_days &gt;= 10</textarea>" in whole, "without a script the page comes whole"
    assert 'name="previewed"' not in whole
    empty = hq.post(PAGE, form(**rows(0, {"what": ""}), **{"try": "1"}))
    assert empty.status_code == 422
    assert "请填好" in empty.content.decode() or 'class="condition-row bad"' in empty.content.decode()


def test_what_is_typed_goes_with_its_rule(hq: Client) -> None:
    moved = hq.post(PAGE, form(**silent("10"), up=str(rule_of("silent"))))
    there = rule_of("silent") - 1
    assert sent_by(moved.content.decode())[f"when-{there}.0.value"] == "10"
    assert StageModel.objects.get(key="m4").version == 1


def test_a_score_of_the_chains_own_is_chosen_and_told_in_words(hq: Client, shop: Cast) -> None:
    score = define_score(key="churn", kind="chance", labels={"zh-hans": "流失概率"}, now=NOW)
    define_score(key="secret", kind="chance", labels={"zh-hans": "机密"}, roles=["owner"], now=NOW)
    ScoreValue.objects.create(customer=shop.vera, score=score, number=7_300, scored_on=TODAY)
    page = hq.get(PAGE).content.decode()
    assert '<option value="score.churn" >流失概率 (%)</option>' in page
    assert '<option value="score.churn_on" >流失概率' in page
    assert "score.secret" not in page, "not everybody who sees stages may see it"
    place = rule_of("lost")
    typed = text(place, "score.churn >= 70")
    typed |= {f"reason-{place}-{language}": "流失概率 {score.churn}%，{score.churn_on}" for language in LANGUAGES}
    tried = hq.post(PAGE, form(**typed, **{"try": "1"})).content.decode()
    assert "会换阶段" in tried
    assert "薇拉" in tried
    assert "流失概率 73%" in tried, "why she would move"
    assert published(hq, form(**typed)).status_code == 303
    refresh_customers([shop.vera.pk], now=NOW)
    assert Standing.objects.get(customer=shop.vera, model="m4").stage == "lost"
    person = hq.get(f"/customers/{shop.vera.pk}/").content.decode()
    assert "流失概率 73%" in person
    refused = hq.post(reverse("score-ask", args=[score.pk]))
    assert Score.objects.get(pk=score.pk).retired_at is None
    assert M4["words"]["zh-hans"] in refused.content.decode()


def test_what_stands_inside_a_not_says_so(hq: Client) -> None:
    mature = sent_by(hq.get(PAGE).content.decode())
    place = rule_of("mature")
    assert "and not" in {mature.get(f"when-{place}.{n}.word") for n in range(3)} or any(
        mature.get(f"when-{place}.{n}.op") == "!=" for n in range(3)
    )


def test_the_number_of_the_settings_goes_on_following_them(hq: Client) -> None:
    published(hq, form(**silent("60"), **{"name-en": "Renamed"}))
    stored = StageModel.objects.get(key="m4").definition
    assert stored["ask"][rule_of("silent")]["when"]["value"] == {"setting": "silent_after_days"}
    assert stored["words"]["en"] == "Renamed"


def test_the_past_is_shown_beside(hq: Client, settings: Settings, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    page = hq.post(PAGE, form(**silent("10"), **{"past": "1"})).content.decode()
    assert "两套规则看过去" in page
    day = (TODAY - dt.timedelta(days=100)).isoformat()
    page = hq.post(PAGE, form(**silent("10"), **{"past": "day", "past-day": day})).content.decode()
    assert page.count("<tr><td>") - page.count('<tr><td><span class="stage') >= 1
    asked = StageReplay.objects.first()
    assert asked is not None
    assert ([row["day"] for row in asked.rows], asked.state) == ([day], "done")
    assert f'value="{day}"' in page, "what was picked stays"


def test_a_large_chain_is_answered_in_the_background(
    hq: Client, settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(jobs, "REPLAYED_AT_ONCE", 0)
    page = hq.post(PAGE, form(**silent("10"), **{"past": "1"})).content.decode()
    asked = StageReplay.objects.get()
    part = f"/lifecycle/models/past/{asked.pk}/"
    assert f'hx-get="{part}"' in page
    assert f'hx-get="{part}"' in hq.get(part).content.decode(), "still waiting: it asks again"
    assert ProcrastinateJob.objects.filter(task_name="answer_past", args={"replay_id": asked.pk}).exists()
    jobs.answer_past(asked.pk)
    told = hq.get(part).content.decode()
    assert "hx-get" not in told
    assert "两套规则看过去" in told
    StageReplay.objects.update(state="failed")
    assert "重新" in hq.get(part).content.decode()
    assert hq.get("/lifecycle/models/past/999999/").status_code == 404


def test_what_was_done_in_a_window_is_written_as_text_and_said_in_words(hq: Client, shop: Cast) -> None:
    typed = text(0, "count(purchase in 400 days) >= 2")
    page = hq.post(PAGE, form(**typed, **{"try": "1"}))  # type: ignore[arg-type]
    assert page.status_code == 200
    assert "最近" in page.content.decode()
    assert published(hq, form(**typed)).status_code == 303  # type: ignore[arg-type]
    refresh_customers([shop.vera.pk], now=NOW)
    assert hq.get(f"/customers/{shop.vera.pk}/").status_code == 200
    assert name_of("deed_count_purchase_400d") != "deed count purchase 400d"
    refused = hq.post(PAGE, form(**text(0, "segment has vip"), **{"try": "1"}))
    assert refused.status_code == 422
    assert "阶段不问分群" in refused.content.decode()


def test_a_tag_is_written_as_text_and_said_by_its_name(hq: Client, shop: Cast) -> None:
    typed = text(0, 'tag has "怕“痒” 50%"')
    page = hq.post(PAGE, form(**typed, **{"try": "1"}))  # type: ignore[arg-type]
    assert page.status_code == 200
    assert "tag has &quot;怕“痒” 50%&quot;" in page.content.decode()
    assert published(hq, form(**typed)).status_code == 303  # type: ignore[arg-type]
    add_tag(shop.vera, "怕“痒” 50%", now=NOW)
    refresh_customers([shop.vera.pk], now=NOW)
    hers = hq.get(f"/customers/{shop.vera.pk}/").content.decode()
    assert "有标签“怕“痒” 50%”" in hers
    assert "标签：怕“痒” 50%" in hers


def test_an_event_and_a_consent_are_said_by_their_names(hq: Client, shop: Cast) -> None:
    typed = text(0, 'count(event "app.opened" in 30 days) >= 1 and consent has marketing by sms')
    assert published(hq, form(**typed)).status_code == 303
    refresh_customers([shop.vera.pk], now=NOW)
    hers = hq.get(f"/customers/{shop.vera.pk}/").content.decode()
    assert str(EVENTS["app.opened"]) in hers
    assert "app.opened" not in hers
    assert "event count" not in hers
    assert "consent marketing" not in hers


def test_a_category_is_chosen_in_a_row_said_by_its_name_and_keeps_it(hq: Client, shop: Cast) -> None:
    row = {"what": "#count", "kind": "purchase", "by": "category", "of": "面部护理", "op": ">=", "value": "1",
           "window": "days", "days": "400"}  # fmt: skip
    tried = hq.post(PAGE, form(**rows(0, row), **{"try": "1"}))
    assert tried.status_code == 200
    assert '<option value="面部护理" selected' in tried.content.decode()
    assert published(hq, form(**rows(0, row))).status_code == 303
    refresh_customers([shop.vera.pk], now=NOW)
    hers = hq.get(f"/customers/{shop.vera.pk}/").content.decode()
    assert "购买面部护理类" in hers
    skin = Category.objects.get(name="面部护理")
    with pytest.raises(CategoryAsked, match=M4["words"]["zh-hans"]):
        change_category(skin.pk, {"name": "脸"}, now=NOW)


@pytest.mark.parametrize("day", ["", "2026-02-30", "2999-01-01", "0999-01-01"])
def test_a_day_that_cannot_be_asked_is_named(hq: Client, day: str) -> None:
    answer = hq.post(PAGE, form(**silent("10"), **{"past": "day", "past-day": day}))
    assert answer.status_code == 422
    assert 'id="past-day"' in answer.content.decode()
    assert answer.content.decode().count('class="error"') == 1
    assert not StageReplay.objects.exists()


def test_a_copy_becomes_a_model_of_ones_own(hq: Client) -> None:
    opened = hq.get(f"{PAGE}?copy=1").content.decode()
    assert 'name="key"' in opened
    copied = {**M4, "key": "", "words": {language: f"{text} 2" for language, text in M4["words"].items()}}
    assert published(hq, form(copied, copy="1", key="mine")).status_code == 303
    mine = StageModel.objects.get(key="mine")
    assert (mine.is_in_use, mine.is_default, mine.definition["words"]["en"][-1]) == (True, False, "2")
    again = hq.post(PAGE, form(copied, copy="1", key="mine", publish="1"))
    assert again.status_code == 422
    assert "已经有这个代号的模型" in again.content.decode()


@pytest.mark.parametrize(("typed", "said"), [
    (silent("soon"), "“soon”不是"),
    ({"reason-0-en": "{shoe_size}"}, "没有属性「shoe_size」"),
    ({"reason-0-en": ""}, "三种语言的说法"),
    ({"name-zh-hant": ""}, "三种语言的说法"),
    (rows(0, {"what": "purchases", "op": ">=", "value": "many"}), "“many”不是"),
    (rows(0, {"what": "shoe_size", "op": ">=", "value": "1"}), "没有这个属性"),
    (rows(0, {"what": "#count", "kind": "event", "of": "stage.changed", "op": ">=", "value": "1"}),
     "系统自己得出的结论"),
])  # fmt: skip
def test_what_cannot_be_meant_is_named_and_nothing_is_published(hq: Client, typed: dict[str, str], said: str) -> None:
    answer = hq.post(PAGE, form(**typed, publish="1"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page or said in page.replace("&gt;=", ">=").replace("&lt;=", "<=")
    assert StageModel.objects.get(key="m4").version == 1


@pytest.mark.parametrize(
    "sent", ["", "[]", "{", '{"ask": 1, "stages": []}', '{"ask": [1], "stages": []}', "x" * 300_000]
)
def test_a_form_that_was_not_sent_whole_is_refused(hq: Client, sent: str) -> None:
    assert hq.post(PAGE, {"definition": sent, "publish": "1"}).status_code == 422
    assert StageModel.objects.get(key="m4").version == 1


def test_models_are_switched_from_the_list(hq: Client) -> None:
    assert hq.post("/lifecycle/models/m8/switch/", {"on": "1"}).status_code == 303
    assert hq.post("/lifecycle/models/m8/switch/", {"default": "1"}).status_code == 303
    assert StageModel.objects.get(is_default=True).key == "m8"
    hq.post("/lifecycle/models/m8/switch/", {"off": "1"})
    assert StageModel.objects.get(key="m8").is_in_use, "lists go by it"
    hq.post("/lifecycle/models/m4/switch/", {"off": "1"})
    assert not StageModel.objects.get(key="m4").is_in_use
    assert hq.post("/lifecycle/models/m99/switch/", {"on": "1"}).status_code == 404
    assert hq.get("/lifecycle/models/m99/").status_code == 404


# The form, applied: pure


@pytest.mark.parametrize(("pressed", "order"), [
    ({"down": "0"}, ["silent", "lost"]), ({"up": "1"}, ["silent", "lost"]), ({"up": "0"}, ["lost", "silent"]),
    ({"up": "99"}, ["lost", "silent"]), ({"down": "x"}, ["lost", "silent"]),
])  # fmt: skip
def test_rules_change_places_but_the_last_stays_the_last(pressed: dict[str, str], order: list[str]) -> None:
    done = edited(M4, pressed)
    reorder(done.definition, pressed)
    assert [one["stage"] for one in done.definition["ask"]][:2] == order
    assert "when" not in done.definition["ask"][-1]


def test_every_rule_of_every_shipped_model_opens_into_rows_and_says_the_same(shop: Cast) -> None:
    asking = language_of(Chain.objects.get())
    for model in shipped_models():
        for place, rule in enumerate(model["ask"][:-1]):
            editor = opened(place, rule, asking).read(strict=True)
            assert editor.tree is not None, (model["key"], place)
            assert asking.printed(editor.tree) == asking.printed(rule["when"])
