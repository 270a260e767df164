"""Hand the customers of somebody who leaves over to others: preview, one deed, undo."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from changke.actions.tasks.queries import customers_of, receivers_of
from changke.actions.tasks.rules import Hers, How, Share, shares
from changke.facts.customers.queries import changed_since
from changke.facts.customers.services.bulk import give_adviser
from changke.facts.customers.services.put_back import put_back
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.batches.models import Batch
from changke.foundation.batches.registry import Example, Part, Undo
from changke.foundation.batches.services import (
    begin,
    begin_withdrawal,
    finish,
    finish_withdrawal,
    open_batch,
    report_progress,
)
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import Scope

KIND = "hand_over"
CHUNK = 500
"""Customers in one transaction: about a quarter of a second."""
EXAMPLES = 5
MOST_RECEIVERS = 50


@dataclass(frozen=True)
class Plan:
    """Who would get how many, with the money at risk (minor units); `left` stay because none of them works there."""

    shares: tuple[Share, ...]
    left: tuple[Hers, ...]

    @property
    def customers(self) -> int:
        return sum(len(one.customer_ids) for one in self.shares)

    @property
    def at_risk_minor(self) -> int:
        return sum(one.at_risk_minor for one in self.shares)


def plan(leaver: Staff, receivers: Sequence[Staff], how: str, *, scope: Scope) -> Plan:
    """What a hand-over would do; nothing is written. Refused without somebody else who is at work."""
    if how not in list(How):
        raise Invalid(field="how", reason="choose one of %(choices)s", choices=", ".join(How))
    if not receivers or len(receivers) > MOST_RECEIVERS:
        raise Invalid(field="receivers", reason="choose 1 to %(most)s people", most=MOST_RECEIVERS)
    if any(one.pk == leaver.pk or not one.is_active for one in receivers):
        raise Invalid(field="receivers", reason="choose others who are at work")
    found, left = shares(customers_of(leaver, scope), receivers_of(list(receivers)), How(how))
    return Plan(tuple(found), tuple(left))


@transaction.atomic
def hand_over(
    leaver: Staff,
    receivers: Sequence[Staff],
    how: str,
    *,
    title: str,
    scope: Scope,
    by: By,
    created_by: Staff | None,
    now: dt.datetime,
) -> Batch:
    """A batch that waits to be run, with the plan as it was shown. Refused where it means nobody."""
    planned = plan(leaver, receivers, how, scope=scope)
    if not planned.customers:
        raise Invalid(field="receivers", reason="there is no customer whom one of them could take over")
    wanted = [{"to": one.staff_id, "customers": one.customer_ids} for one in planned.shares if one.customer_ids]
    batch = open_batch(
        kind=KIND, title=title, files=[], options={"from": leaver.pk, "shares": wanted}, created_by=created_by, now=now
    )
    told = {one.staff_id: len(one.customer_ids) for one in planned.shares}
    record(
        by=by, action="customers.handed_over", subject=f"staff:{leaver.pk}",
        after={"batch": batch.pk, "receivers": told, "customers": planned.customers}, now=now,
    )  # fmt: skip
    return batch


def run(batch_id: int, now: dt.datetime) -> None:
    """Give each her new adviser, unless somebody gave her another one meanwhile. May be called again after a kill."""
    batch = Batch.objects.get(pk=batch_id)
    wanted, leaver = batch.options["shares"], batch.options["from"]
    total, done = sum(len(one["customers"]) for one in wanted), 0
    begin(batch_id, now=now)
    for one in wanted:
        for place in range(0, len(one["customers"]), CHUNK):
            some = one["customers"][place : place + CHUNK]
            give_adviser(batch_id, some, leaver=leaver, to=one["to"], by_id=batch.created_by_id, now=now)
            done += len(some)
            report_progress(batch_id, done=done, total=total)
    changed, _kept, _some = changed_since(batch_id, most=0)
    finish(
        batch_id, total=total, created=0, updated=changed, skipped=total - changed, refused=0, error_file="", now=now
    )


def before_undo(batch_id: int) -> Undo:
    back, changed, some = changed_since(batch_id, most=EXAMPLES)
    examples = tuple(Example(one.customer_id, one.name, one.field, one.holds, one.held) for one in some)
    return Undo(goes=(Part("fields", back),), stays=(Part("fields_changed", changed, examples),)).filled


def undo(batch_id: int, now: dt.datetime) -> int:
    """Give everybody back whom nobody else took over since; how many. Safe to repeat."""
    begin_withdrawal(batch_id)
    back = put_back(batch_id)
    finish_withdrawal(batch_id, now=now)
    return back
