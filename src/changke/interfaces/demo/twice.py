"""Some customers of the demo are written down twice, and some daughters use their mother's phone: the page of
duplicates has something to show, and the search something to find."""

import datetime as dt
from collections.abc import Sequence

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import phones_of, values_of
from changke.facts.customers.services.meet import add_identifiers, reference
from changke.facts.customers.services.register import register
from changke.facts.duplicates.services import find_duplicates
from changke.foundation.audit.rules import system

BY = system("changke demo")
OF_EACH = 3
"""Pairs of each kind; a demo of very few customers has fewer."""


def write_down_twice(customers: Sequence[int], *, now: dt.datetime) -> None:
    people = Customer.objects.filter(pk__in=customers[: 40 * OF_EACH], home_store__isnull=False).order_by("pk")
    phones = phones_of([one.pk for one in people])
    whole = [one for one in people if one.pk in phones and len(one.name) > 1]
    born = [one for one in whole if one.birth_year and one.birth_month and one.birth_day]
    by_phone, daughters = whole[:OF_EACH], whole[OF_EACH : 2 * OF_EACH]
    for one in by_phone:
        _again(one, one.name, phones[one.pk], now=now)
    for one in daughters:
        _again(one, f"小{one.name[-1]}", phones[one.pk], now=now)
    for one in [one for one in born if one not in by_phone and one not in daughters][:OF_EACH]:
        birthday = {name: getattr(one, name) for name in ("birth_year", "birth_month", "birth_day")}
        _again(one, one.name, "", now=now, **birthday)
    rows = Identifier.objects.filter(customer__in=whole[2 * OF_EACH :], kind="wecom").select_related("customer")
    accounts = list(rows.order_by("pk")[:1])
    for account, value in zip(accounts, values_of(accounts).values(), strict=True):
        twin = _again(account.customer, f"{account.customer.name}（微信）", "", now=now)
        add_identifiers(twin, [reference("wecom", value)], share=True)
    find_duplicates(now=now)


def _again(one: Customer, name: str, phone: str, *, now: dt.datetime, **profile: int) -> Customer:
    """A second record, as a hurried till makes it."""
    assert one.home_store is not None
    return register(
        name=name,
        phone=phone,
        source="朋友介绍",
        home_store=one.home_store,
        profile=profile,
        share=True,
        by=BY,
        now=now,
    )
