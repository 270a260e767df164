"""What was known of a person at an earlier moment: the tags she wore, who looked after her."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from changke.facts.customers.models import Advising, FormerTag, Tag
from changke.foundation.access.models import Staff


@dataclass(frozen=True)
class Worn:
    """A tag as a customer wore it on a day, with why it was believed. `until` is None for one she still wears."""

    name: str
    source: str
    given_by: str
    rule: str
    fact: str
    since: dt.datetime
    until: dt.datetime | None = None
    stale_on: dt.date | None = None


def tags_at(customer_ids: Sequence[int], moment: dt.datetime) -> list[Worn]:
    """The tags of a person (all her ids) as she wore them at the moment, by name; of the same tag the latest."""
    seen = {"customer__in": customer_ids, "recorded_at__lte": moment}
    former = FormerTag.objects.filter(**seen, ended_at__gt=moment).select_related("given_by").order_by("ended_at")
    standing = Tag.objects.filter(**seen).select_related("given_by")
    worn = {one.name: _worn(one, until=one.ended_at) for one in former}
    worn |= {one.name: _worn(one, stale_on=one.stale_on) for one in standing}
    return [worn[name] for name in sorted(worn)]


def tags_now(customer_ids: Sequence[int]) -> list[Worn]:
    """The tags of a person (all her ids) as she wears them, by name."""
    standing = Tag.objects.filter(customer__in=customer_ids).select_related("given_by").order_by("recorded_at", "pk")
    worn = {one.name: _worn(one, stale_on=one.stale_on) for one in standing}
    return [worn[name] for name in sorted(worn)]


def _worn(tag: Tag | FormerTag, *, until: dt.datetime | None = None, stale_on: dt.date | None = None) -> Worn:
    by = tag.given_by.name if tag.given_by else ""
    return Worn(tag.name, tag.source, by, tag.rule, tag.fact, tag.recorded_at, until, stale_on)


def adviser_at(customer_ids: Sequence[int], moment: dt.datetime) -> Staff | None:
    """Who looked after the person at the moment, as far as was written down."""
    spans = Advising.objects.filter(customer__in=customer_ids, since__lte=moment).select_related("staff")
    last = spans.filter(Q(until__isnull=True) | Q(until__gt=moment)).order_by("-since").first()
    return last.staff if last else None


def adviser_known_since(customer_ids: Sequence[int]) -> dt.datetime | None:
    """The first moment from which we know who her adviser was."""
    first = Advising.objects.filter(customer__in=customer_ids).order_by("since").first()
    return first.since if first else None
