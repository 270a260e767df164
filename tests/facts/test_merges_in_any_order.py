"""Merges, un-merges, sales and erasures in any order: what is read of each person is what one would compute by hand."""

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import customer_in, families_of
from changke.facts.customers.services.meet import find, reference
from changke.facts.customers.services.merge import MergedFurther, NotMerged, SamePerson, merge, unmerge
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.rules import By
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.erase import erase
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, TODAY, Cast, buys

pytestmark = pytest.mark.django_db

NAMES = ("ying", "qiu", "mo", "lan", "bai")
PHONES = {"ying": 1, "qiu": 2, "mo": 4, "lan": 5, "bai": 6}
WHO = st.integers(0, len(NAMES) - 1)


class Merging(RuleBasedStateMachine):
    """`into` is what we believe: record -> record it is read as by a living link. Everything else follows from it."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.open = transaction.atomic()
        self.open.__enter__()
        self.people: list[int] = [getattr(self.cast, name).pk for name in NAMES]
        self.into: dict[int, int] = {}
        self.links: list[tuple[int, int, int]] = []
        self.erased: set[int] = set()
        receipts = Receipt.objects.filter(customer__in=self.people)
        self.spent = {pk: [one.cash_minor for one in receipts if one.customer_id == pk] for pk in self.people}
        self.sales = 0

    def teardown(self) -> None:
        try:
            self.profiles_are_as_computed_from_scratch()
        finally:
            transaction.set_rollback(True)
            self.open.__exit__(None, None, None)

    def person(self, record: int) -> int:
        while record in self.into:
            record = self.into[record]
        return record

    def family(self, person: int) -> set[int]:
        return {one for one in self.people if self.person(one) == person}

    @rule(one=WHO, other=WHO)
    def merge(self, one: int, other: int) -> None:
        merged, into = self.person(self.people[one]), self.person(self.people[other])
        expected = NotFound if {merged, into} & self.erased else SamePerson if merged == into else None
        if expected:
            with pytest.raises(expected), transaction.atomic():
                merge(self.people[one], self.people[other], now=NOW)
            return
        link = merge(self.people[one], self.people[other], now=NOW)
        assert (link.merged_id, link.into_id) == (merged, into)
        self.into[merged] = into
        self.links.append((merged, into, int(link.batch_id or 0)))

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 50))
    def unmerge(self, which: int) -> None:
        merged, into, batch = self.links[which % len(self.links)]
        living = self.into.get(merged) == into and self._latest(merged) == batch
        expected = NotMerged if not living else MergedFurther if into in self.into else None
        if expected:
            with pytest.raises(expected), transaction.atomic():
                unmerge(batch, now=NOW)
            return
        unmerge(batch, now=NOW)
        del self.into[merged]

    def _latest(self, merged: int) -> int:
        return [batch for one, _, batch in self.links if one == merged][-1]

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
