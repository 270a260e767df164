"""Two records of one person are joined by one link and parted again: nothing is lost on the way, on either side."""

import pytest
from django.db import connection

from changke.facts.consents.queries import verdicts
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers import rules
from changke.facts.customers.models import Customer, FormerTag, MergeLink, Replaced, Tag
from changke.facts.customers.queries import by_phone, customer_in, family_of, phone_of
from changke.facts.customers.services import tags
from changke.facts.customers.services.change import change
from changke.facts.customers.services.meet import IdentifierTaken, add_identifiers, find, reference
from changke.facts.customers.services.merge import (
    MergedFurther,
    NotMerged,
    SamePerson,
    before_undo,
    joined_to,
    merge,
    undo,
    unmerge,
)
from changke.facts.customers.services.register import PhoneKnown, register
from changke.facts.fields.models import Field, FieldValue
from changke.facts.fields.services.values import set_values
from changke.facts.purchases.models import Receipt
from changke.facts.purchases.queries import given_back
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.persons.services.erase import erase, preview
from tests.cast import NOW, TODAY, Cast, buys

pytestmark = pytest.mark.django_db


def owner(cast: Cast) -> By:
    return By("staff", cast.owner.pk, cast.owner.name)


def join(cast: Cast, merged: Customer, into: Customer) -> MergeLink:
    return merge(merged.pk, into.pk, by=owner(cast), now=NOW)


def part(cast: Cast, link: MergeLink) -> None:
    assert link.batch_id is not None
    unmerge(link.batch_id, by=owner(cast), now=NOW)


def live(what: str, customer: Customer) -> int:
    with connection.cursor() as sql:
        sql.execute(f"SELECT COUNT(*) FROM live.{what} WHERE customer_id = %s", [customer.pk])
        return int(sql.fetchone()[0])


def test_her_purchases_are_read_as_the_others_and_stay_where_they_were_recorded(cast: Cast) -> None:
    link = join(cast, cast.ying, cast.qiu)
    assert (live("purchases", cast.qiu), live("purchases", cast.ying)) == (3, 0)
    assert (live("customers", cast.qiu), live("customers", cast.ying)) == (1, 0)
    assert Receipt.objects.filter(customer=cast.ying).count() == 1
    part(cast, link)
    assert (live("purchases", cast.qiu), live("purchases", cast.ying)) == (2, 1)
    assert live("customers", cast.ying) == 1


def test_what_was_bought_meanwhile_goes_to_the_side_whose_phone_it_carried(cast: Cast) -> None:
    link = join(cast, cast.ying, cast.qiu)
    carried = find([reference("phone", "13800000001")], scope=CHAIN_WIDE)
    by_her_phone = Customer.objects.get(pk=next(iter(carried.values())))
    buys(by_her_phone, cast.facial, 100, on=TODAY, store=cast.jing_an, key="between-1")
    buys(customer_in(CHAIN_WIDE, cast.ying.pk), cast.facial, 100, on=TODAY, store=cast.jing_an, key="between-2")
    assert live("purchases", cast.qiu) == 5
    part(cast, link)
    assert (live("purchases", cast.ying), live("purchases", cast.qiu)) == (2, 3)


def test_a_return_under_one_record_finds_the_purchase_under_the_other(cast: Cast) -> None:
    link = join(cast, cast.ying, cast.qiu)
    sold = Receipt.objects.get(number="ying-1")
    Receipt.objects.create(
        kind="return", customer=cast.qiu, store=cast.jing_an, original_number="ying-1", number="back-1",
        cash_minor=sold.cash_minor, consumed_minor=sold.consumed_minor, items=1, happened_at=NOW, business_date=TODAY,
        recorded_at=NOW, source=sold.source, source_key="back-1",
    )  # fmt: skip
    assert given_back(cast.qiu.pk) == {sold.pk}
    part(cast, link)
    assert given_back(cast.qiu.pk) == set()


def test_an_old_number_finds_the_person_and_her_phone(cast: Cast) -> None:
    bare = register(name="无号", home_store=cast.jing_an, now=NOW)
    join(cast, cast.ying, bare)
    assert customer_in(CHAIN_WIDE, cast.ying.pk) == bare
    assert by_phone("13800000001") == bare
    assert phone_of(bare) == "+8613800000001"
    assert family_of(bare.pk) == family_of(cast.ying.pk) == (bare.pk, cast.ying.pk)
    with pytest.raises(PhoneKnown) as known:
        register(name="又一个", phone="13800000001", home_store=cast.jing_an, now=NOW)
    assert known.value.customer_id == bare.pk


def test_whoever_may_not_see_the_person_does_not_see_her_other_record(cast: Cast) -> None:
    join(cast, cast.ying, cast.lan)  # her home is in the other store
    with pytest.raises(NotFound):
        customer_in(Scope(frozenset({cast.jing_an.pk})), cast.ying.pk)
    assert customer_in(Scope(frozenset({cast.xu_hui.pk})), cast.ying.pk) == cast.lan


def test_what_is_empty_is_filled_and_goes_back(cast: Cast) -> None:
    change(cast.ying.pk, {"birth_month": 5, "birth_day": 6, "allergies": "酒精", "city": "上海"}, now=NOW)
    change(cast.qiu.pk, {"allergies": "花粉", "birth_year": 1990}, now=NOW)
    link = join(cast, cast.ying, cast.qiu)
    cast.qiu.refresh_from_db()
    assert (cast.qiu.allergies, cast.qiu.city, cast.qiu.birth_month) == ("花粉；酒精", "上海", None)
    change(cast.qiu.pk, {"city": "杭州"}, now=NOW)
    part(cast, link)
    cast.qiu.refresh_from_db()
    assert (cast.qiu.allergies, cast.qiu.city, cast.qiu.name) == ("花粉", "杭州", "秋月")
    assert not Replaced.objects.exists()


def test_she_is_known_since_the_earlier_day_while_they_are_one(cast: Cast) -> None:
    before = cast.qiu.known_on
    link = join(cast, cast.vera, cast.qiu)
    cast.qiu.refresh_from_db()
    assert cast.qiu.known_on == cast.vera.known_on
    part(cast, link)
    cast.qiu.refresh_from_db()
    assert cast.qiu.known_on == before


def test_tags_come_over_with_their_evidence_and_go_again(cast: Cast) -> None:
    tags.add_tag(cast.ying, "敏感肌", by=owner(cast), now=NOW)
    tags.add_tag(cast.ying, "急性子", by=owner(cast), now=NOW)
    tags.add_tag(cast.qiu, "VIP", now=NOW)
    link = join(cast, cast.ying, cast.qiu)
    worn = {one.name: one.given_by_id for one in Tag.objects.filter(customer=cast.qiu)}
    assert worn == {"敏感肌": cast.owner.pk, "急性子": cast.owner.pk, "VIP": None}
    tags.remove_tag(cast.qiu, "急性子", because="disputed", now=NOW)
    tags.add_tag(cast.qiu, "新标签", now=NOW)
    part(cast, link)
    assert set(Tag.objects.filter(customer=cast.qiu).values_list("name", flat=True)) == {"VIP", "新标签"}
    assert set(Tag.objects.filter(customer=cast.ying).values_list("name", flat=True)) == {"敏感肌"}
    assert FormerTag.objects.get(customer=cast.ying).ended_because == "disputed"


def test_own_fields_come_over_where_there_are_none_and_go_again(cast: Cast) -> None:
    for key in ("skin", "coffee"):
        Field.objects.create(key=key, kind="text", labels={"en": key})
    set_values(cast.ying.pk, {"skin": "油", "coffee": "美式"}, now=NOW)
    set_values(cast.qiu.pk, {"skin": "干"}, now=NOW)
    link = join(cast, cast.ying, cast.qiu)

    def held() -> dict[str, str | None]:
        return dict(FieldValue.objects.filter(customer=cast.qiu).values_list("field__key", "text"))

    assert held() == {"skin": "干", "coffee": "美式"}
    part(cast, link)
    assert held() == {"skin": "干", "coffee": None}


def test_the_strictest_consent_of_both_holds(cast: Cast) -> None:
    topic = (Purpose.MARKETING, Channel.SMS)
    more = {"proof": Proof("counter", staff=cast.clerk), "happened_at": NOW, "time_zone": "Asia/Shanghai", "now": NOW}
    state([cast.qiu.pk], [topic], given=True, source_key="yes", **more)  # type: ignore[arg-type]
    assert verdicts(family_of(cast.qiu.pk), at=NOW, on=TODAY)[topic].allowed
    state([cast.ying.pk], [topic], given=False, source_key="no", **more)  # type: ignore[arg-type]
    link = join(cast, cast.ying, cast.qiu)
    assert not verdicts(family_of(cast.qiu.pk), at=NOW, on=TODAY)[topic].allowed
    part(cast, link)
    assert verdicts(family_of(cast.qiu.pk), at=NOW, on=TODAY)[topic].allowed


def test_a_chain_of_three_is_one_person_and_parts_from_the_end(cast: Cast) -> None:
    first = join(cast, cast.ying, cast.qiu)
    second = join(cast, cast.qiu, cast.vera)
    assert family_of(cast.ying.pk) == (cast.vera.pk, cast.ying.pk, cast.qiu.pk)
    assert live("purchases", cast.vera) == 15
    assert {one.merged_id for one in joined_to(family_of(cast.vera.pk))} == {cast.ying.pk, cast.qiu.pk}
    with pytest.raises(MergedFurther):
        part(cast, first)
    part(cast, second)
    assert family_of(cast.ying.pk) == (cast.qiu.pk, cast.ying.pk)
    part(cast, first)
    assert family_of(cast.ying.pk) == (cast.ying.pk,)


def test_merging_the_same_two_again_or_nobody_is_refused(cast: Cast) -> None:
    link = join(cast, cast.ying, cast.qiu)
    with pytest.raises(SamePerson):
        join(cast, cast.qiu, cast.ying)
    with pytest.raises(SamePerson):
        join(cast, cast.qiu, cast.qiu)
    with pytest.raises(NotFound):
        merge(cast.ying.pk, 99_999, now=NOW)
    part(cast, link)
    with pytest.raises(NotMerged):
        part(cast, link)
    assert undo(int(link.batch_id or 0), NOW) == 0


def test_a_link_may_be_written_and_withdrawn_and_nothing_else(cast: Cast) -> None:
    link = join(cast, cast.ying, cast.qiu)
    with pytest.raises(Exception, match="never edited"):
        MergeLink.objects.filter(pk=link.pk).update(into=cast.vera)


def test_both_stories_say_who_joined_and_parted_them(cast: Cast) -> None:
    part(cast, join(cast, cast.ying, cast.qiu))
    told = set(AuditLine.objects.filter(action__startswith="customer.").values_list("action", "customer_id"))
    assert told >= {(act, who.pk) for act in ("customer.merged", "customer.unmerged") for who in (cast.ying, cast.qiu)}


def test_the_undo_says_before_what_it_gives_back(cast: Cast) -> None:
    tags.add_tag(cast.ying, "敏感肌", now=NOW)
    link = join(cast, cast.ying, cast.qiu)
    goes = {one.code: one.count for one in before_undo(int(link.batch_id or 0)).goes}
    assert goes == {"merges": 1, "tags": 1} | ({"fields": goes["fields"]} if "fields" in goes else {})
    assert Batch.objects.get(pk=link.batch_id).kind == "merge"


def test_whoever_asks_to_be_forgotten_is_forgotten_in_all_her_records(cast: Cast) -> None:
    join(cast, cast.ying, cast.qiu)
    assert {"merges", "profile"} <= {one.key for one in preview(cast.qiu.pk)}
    erase(cast.qiu.pk, reason="she asked", by=owner(cast), now=NOW)
    assert Customer.objects.filter(pk__in=[cast.ying.pk, cast.qiu.pk], is_erased=True, name="").count() == 2


def test_a_name_of_hers_under_the_other_record_is_no_strangers(cast: Cast) -> None:
    join(cast, cast.ying, cast.qiu)
    add_identifiers(customer_in(CHAIN_WIDE, cast.qiu.pk), [reference("phone", "13800000001")])
    with pytest.raises(IdentifierTaken):
        add_identifiers(cast.vera, [reference("phone", "13800000001")])


@pytest.mark.parametrize(
    ("holds", "brings", "after"),
    [
        ({"city": ""}, {"city": "上海"}, {"city": "上海"}),
        ({"city": "杭州"}, {"city": "上海"}, {}),
        ({"allergies": "酒精、花粉"}, {"allergies": "酒精"}, {}),
        ({"allergies": "花粉"}, {"allergies": "酒精"}, {"allergies": "花粉；酒精"}),
        ({"birth_year": 1990}, {"birth_month": 5, "birth_day": 6}, {}),
        ({}, {"birth_month": 5, "birth_day": 6}, {"birth_month": 5, "birth_day": 6}),
        ({"known_on": "2026-01-01"}, {"known_on": "2025-01-01"}, {"known_on": "2025-01-01"}),
        ({"known_on": "2025-01-01"}, {"known_on": "2026-01-01"}, {}),
    ],
)
def test_what_a_record_takes_over(
    holds: dict[str, object], brings: dict[str, object], after: dict[str, object]
) -> None:
    blank: dict[str, object] = dict.fromkeys(rules.CARRIED) | {"allergies": "", "known_on": "2026-01-01"}
    assert rules.carried(holds=blank | holds, brings=blank | brings) == after
