"""Two records side by side: what is the same, what is different, and what each is worth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext

from changke.facts.customers.models import PERSON, Customer, Identifier, Tag
from changke.facts.customers.queries import values_of
from changke.facts.customers.rules import masked_phone
from changke.facts.duplicates.rules import plain_name
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.profiles.attributes.models import Profile

NUMBERS = ("external", "card")


@dataclass(frozen=True)
class Side:
    """One of the two, for the head of her column."""

    pk: int
    name: str
    purchases: int
    spend_minor: int
    records: int


@dataclass(frozen=True)
class Line:
    """One thing about both. mark: same | different | (none)."""

    name: str
    one: str
    other: str
    mark: str


@dataclass(frozen=True)
class Compared:
    sides: tuple[Side, Side]
    lines: list[Line]
    suggested: int
    """Who would stay: the one of whom more is known."""


@dataclass(frozen=True)
class _Known:
    """What is known of a person, as shown; sets are compared by what they share."""

    customer: Customer
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    accounts: tuple[str, ...]
    numbers: tuple[str, ...]
    tags: tuple[str, ...]
    profile: Any
    records: int


def compare(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Compared]:
    """All pairs of a page, with a handful of statements."""
    wanted = list(pairs)
    known = _known(sorted({person for pair in wanted for person in pair}))
    return {
        (one, other): _compared(known[one], known[other]) for one, other in wanted if one in known and other in known
    }


def _known(ids: Sequence[int]) -> dict[int, _Known]:
    people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    records = Customer.objects.alias(person=PERSON).filter(person__in=ids).values_list("pk", "merged_into_id")
    person_of = {pk: merged or pk for pk, merged in records}
    named = list(Identifier.objects.filter(customer__in=person_of).order_by("shared", "pk"))
    values = values_of(named)
    by_kind: dict[tuple[int, str], dict[str, None]] = {}
    for one in named:
        by_kind.setdefault((person_of[one.customer_id], one.kind), {})[values[one.pk]] = None
    tags: dict[int, list[str]] = {}
    for customer, name in Tag.objects.filter(customer__in=ids).order_by("name").values_list("customer_id", "name"):
        tags.setdefault(customer, []).append(name)
    profiles = Profile.objects.in_bulk(ids)
    families = [*person_of.values()]

    def of(pk: int, *kinds: str) -> tuple[str, ...]:
        return tuple(value for kind in kinds for value in by_kind.get((pk, kind), {}) if value)

    return {
        pk: _Known(
            customer=one,
            phones=of(pk, "phone"),
            emails=of(pk, "email"),
            accounts=of(pk, "wecom", "unionid"),
            numbers=of(pk, *NUMBERS),
            tags=tuple(tags.get(pk, ())),
            profile=profiles.get(pk),
            records=families.count(pk),
        )
        for pk, one in people.items()
    }


def _compared(one: _Known, other: _Known) -> Compared:
    lines = [_line(name, one, other, shown, same) for name, shown, same in _rows()]
    sides = (_side(one), _side(other))
    richer = max((one, other), key=lambda known: (*_weight(known), -known.customer.pk))
    return Compared(sides, [line for line in lines if line.one or line.other], richer.customer.pk)


def _weight(known: _Known) -> tuple[int, int]:
    profile = known.profile
    return (profile.purchases or 0, profile.net_spend or 0) if profile else (0, 0)


def _side(known: _Known) -> Side:
    purchases, spend = _weight(known)
    return Side(known.customer.pk, known.customer.name, purchases, spend, known.records)


Shown = Callable[[_Known], str]
Same = Callable[[_Known], Any]


def _rows() -> list[tuple[str, Shown, Same]]:
    """Name of the line, how it is shown, and what is compared: a set is the same if it shares anything."""
    return [
        (gettext("Name"), lambda one: one.customer.name, lambda one: plain_name(one.customer.name)),
        (gettext("Phone"), lambda one: _all(map(masked_phone, one.phones)), lambda one: set(one.phones)),
        (gettext("Birthday"), _birthday, lambda one: _born(one.customer)),
        (gettext("E-mail"), lambda one: _all(map(masked_email, one.emails)), lambda one: set(one.emails)),
        (gettext("WeCom, union id"), lambda one: _all(map(shortened, one.accounts)), lambda one: set(one.accounts)),
        (gettext("Member numbers"), lambda one: _all(one.numbers), lambda one: None),
        (gettext("Gender"), _gender, lambda one: one.customer.gender),
        (gettext("Store"), _store, lambda one: one.customer.home_store_id),
        (gettext("Adviser"), _adviser, lambda one: one.customer.adviser_id),
        (gettext("City"), lambda one: one.customer.city, lambda one: one.customer.city),
        (gettext("Allergies"), lambda one: one.customer.allergies, lambda one: one.customer.allergies),
        (gettext("Tags"), lambda one: " ".join(one.tags), lambda one: set(one.tags)),
        (gettext("Source"), lambda one: one.customer.source, lambda one: one.customer.source),
        (gettext("Known since"), lambda one: f"{one.customer.known_on:%Y-%m-%d}", lambda one: None),
        (gettext("Purchases"), lambda one: _number(one, "purchases"), lambda one: None),
        (gettext("Total spend"), _spend, lambda one: None),
        (gettext("Last active day"), _last, lambda one: None),
    ]


def _line(name: str, one: _Known, other: _Known, shown: Shown, same: Same) -> Line:
    a, b = same(one), same(other)
    mark = ""
    if a and b:
        alike = bool(a & b) if isinstance(a, set) else a == b
        mark = "same" if alike else "different"
    return Line(name, shown(one), shown(other), mark)


def _all(values: Iterable[str]) -> str:
    return ", ".join(values)


def masked_email(value: str) -> str:
    return f"{value[:1]}***@{value.rpartition('@')[2]}"


def shortened(value: str) -> str:
    return value if len(value) <= 8 else f"{value[:3]}…{value[-3:]}"


def _born(customer: Customer) -> tuple[int, ...] | None:
    """Compared only where both are whole."""
    born = (customer.birth_year, customer.birth_month, customer.birth_day)
    return None if None in born else born  # type: ignore[return-value]  # none of them is None


def _birthday(one: _Known) -> str:
    year, month, day = one.customer.birth_year, one.customer.birth_month, one.customer.birth_day
    said = f"{month:02}-{day:02}" if month and day else ""
    return "-".join(part for part in (str(year) if year else "", said) if part)


def _gender(one: _Known) -> str:
    return str(words.GENDERS[one.customer.gender]) if one.customer.gender else ""


def _store(one: _Known) -> str:
    return one.customer.home_store.name if one.customer.home_store else ""


def _adviser(one: _Known) -> str:
    return one.customer.adviser.name if one.customer.adviser else ""


def _number(one: _Known, field: str) -> str:
    return formats.number(getattr(one.profile, field) or 0) if one.profile else "0"


def _spend(one: _Known) -> str:
    spend = (one.profile.net_spend or 0) if one.profile else 0
    return formats.money(spend, formats.currency.get(), get_language() or "")


def _last(one: _Known) -> str:
    last = one.profile.last_active_on if one.profile else None
    return f"{last:%Y-%m-%d}" if last else ""
