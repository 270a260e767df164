"""The chain's tags: groups, ages and rules, by whoever may decide them."""

import datetime as dt

import pytest
from django.test import Client

from changke.facts.customers.models import FormerTag, Tag, TagGroup, TagWord
from changke.facts.customers.services import tags
from changke.foundation.audit.kinds import kind_of
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import HOUSE
from changke.profiles.affinity.models import Need, TagRule
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(cast: Cast, client: Client) -> Client:
    client.force_login(cast.owner)
    return client


def rule(cast: Cast, **more: str) -> dict[str, str]:
    said = {"name": "首单补水", "occasion": "first_order", "item": str(cast.facial.pk), "tag": "补水", "is_active": "1"}
    return said | more


def test_a_rule_is_written_changed_and_removed_with_an_audit_line_each(cast: Cast, owner: Client) -> None:
    assert owner.post("/settings/tags/rules/new/", rule(cast)).status_code == 303
    one = TagRule.objects.get()
    assert (one.name, one.item, one.tag, one.is_active) == ("首单补水", cast.facial, "补水", True)
    owner.post(f"/settings/tags/rules/{one.pk}/", rule(cast, name="改名"))
    assert "改名" in owner.get("/settings/tags/").content.decode()
    owner.post(f"/settings/tags/rules/{one.pk}/", {"remove": "1"})
    assert not TagRule.objects.exists()
    actions = list(AuditLine.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-3:] == ["tag_rule.changed", "tag_rule.changed", "tag_rule.removed"]


def test_a_dry_run_says_how_many_and_writes_nothing(cast: Cast, owner: Client) -> None:
    page = owner.post("/settings/tags/rules/new/", rule(cast, preview="1")).content.decode()
    assert "将有 5 位客户打上该标签" in page
    assert "首单补水" in page, "what was typed stays"
    assert not TagRule.objects.exists()
    assert not Tag.objects.exists()


@pytest.mark.parametrize("wrong", [{"item": ""}, {"name": ""}, {"tag": ""}, {"occasion": "x"}, {"item": "999999"}])
def test_a_rule_that_cannot_be_meant_is_refused_and_kept(cast: Cast, owner: Client, wrong: dict[str, str]) -> None:
    answer = owner.post("/settings/tags/rules/new/", rule(cast, **wrong))
    assert answer.status_code == 422
    assert not TagRule.objects.exists()


def test_groups_and_ages_are_decided(cast: Cast, owner: Client) -> None:
    owner.post("/settings/tags/groups/new/", {"name": "肤质", "only_one": "1"})
    group = TagGroup.objects.get()
    owner.post("/settings/tags/words/", {"name": "干性", "group": str(group.pk), "stale_after_days": "365"})
    word = TagWord.objects.get()
    assert (word.group, word.stale_after_days) == (group, 365)
    assert owner.post("/settings/tags/groups/new/", {"name": "肤质"}).status_code == 422
    assert owner.post("/settings/tags/words/", {"name": "干性", "stale_after_days": "0"}).status_code == 422
    owner.post("/settings/tags/words/", {"forget": "干性"})
    owner.post(f"/settings/tags/groups/{group.pk}/", {"remove": "1"})
    assert not TagWord.objects.exists()
    assert not TagGroup.objects.exists()


def test_what_a_tag_asks_for_is_said_changed_and_taken_back_with_an_audit_line_each(cast: Cast, owner: Client) -> None:
    said = {"tag": " 敏感肌 ", "item": str(cast.facial.pk)}
    assert owner.post("/settings/tags/needs/new/", said).status_code == 303
    one = Need.objects.get()
    assert (one.tag, one.item, one.category) == ("敏感肌", cast.facial, None)
    changed = {"tag": "敏感肌", "category": str(cast.facial.category_id)}
    assert owner.post(f"/settings/tags/needs/{one.pk}/", changed).status_code == 303
    page = owner.get("/settings/tags/").content.decode()
    assert f"/settings/tags/needs/{one.pk}/" in page
    assert "面部护理" in page
    owner.post(f"/settings/tags/needs/{one.pk}/", {"remove": "1"})
    assert not Need.objects.exists()
    actions = list(AuditLine.objects.order_by("pk").values_list("action", flat=True))
    assert actions[-3:] == ["need.changed", "need.changed", "need.removed"]


@pytest.mark.parametrize("wrong", [{"item": ""}, {"tag": ""}, {"item": "999999"}, {"both": "1"}])
def test_a_need_that_cannot_be_meant_is_refused(cast: Cast, owner: Client, wrong: dict[str, str]) -> None:
    said = {"tag": "敏感肌", "item": str(cast.facial.pk)} | wrong
    if "both" in wrong:
        said["category"] = str(cast.facial.category_id)
    assert owner.post("/settings/tags/needs/new/", said).status_code == 422
    assert not Need.objects.exists()


def test_the_same_need_twice_is_refused_and_an_earlier_one_put_back(cast: Cast, owner: Client) -> None:
    said = {"tag": "敏感肌", "item": str(cast.facial.pk)}
    owner.post("/settings/tags/needs/new/", said)
    assert owner.post("/settings/tags/needs/new/", said).status_code == 422
    one = Need.objects.get()
    owner.post(f"/settings/tags/needs/{one.pk}/", {**said, "tag": "干性"})
    kind = kind_of(f"need:{one.pk}")
    assert kind is not None
    assert kind.restore is not None
    kind.restore(str(one.pk), {"tag": "敏感肌"}, by=HOUSE, now=NOW)
    assert Need.objects.get().tag == "敏感肌"


@pytest.mark.parametrize("path", ["", "groups/new/", "rules/new/", "needs/new/"])
def test_a_store_manager_does_not_decide_the_chains_tags(cast: Cast, client: Client, path: str) -> None:
    client.force_login(cast.manager)
    assert client.get(f"/settings/tags/{path}").status_code == 403
    client.force_login(cast.owner)
    assert client.get(f"/settings/tags/{path}").status_code == 200


def test_a_tag_says_why_and_can_be_called_wrong_with_one_tap(cast: Cast, owner: Client) -> None:
    tags.add_tag(cast.vera, "敏感肌", source="rule", rule="首单补水", fact="receipt:12", now=NOW)
    page = owner.post(f"/customers/{cast.vera.pk}/tags/", {"tag": "VIP"}, headers={"HX-Request": "true"})
    assert "规则“首单补水”，依据小票 12" in page.content.decode()
    owner.post(f"/customers/{cast.vera.pk}/tags/remove/", {"tag": "敏感肌", "because": "disputed"})
    assert FormerTag.objects.get().ended_because == "disputed"


def test_the_api_tells_tags_of_any_day(cast: Cast, owner: Client) -> None:
    address = f"/api/v1/customers/{cast.vera.pk}/tags"
    csrf = {"content_type": "application/json"}
    assert owner.post(address, {"name": "敏感肌", "fact": "order:7"}, **csrf).status_code == 201
    told = owner.get(address).json()
    assert [(one["name"], one["fact"], one["given_by"]) for one in told] == [("敏感肌", "order:7", "林老板")]
    yesterday = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).date()
    assert owner.get(f"{address}?as_of={yesterday}").json() == []
    assert owner.post(f"{address}/off", {"name": "敏感肌"}, **csrf).json() == []
    assert owner.post(f"{address}/off", {"name": "敏感肌"}, **csrf).status_code == 404
    assert owner.post(address, {"name": "  "}, **csrf).status_code == 422


def test_a_foreign_customers_tags_do_not_exist(cast: Cast, client: Client) -> None:
    client.force_login(cast.manager)
    assert client.get(f"/api/v1/customers/{cast.mo.pk}/tags").status_code == 200
    assert client.get(f"/api/v1/customers/{cast.lan.pk}/tags").status_code == 404
