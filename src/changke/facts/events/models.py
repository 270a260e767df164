"""Everything else that happened, in one typed stream."""

from django.conf import settings
from django.db import models

from changke.facts.customers.models import Customer, happened
from changke.foundation.database.append_only import Fact, fact_constraints, fact_indexes
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import ScopedQuerySet


class Event(Fact):
    """`kind` is a dotted word of the registry (`stage.changed`, `note.written`); `data` holds codes, never personal
    text."""

    kind = models.CharField(max_length=60)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    data = models.JSONField(default=dict)

    objects = ScopedQuerySet["Event"].as_manager()
    seen_by_person = staticmethod(happened)

    class Meta:
        constraints = fact_constraints("event")
        indexes = [
            *fact_indexes("event"),
            models.Index(fields=["customer", "happened_at"], name="event_customer_time"),
            models.Index(fields=["kind", "business_date"], name="event_kind_day"),
        ]
