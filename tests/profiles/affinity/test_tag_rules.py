"""Rules that read needs from purchases: the first facial tells a need, the receipt is the evidence."""

import datetime as dt

import pytest
from django.db import connection

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Tag
from changke.facts.customers.services import tags
from changke.foundation.batches.models import Batch
from changke.foundation.errors import Invalid
from changke.profiles.affinity.models import TagRule
from changke.profiles.affinity.services.follow import apply_to_past, follow, preview
from changke.profiles.affinity.services.tag_rules import TagRuleNameTaken, save_rule
from tests.cast import NOW, TODAY, Cast, ago, buys

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + dt.timedelta(days=10)


@pytest.fixture
def first_facial(cast: Cast) -> TagRule:
    follow(NOW)
    return save_rule(
        None, name="首单补水", occasion="first_order", item=cast.facial, category=None, tag="补水需求", now=NOW
    )


def worn() -> set[tuple[str, str]]:
    return set(Tag.objects.values_list("customer__name", "name"))


def test_the_first_order_tags_and_names_its_receipt(cast: Cast, first_facial: TagRule) -> None:
    receipt = buys(cast.bai, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="bai-1")
    buys(cast.vera, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="vera-again")
    assert follow(NOW) == 1
    tag = Tag.objects.get()
    assert (tag.customer, tag.name, tag.rule, tag.fact) == (cast.bai, "补水需求", "首单补水", f"receipt:{receipt.pk}")
    assert follow(NOW) == 0, "nothing new, nothing done"


def test_a_rule_for_a_category_and_any_purchase(cast: Cast) -> None:
    follow(NOW)
    save_rule(None, name="面部", occasion="any", item=None, category=cast.facial.category, tag="面部护理", now=NOW)
    buys(cast.vera, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="vera-again")
    buys(cast.mo, cast.card, 198_000, on=TODAY, store=cast.jing_an, key="mo-card")
    follow(NOW)
    assert worn() == {("薇拉", "面部护理")}


def test_a_switched_off_rule_tags_nobody(cast: Cast, first_facial: TagRule) -> None:
    save_rule(
        first_facial,
        name="首单补水",
        occasion="first_order",
        item=cast.facial,
        category=None,
        tag="x",
        is_active=False,
        now=NOW,
    )
    buys(cast.bai, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="bai-1")
    assert follow(NOW) == 0


def test_what_somebody_called_wrong_no_rule_puts_on_again(cast: Cast, first_facial: TagRule) -> None:
    tags.add_tag(cast.bai, "补水需求", now=NOW)
    tags.remove_tag(cast.bai, "补水需求", because="disputed", now=NOW)
    buys(cast.bai, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="bai-1")
    follow(NOW)
    assert worn() == set()
    tags.add_tag(cast.bai, "补水需求", now=LATER)
    assert worn() == {("白露", "补水需求")}, "a person may"


def test_withdrawing_the_purchase_takes_the_tag_back(cast: Cast, first_facial: TagRule) -> None:
    batch = Batch.objects.create(kind="purchases", title="x", created_at=NOW)
    receipt = buys(cast.bai, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="bai-1")
    follow(NOW)
    assert worn()
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE facts_receipt SET withdrawn_by_id = %s, txid = pg_current_xact_id() WHERE id = %s",
            [batch.pk, receipt.pk],
        )
    follow(LATER)
    assert worn() == set()


def test_a_dry_run_over_history_says_whom_it_would_tag_and_writes_nothing(cast: Cast, first_facial: TagRule) -> None:
    told = preview(first_facial)
    assert told.customers == 5, "Ying, Qiu, Vera, Mo and Lan began with a facial; Bai never came"
    assert worn() == set()
    assert apply_to_past(first_facial, now=NOW) == told.customers
    assert len(worn()) == 5
    apply_to_past(first_facial, now=LATER)
    assert len(worn()) == 5, "a second time confirms"


def test_an_earlier_purchase_that_comes_late_does_not_untell_the_evidence(cast: Cast, first_facial: TagRule) -> None:
    buys(cast.bai, cast.facial, 28_800, on=TODAY, store=cast.jing_an, key="bai-1")
    follow(NOW)
    buys(cast.bai, cast.card, 198_000, on=ago(3), store=cast.jing_an, key="bai-0")
    follow(NOW)
    assert worn() == {("白露", "补水需求")}


def test_the_refusals_of_a_rule(cast: Cast, first_facial: TagRule) -> None:
    def rule(name: str = "x", occasion: str = "any", item: Item | None = None, tag: str = "t") -> None:
        save_rule(None, name=name, occasion=occasion, item=item, category=None, tag=tag, now=NOW)

    for refused in ({"name": " "}, {"occasion": "sometimes"}, {"item": None}, {"item": cast.facial, "tag": ""}):
        with pytest.raises(Invalid):
            rule(**refused)  # type: ignore[arg-type]
    with pytest.raises(TagRuleNameTaken):
        rule(name="首单补水", item=cast.facial)
