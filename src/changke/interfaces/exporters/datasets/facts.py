"""What happened in the stores of whoever asks: purchases with their lines and tenders, returns among them; what an old
system summed up; visits, events, and of these the stages and the follow-ups on their own."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from changke.facts.customers.queries import PERSON_OF
from changke.facts.events.models import Event
from changke.facts.purchases.models import Line, Opening, Receipt, Tender, WaitingReturn
from changke.facts.visits.models import Visit
from changke.interfaces import words
from changke.interfaces.exporters.shape import Ask, Column, Row
from changke.interfaces.exporters.streams import register

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
OF_A_RECEIPT = (
    Column("receipt_id", _("Number of the receipt here"), "int"),
    Column("number", _("Receipt number")),
    Column("kind", _("Kind")),
    Column("store", _("Store")),
    Column("customer_id", _("Customer number"), "int"),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
)
LINES = (
    *OF_A_RECEIPT,
    Column("position", _("Position"), "int"),
    Column("item_code", _("Item code")),
    Column("item", _("Item")),
    Column("item_kind", _("Kind of item")),
    Column("category", _("Category")),
    Column("quantity_milli", _("Quantity in thousandths"), "int"),
    Column("unit_price", _("Unit price"), "money"),
    Column("amount", _("Amount"), "money"),
)
TENDERS = (*OF_A_RECEIPT, Column("tender", _("Paid with")), Column("amount", _("Amount"), "money"))
OPENINGS = (
    Column("opening_id", _("Number here"), "int"),
    Column("store", _("Store")),
    Column("customer_id", _("Customer number"), "int"),
    Column("first_on", _("First purchase"), "day"),
    Column("last_on", _("Last purchase"), "day"),
    Column("purchases", _("Purchases"), "int"),
    Column("cash", _("Cash in"), "money"),
)
WAITING = (
    Column("number", _("Receipt number")),
    Column("original_number", _("Number of the original receipt")),
    Column("store", _("Store")),
    Column("happened_at", _("Time"), "moment"),
    Column("amount", _("Amount"), "money"),
    Column("waiting_since", _("Waits since"), "moment"),
    Column("refusal", _("Why it does not fit")),
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
EVENT = (
    Column("event_id", _("Number here"), "int"),
    Column("store", _("Store")),
    Column("customer_id", _("Customer number"), "int"),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
)
EVENTS = (EVENT[0], Column("kind", _("Kind")), *EVENT[1:], Column("data", _("Data")), Column("staff", _("Staff")))
STAGES = (
    *EVENT,
    Column("model", _("Stage model")),
    Column("before", _("Stage before")),
    Column("stage", _("Stage")),
    Column("cause", _("Cause")),
)
FOLLOWUPS = (
    *EVENT,
    Column("staff", _("Staff")),
    Column("reason", _("Reason")),
    Column("outcome", _("Outcome")),
    Column("until", _("Put off until"), "day"),
    Column("because", _("Why she is lost")),
)


def purchases(ask: Ask) -> Any:
    return _living(Receipt, ask).values_list(
        "pk", "number", "kind", "store__name", PERSON_OF, "happened_at", "business_date", "cash_minor",
        "consumed_minor", "margin_minor", "items", "staff__name", "original_number", "source",
    )  # fmt: skip


RECEIPT = (
    "receipt_id", "receipt__number", "receipt__kind", "receipt__store__name",
    Coalesce("receipt__customer__merged_into_id", "receipt__customer_id"), "receipt__happened_at",
    "receipt__business_date",
)  # fmt: skip


def lines(ask: Ask) -> Any:
    return _parts(Line, ask).values_list(
        *RECEIPT, "position", "item__code", Coalesce("item__name", "description"), "item__kind",
        "item__category__name", "quantity_milli", "unit_price_minor", "amount_minor",
    )  # fmt: skip


def tenders(ask: Ask) -> Any:
    return _parts(Tender, ask).values_list(*RECEIPT, "kind", "amount_minor")


def openings(ask: Ask) -> Any:
    return _living(Opening, ask).values_list(
        "pk", "store__name", PERSON_OF, "first_on", "last_on", "purchases", "cash_minor"
    )


def waiting_returns(ask: Ask) -> Any:
    """Returns whose purchase has not come: whose they are nobody knows yet."""
    return (
        WaitingReturn.objects.for_scope(ask.scope)
        .order_by("pk")
        .values_list(
            "number", "original_number", "store__name", "happened_at", "amount_minor", "waiting_since", "refusal",
            "source",
        )
    )  # fmt: skip


def visits(ask: Ask) -> Any:
    return _living(Visit, ask).values_list(
        "pk", "store__name", PERSON_OF, "happened_at", "business_date", "staff__name", "purpose", "source"
    )


OF_AN_EVENT = ("pk", "store__name", PERSON_OF, "happened_at", "business_date")


def events(ask: Ask) -> Any:
    return _living(Event, ask).values_list("pk", "kind", *OF_AN_EVENT[1:], "data", "staff__name")


def stages(ask: Ask) -> Any:
    return (
        _living(Event, ask)
        .filter(kind="stage.changed")
        .values_list(*OF_AN_EVENT, "data__model", "data__from", "data__to", "data__cause")
    )


def followups(ask: Ask) -> Any:
    return (
        _living(Event, ask)
        .filter(kind="followup.recorded")
        .values_list(*OF_AN_EVENT, "staff__name", "data__reason", "data__outcome", "data__until", "data__because")
    )


def _in_words(rows: Iterable[Row], _ask: Ask) -> Iterator[Row]:
    for *event, staff, reason, outcome, until, because in rows:
        yield (
            *event,
            staff,
            str(words.REASON_LABELS.get(str(reason), reason or "")),
            str(words.OUTCOMES.get(str(outcome), outcome or "")),
            dt.date.fromisoformat(str(until)) if until else None,
            str(words.CAUSE_LABELS[str(because)]) if because in words.CAUSE_LABELS and because else "",
        )


def _living(model: Any, ask: Ask) -> Any:
    return model.objects.for_scope(ask.scope).filter(withdrawn_by__isnull=True).order_by("pk")


def _parts(model: Any, ask: Ask) -> Any:
    """Parts of receipts: seen and withdrawn with them."""
    rows, scope = model.objects.filter(receipt__withdrawn_by__isnull=True), ask.scope
    if scope.by_person:
        rows = rows.filter(receipt__in=Receipt.objects.for_scope(scope))
    elif scope.store_ids is not None:
        rows = rows.filter(receipt__store__in=scope.store_ids)
    return rows.order_by("pk")


register("purchases", _("Purchases"), PURCHASES, purchases)
register("lines", _("Lines of purchases"), LINES, lines)
register("tenders", _("What was paid with"), TENDERS, tenders)
register("openings", _("Sums of an old system"), OPENINGS, openings)
register("waiting_returns", _("Returns that wait for their purchase"), WAITING, waiting_returns)
register("visits", _("Visits"), VISITS, visits)
register("stages", _("Changes of stages"), STAGES, stages)
register("followups", _("Follow-ups"), FOLLOWUPS, followups, told=_in_words)
register("events", _("Events"), EVENTS, events)
