"""What the address of the customer list says: search, filters, order and position. Pure of the database."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

VALUE_GROUPS = ("high", "middle", "low")
LONGEST_SEARCH = 60
SEGMENT = re.compile(r"[a-z][a-z0-9_]{0,39}")
CARE = ("no_adviser", "never_contacted", "broken_promise")
"""Ways in which a customer slips through."""
REFERRAL = ("brought", "brings")
"""Brought by another, or one who brought others."""


@dataclass(frozen=True)
class Order:
    """An order of the list: a column, the customer's id breaking ties."""

    key: str
    column: str
    """Path from the profile."""
    descending: bool = True
    nullable: bool = False
    """Whether customers may have no value; they come last in either direction."""
    predicted: bool = False
    """Whether the column is one of predictions, which lie beside the profile."""


ORDERS = {
    order.key: order
    for order in (
        Order("risk", "value_at_risk"),
        Order("last", "last_active_on", nullable=True),
        Order("spend", "net_spend"),
        Order("name", "customer__pinyin", descending=False),
        Order("outlook", "p_active_bp", nullable=True, predicted=True),
        Order("expected", "expected_purchases_milli", nullable=True, predicted=True),
        Order("money", "expected_spend_minor", nullable=True, predicted=True),
    )
}
DEFAULT_ORDER = "risk"
NAMES = ("q", "stages", "store", "group", "tag", "adviser", "own", "care", "referral", "segment")
"""The conditions, in the order of the page."""


@dataclass(frozen=True)
class Position:
    """Between which rows a page lies: behind the row with this value and id, or, going back, before it."""

    value: str
    customer_id: int
    back: bool = False

    def __str__(self) -> str:
        return f"{self.value}~{self.customer_id}"


@dataclass(frozen=True)
class Filters:
    q: str = ""
    stages: tuple[str, ...] = ()
    store: int | None = None
    group: str = ""
    tag: str = ""
    adviser: int | None = None
    own: str = ""
    """A field of the chain's own and what stands in it: `skin~油性`."""
    care: str = ""
    referral: str = ""
    segment: str = ""
    """Key of a segment."""
    order: str = DEFAULT_ORDER
    position: Position | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions in force, in the order of the page."""
        return tuple(name for name in NAMES if getattr(self, name))

    def without(self, *names: str) -> "Filters":
        empty = Filters()
        return replace(self, position=None, **{name: getattr(empty, name) for name in names})

    def at(self, position: Position | None) -> "Filters":
        return replace(self, position=position)

    @property
    def query(self) -> str:
        """As a query string; what is usual is left out."""
        pairs: list[tuple[str, object]] = [("q", self.q)] if self.q else []
        pairs += [("stage", stage) for stage in self.stages]
        pairs += [(name, value) for name in NAMES[2:] if (value := getattr(self, name))]
        if self.order != DEFAULT_ORDER:
            pairs.append(("order", self.order))
        if self.position:
            pairs.append(("before" if self.position.back else "after", self.position))
        return f"?{urlencode(pairs)}"


def read_filters(query: QueryDict) -> Filters:
    """An address may be old or typed by hand: what it says wrongly counts as not said."""
    return Filters(
        q=query.get("q", "").strip()[:LONGEST_SEARCH].replace("\0", ""),
        stages=tuple(dict.fromkeys(stage for stage in query.getlist("stage") if stage.isidentifier())),
        store=_number(query.get("store", "")),
        group=group if (group := query.get("group", "")) in VALUE_GROUPS else "",
        tag=query.get("tag", "").strip()[:60].replace("\0", ""),
        adviser=_number(query.get("adviser", "")),
        own=query.get("own", "").strip()[:120].replace("\0", ""),
        care=care if (care := query.get("care", "")) in CARE else "",
        referral=referral if (referral := query.get("referral", "")) in REFERRAL else "",
        segment=segment if SEGMENT.fullmatch(segment := query.get("segment", "")) else "",
        order=order if (order := query.get("order", "")) in ORDERS else DEFAULT_ORDER,
        position=_position(query),
    )


def _position(query: QueryDict) -> Position | None:
    for name in ("after", "before"):
        value, mark, customer_id = query.get(name, "").replace("\0", "").rpartition("~")
        if mark and (number := _number(customer_id)) is not None:
            return Position(value, number, back=name == "before")
    return None


def _number(text: str) -> int | None:
    """A positive id; anything longer than 64 bits is none."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 2**63 else None
