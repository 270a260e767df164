"""Merges, un-merges, sales and erasures in any order: what is read of each person is what one would compute by hand."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from changke.facts.consents.queries import may
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer, Identifier, Tag
from changke.facts.customers.queries import customer_in, families_of
from changke.facts.customers.services.meet import find, reference
from changke.facts.customers.services.merge import MergedFurther, NotMerged, SamePerson, merge, unmerge
from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.events import services as events
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.services import define, set_values
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.rules import By
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.erase import erase
from changke.interfaces.web.customers.happenings import Asked
from changke.interfaces.web.customers.timeline import page_of
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, TODAY, Cast, buys

pytestmark = pytest.mark.django_db

NAMES = ("ying", "qiu", "mo", "lan", "bai")
PHONES = {"ying": 1, "qiu": 2, "mo": 4, "lan": 5, "bai": 6}
WHO = st.integers(0, len(NAMES) - 1)


TAGS = ("敏感肌", "怕痛")
SKINS = ("干性", "油性")
DEEDS = st.lists(st.tuples(st.booleans(), st.sampled_from(TAGS)), min_size=1, max_size=4)
"""Tags put on (or taken off) one after the other."""
TOPIC = (Purpose.CARE, Channel.CALL)


@dataclass
class Link:
    """A merge as it was done: what it carried over has to come off again."""

    merged: int
    into: int
    batch: int
    at: dt.datetime
    skin: str | None
    """What the empty field was filled with."""


class Merging(RuleBasedStateMachine):
    """`into` is what we believe: record -> record it is read as by a living link. Everything else follows from it.

    Of each record we believe besides: the tags it wears (name -> since when, carried by which merge), those that came
    off, what stands in an own field, what was said last of a consent, and what happened.
    """

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.open = transaction.atomic()
        self.open.__enter__()
        self.people: list[int] = [getattr(self.cast, name).pk for name in NAMES]
        self.into: dict[int, int] = {}
        self.links: list[Link] = []
        self.clock = NOW
        self.worn: dict[int, dict[str, tuple[dt.datetime, int]]] = {pk: {} for pk in self.people}
        self.ended: dict[int, list[tuple[str, dt.datetime]]] = {pk: [] for pk in self.people}
        self.skin: dict[int, str | None] = dict.fromkeys(self.people)
        self.said: dict[int, bool] = {}
        self.happened: dict[int, int] = dict.fromkeys(self.people, 0)
        define(key="skin", kind="choice", labels={"zh-hans": "肤质"}, choices=list(SKINS), now=NOW)
        self.erased: set[int] = set()
        receipts = Receipt.objects.filter(customer__in=self.people)
        self.spent = {pk: [one.cash_minor for one in receipts if one.customer_id == pk] for pk in self.people}
        self.sales = 0
        for who in (0, 2):  # so that the first merge has something to carry
            self.tag_on_her_page(who, TAGS[0])
            self.own_field_on_her_page(who, SKINS[who // 2])

    def teardown(self) -> None:
        try:
            self.her_story_is_that_of_the_family()
            self.profiles_are_as_computed_from_scratch()
        finally:
            transaction.set_rollback(True)
            self.open.__exit__(None, None, None)

    def tick(self) -> dt.datetime:
        """A second later: what happened meanwhile is told by its moment."""
        self.clock += dt.timedelta(seconds=1)
        return self.clock

    def person(self, record: int) -> int:
        while record in self.into:
            record = self.into[record]
        return record

    def family(self, person: int) -> set[int]:
        return {one for one in self.people if self.person(one) == person}

    @initialize(one=st.sampled_from([0, 2]), other=WHO)
    def somebody_with_a_tag_is_merged(self, one: int, other: int) -> None:
        self.merge(one, other)

    @initialize(one=st.sampled_from([0, 2]), other=WHO, deeds=DEEDS)
    def one_who_was_tagged_meanwhile_is_parted(self, one: int, other: int, deeds: list[tuple[bool, str]]) -> None:
        self.joined_tagged_and_parted(one, other, deeds)

    @rule(one=WHO, other=WHO, deeds=DEEDS)
    def joined_tagged_and_parted(self, one: int, other: int, deeds: list[tuple[bool, str]]) -> None:
        """Left to chance, a tag that a merge carried hardly ever comes off before the two are parted."""
        self.tag_on_her_page(one, deeds[0][1])
        before = len(self.links)
        self.merge(one, other)
        for on, name in deeds:
            (self.tag_on_her_page if on else self.tag_off_her_page)(one, name)
        if len(self.links) > before:
            self.unmerge(before)

    @rule(one=WHO, other=WHO)
    def merge(self, one: int, other: int) -> None:
        merged, into = self.person(self.people[one]), self.person(self.people[other])
        expected = NotFound if {merged, into} & self.erased else SamePerson if merged == into else None
        if expected:
            with pytest.raises(expected), transaction.atomic():
                merge(self.people[one], self.people[other], now=NOW)
            return
        at = self.tick()
        link = merge(self.people[one], self.people[other], now=at)
        assert (link.merged_id, link.into_id) == (merged, into)
        self.into[merged] = into
        filled = self.skin[merged] if self.skin[into] is None else None
        self.skin[into] = self.skin[into] or filled
        batch = int(link.batch_id or 0)
        for name, (since, _) in self.worn[merged].items():
            self.worn[into].setdefault(name, (since, batch))
        self.links.append(Link(merged, into, batch, at, filled))

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 50))
    def unmerge(self, which: int) -> None:
        link = self.links[which % len(self.links)]
        living = self.into.get(link.merged) == link.into and self._latest(link.merged) is link
        expected = NotMerged if not living else MergedFurther if link.into in self.into else None
        if expected:
            with pytest.raises(expected), transaction.atomic():
                unmerge(link.batch, now=self.tick())
            return
        unmerge(link.batch, now=self.tick())
        del self.into[link.merged]
        if {link.merged, link.into} & self.erased:
            return
        self._tags_go_back(link)
        # Filled by the merge and still the same as the other's: empty again. What somebody changed stays.
        if link.skin is not None and self.skin[link.into] == self.skin[link.merged]:
            self.skin[link.into] = None

    def _tags_go_back(self, link: Link) -> None:
        """What was carried comes off; what came off of both meanwhile comes off of the one that leaves."""
        hers, stays = self.worn[link.merged], self.worn[link.into]
        self.worn[link.into] = {name: how for name, how in stays.items() if how[1] != link.batch}
        for name, last in dict(sorted(self.ended[link.into], key=lambda one: one[1])).items():
            if last >= link.at and name in hers and hers[name][0] <= link.at:
                del hers[name]
                self.ended[link.merged].append((name, last))

    def _latest(self, merged: int) -> Link:
        return [link for link in self.links if link.merged == merged][-1]

    @rule(who=WHO, name=st.sampled_from(TAGS))
    def tag_on_her_page(self, who: int, name: str) -> None:
        person = self.person(self.people[who])
        if person not in self.erased:
            at = self.tick()
            add_tag(Customer.objects.get(pk=person), name, now=at)
            self.worn[person].setdefault(name, (at, 0))

    @rule(who=WHO, name=st.sampled_from(TAGS))
    def tag_off_her_page(self, who: int, name: str) -> None:
        person = self.person(self.people[who])
        if person not in self.erased:
            at = self.tick()
            assert remove_tag(Customer.objects.get(pk=person), name, now=at) is (name in self.worn[person])
            if self.worn[person].pop(name, None):
                self.ended[person].append((name, at))

    @precondition(lambda self: self.into)
    @rule(which=st.integers(0, 50))
    def a_carried_tag_is_disputed(self, which: int) -> None:
        merged = sorted(self.into)[which % len(self.into)]
        person = self.person(merged)
        for name in sorted(set(self.worn[merged]) & set(self.worn[person]))[:1]:
            self.tag_off_her_page(self.people.index(person), name)

    @precondition(lambda self: self.into)
    @rule(which=st.integers(0, 50))
    def unmerge_what_stands(self, which: int) -> None:
        merged = sorted(self.into)[which % len(self.into)]
        self.unmerge(self.links.index(self._latest(merged)))

    @rule(who=WHO, skin=st.sampled_from([*SKINS, None]))
    def own_field_on_her_page(self, who: int, skin: str | None) -> None:
        person = self.person(self.people[who])
        if person not in self.erased:
            set_values(person, {"skin": skin}, now=self.tick())
            self.skin[person] = skin

    @rule(who=WHO, given=st.booleans(), everybody=st.booleans())
    def consent(self, who: int, given: bool, everybody: bool) -> None:
        """On her page it is said for all her records; a file says it of one."""
        person = self.person(self.people[who])
        if person in self.erased:
            return
        records, at = sorted(self.family(person)) if everybody else [self.people[who]], self.tick()
        state(
            records, [TOPIC], given=given, proof=Proof("counter", staff=self.cast.owner),
            source_key=f"said:{at.isoformat()}", happened_at=at, time_zone="Asia/Shanghai", now=at,
        )  # fmt: skip
        self.said |= dict.fromkeys(records, given)

    @rule(who=WHO)
    def something_happens(self, who: int) -> None:
        record = self.people[who]
        if record not in self.erased:
            at = self.tick()
            events.record(
                "complaint.received", customer=Customer.objects.get(pk=record), source_key=f"any:{at.isoformat()}",
                data={"about": "等待"}, happened_at=at, now=at, time_zone="Asia/Shanghai",
            )  # fmt: skip
            self.happened[record] += 1

    @rule(who=WHO, amount=st.integers(1, 90_000))
    def sale_under_her_phone(self, who: int, amount: int) -> None:
        record = self.people[who]
        if record in self.erased:
            return
        named = reference("phone", f"1380000000{PHONES[NAMES[who]]}")
        assert find([named], scope=CHAIN_WIDE) == {named: record}, "a sale is recorded for whose phone it carried"
        self._sells(record, amount)

    @rule(who=WHO, amount=st.integers(1, 90_000))
    def sale_on_her_page(self, who: int, amount: int) -> None:
        person = self.person(self.people[who])
        if person not in self.erased:
            assert customer_in(CHAIN_WIDE, self.people[who]).pk == person
            self._sells(person, amount)

    def _sells(self, record: int, amount: int) -> None:
        self.sales += 1
        buys(
            Customer.objects.get(pk=record), self.cast.facial, amount, on=TODAY, store=self.cast.jing_an,
            key=f"any-{self.sales}",
        )  # fmt: skip
        self.spent[record].append(amount)

    @precondition(lambda self: not self.erased)
    @rule(who=WHO)
    def erase(self, who: int) -> None:
        family = self.family(self.person(self.people[who]))
        erase(self.people[who], reason="asked", by=By("staff", self.cast.owner.pk, "林老板"), now=NOW)
        self.erased |= family

    @invariant()
    def everything_is_read_under_the_person(self) -> None:
        told = families_of(self.people)
        assert {one: set(told[one]) for one in self.people} == {
            one: self.family(self.person(one)) for one in self.people
        }
        with connection.cursor() as sql:
            sql.execute(
                "SELECT customer_id, COUNT(*), SUM(cash_minor) FROM live.purchases"
                " WHERE customer_id = ANY(%s) GROUP BY customer_id",
                [self.people],
            )
            read = {pk: (count, int(money)) for pk, count, money in sql.fetchall()}
        sales = {
            person: [amount for one in self.family(person) for amount in self.spent[one]]
            for person in {self.person(one) for one in self.people}
        }
        assert read == {person: (len(sold), sum(sold)) for person, sold in sales.items() if sold}
        for person, sold in sales.items():  # what the timeline tells is asked of the family
            family = self.family(person)
            assert Receipt.objects.filter(customer__in=family, withdrawn_by__isnull=True).count() == len(sold)
        gone = Identifier.objects.filter(customer__in=self.erased)
        assert not gone.exists()

    @invariant()
    def what_is_known_and_told_of_her_is_the_familys(self) -> None:
        [field] = fields_for()
        for person in {self.person(one) for one in self.people} - self.erased:
            family = self.family(person)
            wears = set(Tag.objects.filter(customer=person).values_list("name", flat=True))
            assert wears == set(self.worn[person])
            assert values_of(person, [field]) == {"skin": self.skin[person]}
            # The strictest of what each record said last.
            said = [self.said[one] for one in family if one in self.said]
            verdict = may(sorted(family), *TOPIC, at=self.clock, on=TODAY)
            assert (verdict.allowed, verdict.reason == "not_asked") == (bool(said) and all(said), not said)

    def her_story_is_that_of_the_family(self) -> None:
        for person in {self.person(one) for one in self.people} - self.erased:
            family = tuple(sorted(self.family(person)))
            told, _ = page_of(Asked(person, "", "m4", {}, "Asia/Shanghai", CHAIN_WIDE, family=family), size=500)
            kinds = Counter(one.kind for one in told)
            assert kinds["note"] == sum(self.happened[one] for one in family)
            assert kinds["bought"] == sum(len(self.spent[one]) for one in family)

    def profiles_are_as_computed_from_scratch(self) -> None:
        refresh_customers(self.people, now=NOW)
        held = {one.customer_id: one for one in Profile.objects.filter(customer_id__in=self.people)}
        for person in {self.person(one) for one in self.people} - self.erased:
            sold = [amount for one in self.family(person) for amount in self.spent[one]]
            assert (held[person].net_spend or 0, held[person].purchases or 0) == (sum(sold), len(sold))
        read_as_others = {one for one in self.people if self.person(one) != one}
        assert not read_as_others & held.keys()


def test_in_any_order_every_number_is_the_one_computed_from_scratch(cast: Cast) -> None:
    Merging.cast = cast
    run_state_machine_as_test(
        Merging,
        settings=settings(
            max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
