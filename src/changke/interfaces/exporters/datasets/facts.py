"""What happened in the stores of whoever asks: purchases with their returns, visits, events; tags and consents of her
customers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from changke.facts.consents.models import Consent
from changke.facts.customers.models import Tag, whom
from changke.facts.customers.queries import PERSON_OF
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt
from changke.facts.visits.models import Visit
from changke.interfaces.exporters.shape import DATASETS, Ask, Column, Dataset, Row

CHUNK = 2_000

PURCHASES = (
    Column("receipt_id", _("Number here"), "int"),
    Column("number", _("Receipt number")),
    Column("kind", _("Kind")),
    Column("store", _("Store")),
    Column("customer_id", _("Customer number"), "int"),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
    Column("cash", _("Cash in"), "money"),
    Column("consumed", _("Consumption"), "money"),
    Column("margin", _("Margin"), "money"),
    Column("items", _("Pieces"), "int"),
    Column("staff", _("Staff")),
    Column("original_number", _("Number of the original receipt")),
    Column("source", _("Source")),
)
VISITS = (
    Column("visit_id", _("Number here"), "int"),
    Column("store", _("Store")),
    Column("customer_id", _("Customer number"), "int"),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
    Column("staff", _("Staff")),
    Column("purpose", _("Purpose")),
    Column("source", _("Source")),
)
EVENTS = (
    Column("event_id", _("Number here"), "int"),
    Column("kind", _("Kind")),
    Column("store", _("Store")),
    Column("customer_id", _("Customer number"), "int"),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
    Column("data", _("Data")),
)
TAGS = (
    Column("customer_id", _("Customer number"), "int"),
    Column("tag", _("Tag")),
    Column("source", _("Source")),
    Column("recorded_at", _("Time"), "moment"),
)
CONSENTS = (
    Column("customer_id", _("Customer number"), "int"),
    Column("purpose", _("For what")),
    Column("channel", _("Channel")),
    Column("given", _("Given (1) or withdrawn (0)"), "int"),
    Column("how", _("How")),
    Column("text_version", _("Version of the words")),
    Column("store", _("Store")),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
)


def purchases(ask: Ask) -> Any:
    return _living(Receipt, ask).values_list(
        "pk", "number", "kind", "store__name", PERSON_OF, "happened_at", "business_date", "cash_minor",
        "consumed_minor", "margin_minor", "items", "staff__name", "original_number", "source",
    )  # fmt: skip


def visits(ask: Ask) -> Any:
    return _living(Visit, ask).values_list(
        "pk", "store__name", PERSON_OF, "happened_at", "business_date", "staff__name", "purpose", "source"
    )


def events(ask: Ask) -> Any:
    return _living(Event, ask).values_list(
        "pk", "kind", "store__name", PERSON_OF, "happened_at", "business_date", "data"
    )


def tags(ask: Ask) -> Any:
    rows = Tag.objects.filter(customer__is_active=True, customer__merged_into__isnull=True)
    if ask.scope.store_ids is not None:
        rows = rows.filter(whom(ask.scope))
    return rows.order_by("pk").values_list("customer_id", "name", "source", "recorded_at")


def consents(ask: Ask) -> Any:
    rows = Consent.objects.filter(withdrawn_by__isnull=True, customer__is_active=True)
    if ask.scope.store_ids is not None:
        rows = rows.filter(whom(ask.scope))
    return rows.order_by("pk").values_list(
        PERSON_OF, "purpose", "channel", "given", "how", "text_version", "store__name", "happened_at",
        "business_date",
    )  # fmt: skip


def _living(model: Any, ask: Ask) -> Any:
    return model.objects.for_scope(ask.scope).filter(withdrawn_by__isnull=True).order_by("pk")


def _dataset(key: str, words: Any, columns: tuple[Column, ...], found: Callable[[Ask], Any]) -> Dataset:
    def rows(ask: Ask) -> Iterator[Row]:
        for row in found(ask).iterator(chunk_size=CHUNK):
            yield tuple(map(_plain, row))

    return Dataset(key, words, columns, rows, lambda ask: int(found(ask).order_by().count()))


def _plain(cell: Any) -> Any:
    if isinstance(cell, dict):
        return json.dumps(cell, ensure_ascii=False)
    return int(cell) if isinstance(cell, bool) else cell


for _key, _words, _columns, _rows in (
    ("purchases", _("Purchases"), PURCHASES, purchases),
    ("visits", _("Visits"), VISITS, visits),
    ("events", _("Events"), EVENTS, events),
    ("tags", _("Tags"), TAGS, tags),
    ("consents", _("Consents"), CONSENTS, consents),
):
    DATASETS.register(_key, _dataset(_key, _words, _columns, _rows))
