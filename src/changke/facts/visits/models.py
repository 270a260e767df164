"""A customer was in the store. A visit is not a purchase: regulars come more often than they buy."""

from django.conf import settings
from django.db import models

from changke.facts.customers.models import Customer, happened
from changke.foundation.database.append_only import Fact, fact_constraints, fact_indexes
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import ScopedQuerySet


class Visit(Fact):
    batch = models.ForeignKey(
        "foundation.Batch", on_delete=models.PROTECT, db_constraint=False, null=True, related_name="+", db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, db_constraint=False, related_name="+", db_index=False
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, db_constraint=False, related_name="+", db_index=False)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        null=True,
        related_name="+",
        db_index=False,
    )
    purpose = models.CharField(max_length=120, blank=True)
    source = models.CharField(max_length=60, blank=True)

    objects = ScopedQuerySet["Visit"].as_manager()
    seen_by_person = staticmethod(happened)

    class Meta:
        constraints = fact_constraints("visit")
        indexes = [
            *fact_indexes("visit"),
            models.Index(
                fields=["customer", "business_date"],
                include=["id", "store"],
                condition=models.Q(withdrawn_by__isnull=True),
                name="visit_of_customer",
            ),
            models.Index(fields=["store", "business_date"], name="visit_store_day"),
        ]
