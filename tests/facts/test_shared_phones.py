"""Several persons use one phone: one is found by it, the others have it."""

import pytest
from django.db import IntegrityError, transaction

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import by_phone, matching, phone_of, with_phone
from changke.facts.customers.services.meet import IdentifierTaken, add_identifiers, find, reference
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.customers.services.names import NewName, write
from changke.facts.customers.services.register import PhoneKnown, register
from changke.facts.customers.services.suppress import lift, suppress
from changke.foundation.audit.rules import By
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.erase import erase
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db

PHONE = "13800000001"
E164 = "+8613800000001"


@pytest.fixture
def daughter(cast: Cast) -> Customer:
    return register(name="小莹", phone=PHONE, home_store=cast.jing_an, share=True, now=NOW)


def test_without_a_word_a_known_phone_is_refused(cast: Cast) -> None:
    with pytest.raises(PhoneKnown):
        register(name="小莹", phone=PHONE, home_store=cast.jing_an, now=NOW)
    with pytest.raises(IdentifierTaken):
        add_identifiers(cast.bai, [reference("phone", PHONE)])


def test_the_daughter_has_it_and_the_mother_is_found(cast: Cast, daughter: Customer) -> None:
    assert phone_of(daughter) == E164
    assert by_phone(PHONE) == cast.ying
    assert list(find([reference("phone", PHONE)], scope=CHAIN_WIDE).values()) == [cast.ying.pk]
    assert with_phone("138 0000 0001") == [cast.ying.pk, daughter.pk]
    for text in (PHONE, "0001"):
        assert {one.pk for one in Customer.objects.filter(matching(text))} == {cast.ying.pk, daughter.pk}


def test_her_own_phone_is_dialled_before_the_shared_one(cast: Cast, daughter: Customer) -> None:
    add_identifiers(daughter, [reference("phone", "13800000099")])
    assert phone_of(daughter) == "+8613800000099"


def test_sharing_twice_is_sharing_once(cast: Cast, daughter: Customer) -> None:
    assert add_identifiers(daughter, [reference("phone", PHONE)], share=True) == 0
    assert Identifier.objects.filter(customer=daughter).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        write([NewName(daughter.pk, "phone", E164, shared=True)])
    with pytest.raises(IntegrityError), transaction.atomic():
        write([NewName(daughter.pk, "phone", E164)])


def test_a_number_in_clear_is_never_shared(cast: Cast) -> None:
    for one in (reference("external", "M-1", "till"), reference("card", "8800123")):
        add_identifiers(cast.ying, [one])
        with pytest.raises(IdentifierTaken):
            add_identifiers(cast.qiu, [one], share=True)


def test_when_the_mother_is_erased_the_daughter_is_found(cast: Cast, daughter: Customer) -> None:
    erase(cast.ying.pk, reason="asked", by=By("staff", cast.owner.pk, "林老板"), now=NOW)
    assert by_phone(PHONE) == daughter
    assert Identifier.objects.get(customer=daughter).suppressed


def test_a_suppressed_number_is_so_for_everybody(cast: Cast, daughter: Customer) -> None:
    suppress([cast.ying.pk], why="asked", now=NOW)
    assert set(
        Identifier.objects.filter(kind="phone", customer__in=[cast.ying, daughter]).values_list("suppressed")
    ) == {(True,)}
    lift([daughter.pk], "phone")
    assert not Identifier.objects.filter(customer__in=[cast.ying, daughter], suppressed=True).exists()


def test_merged_they_are_one_and_parted_two_again(cast: Cast, daughter: Customer) -> None:
    link = merge(daughter.pk, cast.ying.pk, now=NOW)
    assert with_phone(PHONE) == [cast.ying.pk]
    unmerge(int(link.batch_id or 0), now=NOW)
    assert with_phone(PHONE) == [cast.ying.pk, daughter.pk]


def test_the_owner_merged_away_leads_to_her_person(cast: Cast, daughter: Customer) -> None:
    merge(cast.ying.pk, cast.qiu.pk, now=NOW)
    assert by_phone(PHONE) == cast.qiu
    assert with_phone(PHONE) == [cast.qiu.pk, daughter.pk]
