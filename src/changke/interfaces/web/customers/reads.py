"""A page of the customer list. First its rows are found in their order (`walk`), then their details are read."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from changke.facts.customers.models import Customer, Tag
from changke.facts.customers.queries import phones_of
from changke.foundation.organisation.scope import Scope
from changke.interfaces.web.customers.filters import ORDERS, Filters, Position
from changke.interfaces.web.customers.narrowed import LookedUp
from changke.interfaces.web.customers.walk import in_order, read_position
from changke.profiles.attributes.models import Profile
from changke.profiles.value.models import Prediction

PAGE = 30


@dataclass(frozen=True)
class Row:
    """One customer of the list. Money in minor units, days as dates."""

    customer: Customer
    stage: str
    value_group: str | None
    value_at_risk: int
    net_spend: int
    visits_365d: int
    last_active_on: dt.date | None
    phone: str
    tags: tuple[str, ...]
    expected: Prediction | None
    """What is expected of her; None of somebody who never bought, and before the first night."""


@dataclass(frozen=True)
class Page:
    rows: tuple[Row, ...]
    previous: Filters | None
    next: Filters | None


def page_of(filters: Filters, scope: Scope, *, size: int = PAGE, looked_up: LookedUp | None = None) -> Page:
    """The page at the filters' position."""
    order = ORDERS[filters.order]
    position = read_position(filters.position, order)
    back = position is not None and position.back
    looked_up = looked_up or LookedUp()
    found = list(in_order(filters.at(position), scope, order, position, size + 1, looked_up))
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    if not found and position is not None:
        return page_of(
            filters.at(None), scope, size=size, looked_up=looked_up
        )  # an old link behind the end: begin again
    has_next, has_previous = (True, more) if back else (more, position is not None)
    ends = [Position(_written(key), pk) for pk, key in (found[0], found[-1])] if found else []
    return Page(
        rows=tuple(_rows([pk for pk, _ in found])),
        previous=filters.at(replace(ends[0], back=True)) if ends and has_previous else None,
        next=filters.at(ends[1]) if ends and has_next else None,
    )


def along(filters: Filters, scope: Scope, *, size: int) -> list[tuple[int, Any]]:
    """Customer and key of the filters' order, from their position on."""
    order = ORDERS[filters.order]
    position = read_position(filters.position, order)
    return list(in_order(filters.at(position), scope, order, position, size, LookedUp()))


def _written(key: object) -> str:
    return "" if key is None else str(key)


def _rows(ids: list[int]) -> Iterator[Row]:
    people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    wanted = ("stage", "value_group", "value_at_risk", "net_spend", "visits_365d", "last_active_on")
    about = {row.pop("customer_id"): row for row in Profile.objects.filter(pk__in=ids).values("customer_id", *wanted)}
    phones, expected = phones_of(ids), Prediction.objects.in_bulk(ids)
    tags: dict[int, list[str]] = {}
    for customer_id, name in Tag.objects.filter(customer__in=ids).order_by("name").values_list("customer_id", "name"):
        tags.setdefault(customer_id, []).append(name)
    for pk in ids:
        if pk in people and pk in about:
            yield Row(
                customer=people[pk],
                phone=phones.get(pk, ""),
                tags=tuple(tags.get(pk, ())),
                expected=expected.get(pk),
                **about[pk],
            )
