"""Warnings that somebody may be leaving, with the filters of the risk list."""

from collections.abc import Iterator
from itertools import islice

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phones_of
from changke.interfaces import words
from changke.interfaces.exporters.datasets.customers import phone_shown
from changke.interfaces.exporters.shape import DATASETS, Ask, Column, Dataset, Row
from changke.interfaces.web.risk.lists import read_asked
from changke.profiles.risk.models import ChurnWarning
from changke.profiles.risk.queries import by_value, warnings_of

CHUNK = 2_000
COLUMNS = (
    Column("customer_id", _("Customer number"), "int"),
    Column("name", _("Name")),
    Column("phone", _("Phone")),
    Column("home_store", _("Home store")),
    Column("adviser", _("Adviser")),
    Column("opened_on", _("Warned of"), "day"),
    Column("line", _("Service")),
    Column("silent_since", _("Last purchase"), "day"),
    Column("expected_on", _("Expected back"), "day"),
    Column("outlook_bp", _("Outlook in basis points"), "int"),
    Column("horizon_days", _("Horizon in days"), "int"),
    Column("fired_by", _("Warned of by")),
    Column("cause", _("Perhaps because of")),
    Column("value_at_risk", _("Value at risk"), "money"),
    Column("ended", _("State")),
    Column("ended_on", _("Over on"), "day"),
)


def count(ask: Ask) -> int:
    return warnings_of(ask.scope, read_asked(QueryDict(ask.filters).dict())).count()


def rows(ask: Ask) -> Iterator[Row]:
    found = by_value(warnings_of(ask.scope, read_asked(QueryDict(ask.filters).dict())), None)
    ahead = found.iterator(chunk_size=CHUNK)
    while chunk := list(islice(ahead, CHUNK)):
        ids = [one.customer_id for one in chunk]
        people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
        phones = phones_of(ids)
        for one in chunk:
            if (customer := people.get(one.customer_id)) is not None:
                yield _row(one, customer, phone_shown(phones.get(one.customer_id, ""), ask))


def _row(one: ChurnWarning, customer: Customer, phone: str) -> Row:
    return (
        customer.pk,
        customer.name,
        phone,
        customer.home_store.name if customer.home_store else "",
        customer.adviser.name if customer.adviser else "",
        one.opened_on,
        str(one.line) if one.line else "",
        one.silent_since,
        one.expected_on,
        one.outlook_bp,
        one.horizon_days,
        str(words.FIRED_LABELS[one.fired]),
        str(words.CAUSE_LABELS[one.cause]),
        one.value_at_risk_minor,
        str(words.WARNING_ENDS[one.ended]),
        one.ended_on,
    )


DATASETS.register("warnings", Dataset("warnings", _("Warnings that she may be leaving"), COLUMNS, rows, count))
