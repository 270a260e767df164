"""Statements of a machine's batch: each checked on its own, in one transaction with the facts beside them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from changke.facts.customers.services.meet import Reference, UnknownCustomer
from changke.facts.customers.services.together import Whom, Written
from changke.facts.referrals import rules
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.queries import living, standing_above
from changke.facts.referrals.services.write import one_at_a_time, statement
from changke.foundation.errors import DomainError
from changke.foundation.intake import ContentDiffers, Outcome, Taken, check_moment
from changke.foundation.periods import business_date


@dataclass(frozen=True)
class NewReferral:
    """A statement as a machine tells it; `referrer` None: nobody is known to have brought her. Both must be known, by a
    fact of the same batch at the latest."""

    who: Reference
    referrer: Reference | None
    source_key: str
    happened_at: dt.datetime


class Referrals:
    """The statements of a batch, each checked on its own."""

    def __init__(self, told: Sequence[NewReferral], *, time_zone: str, now: dt.datetime) -> None:
        self.told, self.time_zone, self.now = told, time_zone, now
        self.refused: dict[int, Outcome] = {}
        self.days: dict[int, dt.date] = {}
        for index, one in enumerate(told):
            try:
                check_moment(one.happened_at, now=now)
                self.days[index] = business_date(one.happened_at, time_zone)
            except DomainError as refusal:
                self.refused[index] = refusal

    def whom(self) -> Whom:
        known = [self.told[index] for index in self.days]
        return Whom([], [who for one in known for who in (one.who, one.referrer) if who is not None])

    def write(self, people: Mapping[Reference, int]) -> Written:
        """Insert those that are new, in the order given: each may depend on the one before."""
        written = Written(dict(self.refused))
        if not self.days:
            return written
        one_at_a_time()
        keys = [self.told[index].source_key for index in self.days]
        before = {
            one.source_key: one for one in Referral.objects.filter(source_key__in=keys, withdrawn_by__isnull=True)
        }
        for index, day in self.days.items():
            one = self.told[index]
            try:
                row = self._row(one, day, people)
                if (known := before.get(one.source_key)) is not None:
                    if (known.customer_id, known.referrer_id, known.business_date) != (
                        row.customer_id, row.referrer_id, row.business_date
                    ):  # fmt: skip
                        raise ContentDiffers(key=one.source_key)
                    written.outcomes[index] = Taken(known.pk, is_new=False)
                    continue
                self._check(row)
            except DomainError as refusal:
                written.outcomes[index] = refusal
                continue
            row.save(force_insert=True)
            before[one.source_key] = row
            written.outcomes[index] = Taken(row.pk, is_new=True)
        return written

    def _row(self, one: NewReferral, day: dt.date, people: Mapping[Reference, int]) -> Referral:
        for who in (one.who, one.referrer):
            if who is not None and who not in people:
                raise UnknownCustomer(value=who.value)
        customer, referrer = people[one.who], people[one.referrer] if one.referrer else None
        known = living([customer, *([referrer] if referrer else [])])
        for pk, who in ((customer, one.who), (referrer, one.referrer)):
            if pk is not None and who is not None and pk not in known:
                raise UnknownCustomer(value=who.value)
        row = statement(
            customer, referrer, person=known[customer], brought_on=day, how=How.MACHINE, source_key=one.source_key,
            time_zone=self.time_zone, now=self.now,
        )  # fmt: skip
        row.happened_at = one.happened_at
        return row

    def _check(self, row: Referral) -> None:
        if row.referrer_id is None:
            return
        known = living([row.customer_id, row.referrer_id])
        person, referrer = known[row.customer_id].pk, known[row.referrer_id].pk
        said = standing_above([referrer])
        rules.check(person, referrer, {pk: told.referrer_id for pk, told in said.items()})
