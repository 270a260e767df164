"""The columns of an invented world, in the shape in which facts are stored.

A reference (`receipts.customer`) is the position of a row in the other table, so a loader adds its own first id and is
done. Money is in fen. Business dates are days in the store's zone, moments are UTC to the second. Whatever is not there
is `MISSING` in a column of integers, NaT in one of days and "" in one of texts. `MISSING` is far below any position, so
that using one as a position fails at once instead of quietly reading the last row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Days = NDArray[np.datetime64]
Moments = NDArray[np.datetime64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Texts = list[str]

MISSING: Final = int(np.iinfo(np.int64).min)


class Table:
    """Columns of equal length; each dataclass below is one."""

    def __len__(self) -> int:
        return len(next(iter(self.columns().values())))

    def columns(self) -> dict[str, Any]:
        """The columns by name, as they are."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def values(self) -> dict[str, list[Any]]:
        """The columns as plain Python values; what is missing is None (a missing text stays "")."""
        return {name: _plain(column) for name, column in self.columns().items()}

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows in the order of the fields, ready for COPY."""
        return zip(*self.values().values(), strict=True)


def _plain(column: Any) -> list[Any]:
    if not isinstance(column, np.ndarray):
        return list(column)
    if column.dtype == np.int64 and (column == MISSING).any():
        return [None if value == MISSING else value for value in column.tolist()]
    return list(column.tolist())  # days become date, moments datetime, NaT None


@dataclass(frozen=True)
class Regions(Table):
    name: Texts


@dataclass(frozen=True)
class Stores(Table):
    region: Integers
    code: Texts
    name: Texts
    city: Texts
    time_zone: Texts
    opening_days: list[tuple[int, ...]]  # ISO weekdays, Monday is 1
    opens_at_minute: Integers  # of the local day
    closes_at_minute: Integers
    opened_on: Days


@dataclass(frozen=True)
class Staff(Table):
    store: Integers  # MISSING: works for the whole chain
    username: Texts
    name: Texts
    role: Texts  # owner | hq | manager | staff
    title: Texts
    phone: Texts  # E.164
    joined_on: Days
    left_on: Days  # NaT: still here


@dataclass(frozen=True)
class Categories(Table):
    name: Texts
    margin_basis_points: Integers  # MISSING: only the cost of each item tells


@dataclass(frozen=True)
class Items(Table):
    code: Texts
    name: Texts
    kind: Texts  # service | product | card | topup
    category: Integers
    price_minor: Integers
    unit_cost_minor: Integers
    usual_cycle_days: Integers
    service: Integers  # of a card: the service of its sessions
    sessions: Integers  # of a card
    bonus_minor: Integers  # of a top-up: what the chain gives on top


@dataclass(frozen=True)
class Customers(Table):
    source_key: Texts
    name: Texts
    gender: Texts  # f | m | ""
    birth_year: Integers
    birth_month: Integers
    birth_day: Integers
    occupation: Texts
    income_band: Texts
    city: Texts
    interests: Texts
    living: Texts
    home_store: Integers
    adviser: Integers  # staff; MISSING: nobody's
    source: Texts
    known_on: Days
    phone: Texts  # E.164, unique, "" when she gave none
    email: Texts
    wecom_id: Texts
    allergies: Texts
    tags: list[tuple[str, ...]]


@dataclass(frozen=True)
class Receipts(Table):
    """`cash_minor` is money received now, `consumed_minor` the value of what was rendered now; a return gives both
    back, positive.
    """

    source_key: Texts
    number: Texts
    source: Texts
    kind: Texts  # sale | use | return
    customer: Integers  # MISSING: nobody known
    store: Integers
    staff: Integers
    original: Integers  # of a return: the sale's position, MISSING when it was made in the old system
    original_number: Texts
    cash_minor: Integers
    consumed_minor: Integers
    margin_minor: Integers  # MISSING when the basis is unknown
    margin_basis: Texts  # cost | percent | mixed | unknown
    items: Integers
    happened_at: Moments
    business_date: Days
    recorded_at: Moments


@dataclass(frozen=True)
class Lines(Table):
    receipt: Integers
    position: Integers  # from 1
    item: Integers
    description: Texts
    quantity_milli: Integers
    unit_price_minor: Integers
    amount_minor: Integers
    cost_minor: Integers


@dataclass(frozen=True)
class Tenders(Table):
    receipt: Integers
    kind: Texts  # cash | card | wechat | alipay | stored_value | session
    amount_minor: Integers


@dataclass(frozen=True)
class Visits(Table):
    source_key: Texts
    customer: Integers
    store: Integers
    staff: Integers
    purpose: Texts  # service | trial
    happened_at: Moments
    business_date: Days
    recorded_at: Moments


@dataclass(frozen=True)
class Openings(Table):
    """What the old system told of a customer in one line."""

    source_key: Texts
    customer: Integers
    store: Integers
    first_on: Days
    last_on: Days
    purchases: Integers
    cash_minor: Integers


@dataclass(frozen=True)
class Events(Table):
    source_key: Texts
    kind: Texts  # note | complaint
    customer: Integers
    store: Integers
    staff: Integers
    topic: Texts
    text: Texts
    happened_at: Moments
    business_date: Days
    recorded_at: Moments


@dataclass(frozen=True)
class Truth(Table):
    """What no shop knows, one row per customer, in their order. Never load it: tests measure against it."""

    kind: Texts  # once | trial | prospect | casual | regular | vip
    is_active: Flags  # she will come again
    gap_days: Numbers  # median of her own gaps in ordinary weeks; NaN for one who never meant to return
    spread: Numbers  # sigma of the logarithm of her gaps: 0.2 is clockwork, 0.9 is chance
    need: Integers  # the service she comes for
    churned_on: Days  # nothing of hers happens later; NaT while active and for prospects
    churn_reason: Texts  # moved | price | complaint | oversold | adviser_left | needs_changed | not_won | ""
    fading: Flags  # came ever less often before she left; the others stopped from one day to the next
    first_adviser: Integers
    break_days: Integers  # longest planned break (a baby, a posting abroad) after which she came back; 0: none
    last_seen_on: Days  # her last visit in the world; NaT: none
    second_need: Integers  # the service of another category that she has besides, at some of her visits; MISSING: none
    second_gap_days: Numbers  # median of its own gaps, before they are moved to her visits; NaN without
    let_go_on: Days  # from then on nothing of that category, though she came again; NaT while she keeps it


@dataclass(frozen=True)
class World:
    name: str
    first_day: date
    today: date
    until: datetime  # UTC; nothing happened or was recorded later
    closed_days: Days  # the whole chain is closed, whatever the opening days say
    regions: Regions
    stores: Stores
    staff: Staff
    categories: Categories
    items: Items
    customers: Customers
    receipts: Receipts
    lines: Lines
    tenders: Tenders
    visits: Visits
    openings: Openings
    events: Events
    truth: Truth

    def tables(self) -> dict[str, Table]:
        """Every table by name, the truth included."""
        return {field.name: value for field in fields(self) if isinstance(value := getattr(self, field.name), Table)}
