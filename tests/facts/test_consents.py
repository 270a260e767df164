"""May we? docs/algorithms/consent.md as a table, then as sentences about the cast."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from changke.facts.consents import rules
from changke.facts.consents.models import Consent
from changke.facts.consents.queries import history, may, personalised, verdicts
from changke.facts.consents.rules import Channel, Person, Purpose, Statement, strictest
from changke.facts.consents.services.state import CustomerErased, Proof, state, withdraw_everything
from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.services.intake import Candidate, take_in
from changke.facts.customers.services.register import register
from changke.facts.customers.services.suppress import suppress
from changke.foundation.errors import Invalid
from changke.foundation.models import Batch
from changke.foundation.persons.services.keys import destroy_keys
from tests.cast import NOW, TODAY, Cast

YES = Statement(1, given=True, happened_at=NOW)
NO = Statement(1, given=False, happened_at=NOW)
GUARDIAN = Statement(1, given=True, happened_at=NOW, guardian=True)
ALONE = Statement(1, given=True, happened_at=NOW, separate=True)
CHILD, GROWN = Person(birth_year=2015), Person(birth_year=1990)
M, P, H = Purpose.MARKETING, Purpose.PROFILING, Purpose.HEALTH


@pytest.mark.parametrize(
    ("purpose", "said", "person", "suppressed", "personal", "reason"),
    [
        (M, None, GROWN, False, None, "not_asked"),  # unknown is no
        (M, YES, GROWN, False, None, "given"),
        (M, NO, GROWN, False, None, "withdrawn"),
        (M, YES, GROWN, True, None, "suppressed"),  # the list wins over a consent of another system
        (M, YES, Person(erased=True), True, None, "erased"),
        (M, YES, CHILD, False, None, "guardian_missing"),
        (M, GUARDIAN, CHILD, False, None, "given"),
        (M, NO, CHILD, False, None, "withdrawn"),
        (M, YES, Person(), False, None, "given"),  # no birthday known: nobody is asked for a paper
        (P, YES, GROWN, False, None, "given"),
        (P, YES, GROWN, False, NO, "not_personalised"),  # the switch wins over the consent
        (M, YES, GROWN, False, NO, "given"),  # and leaves what everybody gets
        (H, YES, GROWN, False, None, "not_separate"),
        (H, ALONE, GROWN, False, None, "given"),
        (H, None, GROWN, False, None, "not_asked"),
    ],
)
def test_the_first_reason_that_applies(
    purpose: Purpose, said: Statement | None, person: Person, suppressed: bool, personal: Statement | None, reason: str
) -> None:
    verdict = rules.may(purpose=purpose, said=said, person=person, on=TODAY, suppressed=suppressed, personal=personal)
    assert (verdict.reason, verdict.allowed) == (reason, reason == "given")


@pytest.mark.parametrize(
    ("born", "child"),
    [
        ((2012, 3, 5), True),  # fourteen tomorrow
        ((2012, 3, 4), False),  # fourteen today
        ((2012, None, None), True),  # perhaps in December
        ((2011, None, None), False),
        ((None, 3, 4), False),
    ],
)
def test_fourteen_on_the_day_itself(born: tuple[int | None, ...], child: bool) -> None:
    assert rules.may_be_a_child(Person(False, *born), TODAY) is child


def test_of_merged_records_one_withdrawal_is_enough() -> None:
    early = Statement(2, given=False, happened_at=NOW - dt.timedelta(days=900))
    assert strictest([YES, early]) == early
    assert strictest([YES]) == YES
    assert strictest([]) is None


# In the shop


def says(who: list[Customer], given: bool, *topics: Any, **more: Any) -> int:
    staff, store = more.pop("staff", None), more.pop("store", None)
    when, key = more.pop("at", NOW), more.pop("key", "said")
    proof = Proof(how=more.pop("how", "form"), staff=staff, store=store, **more)
    return state(
        [one.pk for one in who],
        topics or [(M, Channel.SMS)],
        given=given,
        proof=proof,
        source_key=key,
        happened_at=when,
        time_zone="Asia/Shanghai",
        now=max(NOW, when),
    )


def asked(who: Customer, purpose: Purpose = M, channel: Channel = Channel.SMS, at: dt.datetime = NOW) -> str:
    return may([who.pk], purpose, channel, at=at, on=TODAY).reason


pytestmark = pytest.mark.django_db


def test_vera_gets_no_sms_after_she_withdraws(cast: Cast) -> None:
    says([cast.vera], True, at=NOW - dt.timedelta(days=2))
    assert asked(cast.vera) == "given"
    assert asked(cast.vera, channel=Channel.CALL) == "not_asked", "to be texted is not to be called"
    says([cast.vera], False, key="withdrawal")
    assert asked(cast.vera) == "withdrawn"
    assert asked(cast.vera, at=NOW - dt.timedelta(days=1)) == "given", "as it was yesterday"
    assert asked(cast.mo) == "not_asked"


def test_of_two_statements_at_one_moment_the_withdrawal_holds(cast: Cast) -> None:
    says([cast.vera], False, key="no")
    says([cast.vera], True, key="yes")
    assert asked(cast.vera) == "withdrawn"


def test_the_same_statement_twice_is_one(cast: Cast) -> None:
    assert [says([cast.vera], True, key="form-7") for _ in range(3)] == [1, 0, 0]
    assert Consent.objects.count() == 1


def test_a_consent_is_neither_edited_nor_deleted(cast: Cast) -> None:
    says([cast.vera], False)
    for statement in ("UPDATE facts_consent SET given = true", "DELETE FROM facts_consent"):
        with pytest.raises(IntegrityError, match="never edited"), transaction.atomic(), connection.cursor() as sql:
            sql.execute(statement)


def test_the_proof_is_read_with_her_key_and_by_nobody_without(cast: Cast) -> None:
    says([cast.vera], True, evidence="小票 R-77 背面签字")
    assert [one.evidence for one in history([cast.vera.pk])] == ["小票 R-77 背面签字"]
    with connection.cursor() as sql:
        sql.execute("SELECT consents::text FROM facts_consent AS consents")
        (row,) = sql.fetchone()
    assert "R-77" not in row
    assert b"R-77".hex() not in row
    destroy_keys([cast.vera.pk])
    assert [(one.evidence, one.consent.given) for one in history([cast.vera.pk])] == [("", True)]


def test_the_switch_of_article_24(cast: Cast) -> None:
    assert personalised([cast.vera.pk], at=NOW)
    says([cast.vera], True, (P, Channel.NONE), (M, Channel.SMS))
    says([cast.vera], False, (Purpose.PERSONAL, Channel.NONE), key="switch", how="member_page")
    assert not personalised([cast.vera.pk], at=NOW)
    assert asked(cast.vera, P, Channel.NONE) == "not_personalised"
    assert asked(cast.vera) == "given", "what everybody gets may still go to her"


def test_no_to_everything(cast: Cast) -> None:
    said: Any = {
        "proof": Proof(how="member_page"), "source_key": "all", "happened_at": NOW, "time_zone": "UTC", "now": NOW,
    }  # fmt: skip
    withdraw_everything([cast.vera.pk], **said)
    assert {one.reason for one in verdicts([cast.vera.pk], at=NOW, on=TODAY).values()} == {"withdrawn"}


@pytest.mark.parametrize(
    ("topics", "more", "field"),
    [
        ([], {}, "purpose"),
        ([(M, Channel.NONE)], {}, "channel"),  # marketing without a channel reaches nobody
        ([(P, Channel.SMS)], {}, "channel"),
        ([(M, Channel.SMS)], {"how": "rumour"}, "how"),
        ([(M, Channel.SMS)], {"how": "counter"}, "staff"),  # somebody heard it
        ([(M, Channel.SMS)], {"evidence": "x" * 1_001}, "evidence"),
        ([(M, Channel.SMS)], {"at": NOW + dt.timedelta(days=1)}, "happened_at"),
    ],
)
def test_what_cannot_be_a_statement_is_refused(cast: Cast, topics: list[Any], more: dict[str, Any], field: str) -> None:
    proof = {name: value for name, value in more.items() if name != "at"}
    with pytest.raises(Invalid) as refusal:
        state(
            [cast.vera.pk],
            topics,
            given=True,
            proof=Proof(**{"how": "form", **proof}),
            source_key="k",
            happened_at=more.get("at", NOW),
            time_zone="UTC",
            now=NOW,
        )
    assert refusal.value.field == field


def test_an_erased_customer_says_nothing_any_more(cast: Cast) -> None:
    Customer.objects.filter(pk=cast.vera.pk).update(is_erased=True)
    with pytest.raises(CustomerErased):
        says([cast.vera], True)
    assert asked(cast.vera) == "erased"


# The list that outlives her


def test_a_suppressed_phone_comes_back_marked(cast: Cast) -> None:
    suppress([cast.vera.pk], why="asked", now=NOW)
    says([cast.vera], True, how="file")
    assert asked(cast.vera) == "suppressed"
    Identifier.objects.filter(customer=cast.vera).delete()
    again = register(name="薇拉", phone="13800000003", home_store=cast.jing_an, now=NOW)
    says([again], True, how="file", key="file")
    assert asked(again) == "suppressed"
    assert asked(again, channel=Channel.EMAIL) == "not_asked"


def test_a_file_brings_a_suppressed_phone_back_marked(cast: Cast) -> None:
    suppress([cast.vera.pk], why="asked", now=NOW)
    Identifier.objects.all().delete()
    batch = Batch.objects.create(kind="import", title="file", created_at=NOW).pk
    people = [Candidate(1, phone="+8613800000003"), Candidate(2, phone="+8613800000004")]
    taken = take_in(people, source="file", batch_id=batch, now=NOW, decide=lambda _: "update")
    marked = set(Identifier.objects.filter(suppressed=True).values_list("customer_id", flat=True))
    assert marked == {taken[1][0]}


def test_she_comes_herself_and_is_off_the_list(cast: Cast) -> None:
    suppress([cast.vera.pk], why="asked", now=NOW)
    says([cast.vera], True, how="counter", staff=cast.clerk, store=cast.jing_an)
    assert asked(cast.vera) == "given"
    Identifier.objects.filter(customer=cast.vera).delete()
    assert not register(name="薇拉", phone="13800000003", home_store=cast.jing_an, now=NOW).identifiers.filter(
        suppressed=True
    )
