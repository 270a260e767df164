"""Who brought whom: said, corrected, refused, taken back, forgotten."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection

from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.persons import referrals
from changke.facts.referrals.queries import brought_by, referrer_of
from changke.facts.referrals.rules import ReferralCircle, ReferrerIsHerself, check
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.facts.referrals.services.forget import forget_referrals
from changke.facts.referrals.services.intake import Told, take_in_referrals, withdraw_referrals
from changke.facts.referrals.services.name import NoReferrer
from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch
from changke.foundation.errors import DomainError, Invalid, NotFound
from tests.cast import NOW, TODAY, Cast, ago

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("person", "referrer", "above", "refusal"),
    [
        (1, 2, {}, None),
        (1, 1, {}, ReferrerIsHerself),
        (1, 2, {2: 1}, ReferralCircle),
        (1, 2, {2: 3, 3: 1}, ReferralCircle),
        (1, 2, {2: 3, 3: None}, None),
        (1, 2, {2: 3, 3: 4, 4: 2}, None),  # a circle above, closed by a merge: not hers, and no end is waited for
    ],
)
def test_whom_a_statement_may_name(
    person: int, referrer: int, above: dict[int, int | None], refusal: type[DomainError] | None
) -> None:
    if refusal is None:
        check(person, referrer, above)
    else:
        with pytest.raises(refusal):
            check(person, referrer, above)


def test_qiu_was_brought_by_vera_when_she_came(cast: Cast) -> None:
    row = name_referrer(cast.qiu.pk, cast.vera.pk, by=By("staff", cast.clerk.pk, cast.clerk.name), now=NOW)
    assert row is not None
    assert (row.business_date, row.recorded_at) == (cast.qiu.known_on, NOW)
    said = referrer_of(cast.qiu.pk)
    assert said is not None
    assert (said.referrer_id, said.how, said.staff_id) == (cast.vera.pk, How.BY_HAND, cast.clerk.pk)
    assert [one.customer_id for one in brought_by(cast.vera.pk, today=TODAY)] == [cast.qiu.pk]
    assert referrer_of(cast.vera.pk) is None


def test_the_same_once_more_is_no_news(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.vera.pk, now=NOW)
    assert name_referrer(cast.qiu.pk, cast.vera.pk, now=LATER) is None
    assert Referral.objects.count() == 1


def test_a_wrong_one_is_taken_off_and_another_named(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.vera.pk, now=NOW)
    take_off_referrer(cast.qiu.pk, now=LATER)
    said = referrer_of(cast.qiu.pk)
    assert said is not None
    assert said.referrer_id is None
    assert brought_by(cast.vera.pk, today=TODAY) == []
    with pytest.raises(NoReferrer):
        take_off_referrer(cast.qiu.pk, now=LATER)
    name_referrer(cast.qiu.pk, cast.mo.pk, now=LATER + dt.timedelta(minutes=1))
    assert [one.customer_id for one in brought_by(cast.mo.pk, today=TODAY)] == [cast.qiu.pk]
    assert Referral.objects.filter(customer=cast.qiu).count() == 3, "nothing is written over"


def test_nobody_brought_herself_or_who_brought_her(cast: Cast) -> None:
    with pytest.raises(ReferrerIsHerself):
        name_referrer(cast.qiu.pk, cast.qiu.pk, now=NOW)
    name_referrer(cast.qiu.pk, cast.vera.pk, now=NOW)
    name_referrer(cast.mo.pk, cast.qiu.pk, now=NOW)
    for above in (cast.qiu, cast.mo):
        with pytest.raises(ReferralCircle):
            name_referrer(cast.vera.pk, above.pk, now=LATER)


def test_her_other_record_is_herself(cast: Cast) -> None:
    merge(cast.bai.pk, cast.qiu.pk, now=NOW)
    with pytest.raises(ReferrerIsHerself):
        name_referrer(cast.qiu.pk, cast.bai.pk, now=LATER)
    name_referrer(cast.bai.pk, cast.vera.pk, now=LATER)
    assert referrer_of(cast.qiu.pk) == referrer_of(cast.bai.pk) is not None
    with pytest.raises(ReferralCircle):
        name_referrer(cast.vera.pk, cast.bai.pk, now=LATER)


def test_a_merged_referrer_counts_as_who_she_is(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.bai.pk, now=NOW)
    link = merge(cast.bai.pk, cast.vera.pk, now=LATER)
    said = referrer_of(cast.qiu.pk)
    assert said is not None
    assert said.referrer_id == cast.vera.pk
    assert [one.customer_id for one in brought_by(cast.vera.pk, today=TODAY)] == [cast.qiu.pk]
    unmerge(int(link.batch_id or 0), now=LATER)
    assert brought_by(cast.vera.pk, today=TODAY) == []


def test_merged_with_whom_she_brought_the_statement_says_nothing(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.vera.pk, now=NOW)
    merge(cast.qiu.pk, cast.vera.pk, now=LATER)
    assert referrer_of(cast.vera.pk) is None
    assert brought_by(cast.vera.pk, today=TODAY) == []


@pytest.mark.parametrize(
    ("day", "reason"), [(TODAY + dt.timedelta(days=1), "future"), (dt.date(1900, 1, 1), "far away")]
)
def test_a_day_that_cannot_be_is_refused(cast: Cast, day: dt.date, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        name_referrer(cast.qiu.pk, cast.vera.pk, brought_on=day, now=NOW)


def test_whom_nobody_knows_is_not_found(cast: Cast) -> None:
    for pair in ((cast.qiu.pk, 9_999_999), (9_999_999, cast.qiu.pk)):
        with pytest.raises(NotFound):
            name_referrer(*pair, now=NOW)
    with pytest.raises(NotFound):
        take_off_referrer(9_999_999, now=NOW)


def load() -> Batch:
    return Batch.objects.create(kind="customers", created_at=NOW)


def test_a_file_names_and_its_undo_brings_back_what_was_said_before(cast: Cast) -> None:
    first, second = load(), load()
    told = [Told(cast.qiu.pk, cast.vera.pk), Told(cast.mo.pk, cast.qiu.pk)]
    assert set(take_in_referrals(told, batch_id=first.pk, now=NOW).values()) == {"named"}
    assert set(take_in_referrals(told, batch_id=first.pk, now=LATER).values()) == {"named"}, "after a kill, once more"
    assert Referral.objects.count() == 2
    again = [Told(cast.qiu.pk, cast.lan.pk), Told(cast.mo.pk, cast.qiu.pk)]
    assert take_in_referrals(again, batch_id=second.pk, now=LATER) == {cast.qiu.pk: "named", cast.mo.pk: "same"}
    said = referrer_of(cast.qiu.pk)
    assert said is not None
    assert said.referrer_id == cast.lan.pk
    assert withdraw_referrals(batch_id=second.pk) == 1
    said = referrer_of(cast.qiu.pk)
    assert said is not None
    assert said.referrer_id == cast.vera.pk
    assert withdraw_referrals(batch_id=first.pk) == 2
    assert referrer_of(cast.qiu.pk) is None


def test_a_file_does_not_overrule_somebody_of_the_shop(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.vera.pk, now=NOW)
    take_off_referrer(cast.qiu.pk, now=LATER)
    told = [Told(cast.qiu.pk, cast.vera.pk)]
    assert take_in_referrals(told, batch_id=load().pk, now=LATER) == {cast.qiu.pk: "stays"}


def test_a_file_that_contradicts_itself_is_told_which_row_does(cast: Cast) -> None:
    told = [
        Told(cast.qiu.pk, cast.vera.pk),
        Told(cast.vera.pk, cast.qiu.pk),
        Told(cast.mo.pk, cast.mo.pk),
        Told(cast.lan.pk, 9_999_999),
    ]
    assert take_in_referrals(told, batch_id=load().pk, now=NOW) == {
        cast.qiu.pk: "named",
        cast.vera.pk: "referral_circle",
        cast.mo.pk: "referrer_is_herself",
        cast.lan.pk: "referrer_unknown",
    }


def test_only_where_nothing_was_said(cast: Cast) -> None:
    take_in_referrals([Told(cast.qiu.pk, cast.vera.pk)], batch_id=load().pk, now=NOW)
    again = [Told(cast.qiu.pk, cast.mo.pk, only_unsaid=True), Told(cast.lan.pk, cast.mo.pk, only_unsaid=True)]
    came = take_in_referrals(again, batch_id=load().pk, now=LATER)
    assert came == {cast.qiu.pk: "stays", cast.lan.pk: "named"}


def test_erasing_either_of_them_empties_the_name(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.vera.pk, now=NOW)
    name_referrer(cast.vera.pk, cast.lan.pk, now=NOW)
    assert len(list(referrals([cast.vera.pk]))) == 2
    assert forget_referrals([cast.vera.pk]) == 2
    assert forget_referrals([cast.vera.pk]) == 0
    said = referrer_of(cast.qiu.pk)
    assert said is not None
    assert said.referrer_id is None
    assert brought_by(cast.lan.pk, today=TODAY) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts_referral SET referrer_id = %(other)s, txid = pg_current_xact_id()",
        "UPDATE facts_referral SET referrer_id = NULL, business_date = '2020-01-01', txid = pg_current_xact_id()",
        "UPDATE facts_referral SET referrer_id = NULL, how = 'file', txid = pg_current_xact_id()",
        "UPDATE facts_referral SET customer_id = %(other)s, txid = pg_current_xact_id()",
        "DELETE FROM facts_referral",
    ],
)
def test_a_statement_is_neither_edited_nor_deleted(cast: Cast, statement: str) -> None:
    name_referrer(cast.qiu.pk, cast.vera.pk, brought_on=ago(3), now=NOW)
    with pytest.raises(IntegrityError, match="never edited"), connection.cursor() as sql:
        sql.execute(statement, {"other": cast.lan.pk})
