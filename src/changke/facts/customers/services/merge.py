"""Two records of one person are joined by one link, and parted again. docs/algorithms/identity.md says the rules.

Facts stay where they were recorded and are read through the link. Profile fields, tags and what other rooms keep as
state are carried over under a batch, which gives them back.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from changke.facts.customers import rules
from changke.facts.customers.models import Customer, FormerTag, MergeLink, Replaced, Tag, TagWord
from changke.facts.customers.services.put_back import put_back
from changke.facts.customers.services.tags import former
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import Part, Undo
from changke.foundation.batches.services import begin_withdrawal, finish_withdrawal
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.rows_seen import seeing
from changke.foundation.database.withdrawal import withdraw
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date
from changke.foundation.persons.registry import joinings

KIND = "merge"
"""Kind of the batch of one merge; no page of loads shows it."""

BY_HAND = "by_hand"
MERGING = 4_637_289
"""The lock in which merges and un-merges happen one after the other: they are rare, and each may move a family."""

MOST_RECORDS = 50
"""Records of one person. A larger family is a mistake in the data, and every page about her would read all of them."""


class SamePerson(DomainError):
    code, status = "same_person", 409
    message = "These two records are one person already."


class TooManyRecords(DomainError):
    code, status = "too_many_records", 409
    message = "One person has at most %(most)s records. Look whether these are really one."


class MergedFurther(DomainError):
    code, status = "merged_further", 409
    message = "%(name)s was merged into another record after this. Separate that first."


class NotMerged(DomainError):
    code, status = "not_merged", 409
    message = "These two records are separate already."


@seeing(CHAIN_WIDE)
@transaction.atomic
def merge(merged_id: int, into_id: int, *, why: str = BY_HAND, by: By = HOUSE, now: dt.datetime) -> MergeLink:
    """From now on `merged_id` is read as `into_id`. Either may be a record that is read as another: then its person is
    meant. Whose customers these are the caller has asked."""
    _one_after_the_other()
    merged, into = _person(merged_id), _person(into_id)
    if merged.pk == into.pk:
        raise SamePerson
    people = {one.pk: one for one in _locked([merged.pk, into.pk])}
    merged, into = people[merged.pk], people[into.pk]
    if len(_records(merged.pk)) + len(_records(into.pk)) > MOST_RECORDS:
        raise TooManyRecords(most=MOST_RECORDS)
    staff = by.id if by.kind == "staff" else None
    batch = Batch.objects.create(
        kind=KIND,
        title=f"#{merged.pk} → #{into.pk}",
        status=BatchStatus.DONE,
        created_by_id=staff,
        created_at=now,
        finished_at=now,
        total=1,
        done=1,
    )
    link = MergeLink.objects.create(
        merged=merged,
        into=into,
        why=why,
        staff_id=staff,
        batch=batch,
        happened_at=now,
        business_date=business_date(now, the_chain().time_zone),
        recorded_at=now,
        source_key=f"merge:{batch.pk}",
    )
    _carry_profile(merged, into, batch)
    # Ids only: what a batch remembers in its options outlives an erasure.
    kept: dict[str, Any] = {"tags": _carry_tags(merged, into)}
    kept |= {one.key: one.carry(merged.pk, into.pk) for one in joinings()}
    batch.options = {"merged": merged.pk, "into": into.pk, "kept": kept}
    batch.save(update_fields=["options"])
    _read_as(dict.fromkeys(_records(merged.pk), into.pk), and_again=[into.pk])
    _trail("customer.merged", link, by, now, why=why)
    return link


@seeing(CHAIN_WIDE)
@transaction.atomic
def unmerge(batch_id: int, *, by: By = HOUSE, now: dt.datetime) -> MergeLink:
    """Part what this batch joined: the link is withdrawn, what was carried over goes back."""
    _one_after_the_other()
    link = MergeLink.objects.select_related("merged", "into").filter(batch_id=batch_id).first()
    if link is None:
        raise NotFound
    if link.withdrawn_by_id is not None:
        raise NotMerged
    if MergeLink.objects.filter(merged=link.into, withdrawn_by__isnull=True).exists():
        raise MergedFurther(name=link.into.name or f"#{link.into_id}")
    _locked([link.merged_id, link.into_id], erased=True)
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    begin_withdrawal(batch_id)
    withdraw("facts_mergelink", batch_id=batch_id)
    hers = _under(link.merged_id)
    _read_as({one: None if one == link.merged_id else link.merged_id for one in hers}, and_again=[link.into_id])
    kept = batch.options.get("kept", {})
    put_back(batch_id)
    _give_tags_back(kept.get("tags", []), link)
    for one in joinings():
        one.give_back(link.merged_id, link.into_id, kept.get(one.key))
    finish_withdrawal(batch_id, now=now)
    _trail("customer.unmerged", link, by, now)
    link.refresh_from_db()
    return link


def undo(batch_id: int, now: dt.datetime) -> int:
    """The batch's own undo. Safe to repeat: parted already, nothing is left to do."""
    batch = Batch.objects.get(pk=batch_id)
    asked = batch.options.get("undone_by")
    try:
        unmerge(batch_id, by=By(**asked) if asked else HOUSE, now=now)
    except NotMerged:
        return 0
    return 1


def before_undo(batch_id: int) -> Undo:
    """What parting would give back, and what was recorded meanwhile."""
    link = MergeLink.objects.filter(batch_id=batch_id, withdrawn_by__isnull=True).first()
    if link is None:
        return Undo()
    tags = Batch.objects.get(pk=batch_id).options.get("kept", {}).get("tags", [])
    replaced = Replaced.objects.filter(batch_id=batch_id).first()
    standing = Tag.objects.filter(pk__in=tags).count()
    fields = len(replaced.before) if replaced else 0
    return Undo(goes=(Part("merges", 1), Part("fields", fields), Part("tags", standing))).filled


def run(batch_id: int, now: dt.datetime) -> None:
    """A merge is done the moment it is asked for: nothing waits to be run."""


def _one_after_the_other() -> None:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(%s)", [MERGING])


def _person(customer_id: int) -> Customer:
    """The record as which this one is read."""
    one = Customer.objects.filter(pk=customer_id).first()
    if one is not None and one.merged_into_id is not None:
        one = Customer.objects.filter(pk=one.merged_into_id).first()
    if one is None or not one.is_active or one.is_erased:
        raise NotFound
    return one


def _locked(ids: Iterable[int], *, erased: bool = False) -> list[Customer]:
    """In the order of ids, as everybody locks customers."""
    found = list(Customer.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).order_by("pk"))
    if not erased and any(one.is_erased or not one.is_active for one in found):
        raise NotFound
    return found


def _records(person_id: int) -> list[int]:
    """The person's own record and all that are read as hers."""
    merged = Customer.objects.filter(merged_into=person_id).values_list("pk", flat=True)
    return [person_id, *merged.order_by("pk")]


def _under(customer_id: int) -> list[int]:
    """The record and all that were joined to it, directly and through others, by living links."""
    found, layer = [customer_id], [customer_id]
    while layer and len(found) <= MOST_RECORDS:
        links = MergeLink.objects.filter(into__in=layer, withdrawn_by__isnull=True)
        layer = list(links.order_by("pk").values_list("merged_id", flat=True))
        found += layer
    return found


def _read_as(persons: Mapping[int, int | None], *, and_again: Iterable[int]) -> None:
    """Records -> as whom they are read now. All of them, and those that gain or lose by it, are computed anew."""
    for one, person in sorted(persons.items()):
        Customer.objects.filter(pk=one).update(merged_into=person, txid=current_xid())
    Customer.objects.filter(pk__in=list(and_again)).update(txid=current_xid())


def _carry_profile(merged: Customer, into: Customer, batch: Batch) -> None:
    holds = {name: _plain(getattr(into, name)) for name in rules.CARRIED}
    brings = {name: _plain(getattr(merged, name)) for name in rules.CARRIED}
    after = rules.carried(holds=holds, brings=brings)
    if after:
        before = {name: holds[name] for name in after}
        Replaced.objects.create(batch=batch, customer=into, before=before, after=after)
        for name, value in after.items():
            setattr(into, name, value)
        if "name" in after:
            into.pinyin, into.initials = rules.pinyin(into.name), rules.initials(into.name)
            into.name_grams = rules.grams(into.name)
        into.txid = current_xid()  # type: ignore[assignment]  # the database fills it in
        into.save()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


def _carry_tags(merged: Customer, into: Customer) -> list[int]:
    """Tags with their evidence; the ids of the new rows. What she wears stays, and so does her answer in a group."""
    worn = set(Tag.objects.filter(customer=into).values_list("name", flat=True))
    answered = TagWord.objects.filter(name__in=worn, group__only_one=True).values("group")
    answers = set(TagWord.objects.filter(group__in=answered).values_list("name", flat=True))
    brought = [one for one in Tag.objects.filter(customer=merged).order_by("pk") if one.name not in worn | answers]
    for one in brought:
        one.pk, one.customer = None, into
        one._state.adding = True
    return [one.pk for one in Tag.objects.bulk_create(brought)]


def _give_tags_back(carried: Iterable[int], link: MergeLink) -> None:
    """What was carried comes off again. What somebody took off meanwhile comes off on both sides, for the same
    reason."""
    Tag.objects.filter(pk__in=list(carried), customer_id=link.into_id).delete()
    ended = FormerTag.objects.filter(customer_id=link.into_id, ended_at__gte=link.recorded_at).order_by("ended_at")
    last = {one.name: one for one in ended}
    for tag in Tag.objects.filter(customer_id=link.merged_id, name__in=last, recorded_at__lte=link.recorded_at):
        end = last[tag.name]
        former(tag, ended_by=end.ended_by_id, because=end.ended_because, now=end.ended_at).save(force_insert=True)
        tag.delete()


def _trail(action: str, link: MergeLink, by: By, now: dt.datetime, **told: object) -> None:
    """A line in the story of each of the two."""
    for customer_id, other in ((link.into_id, link.merged_id), (link.merged_id, link.into_id)):
        record(
            by=by,
            action=action,
            subject=f"customer:{customer_id}",
            customer_id=customer_id,
            codes=("merged", "into", "with", *told),
            after={"merged": link.merged_id, "into": link.into_id, "with": other, **told},
            now=now,
        )


@dataclass(frozen=True)
class Joined:
    """A living link as pages show it: the other record, since when, by whom, and the batch that parts them."""

    batch_id: int
    merged_id: int
    into_id: int
    name: str
    why: str
    since: dt.datetime
    by: str


def joined_to(family: Iterable[int]) -> list[Joined]:
    """The living links among the records of a person, the latest first."""
    ids = list(family)
    if len(ids) < 2:
        return []
    links = MergeLink.objects.filter(into__in=ids, withdrawn_by__isnull=True).select_related("merged", "staff")
    return [
        Joined(
            int(one.batch_id or 0),
            one.merged_id,
            one.into_id,
            one.merged.name,
            one.why,
            one.happened_at,
            one.staff.name if one.staff else "",
        )
        for one in links.order_by("-pk")
    ]
