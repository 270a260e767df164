"""Permission by purpose and channel: given and withdrawn, never edited."""

from django.conf import settings
from django.db import models

from changke.facts.consents.rules import Channel, Purpose
from changke.facts.customers.models import Customer
from changke.foundation.database.append_only import Fact, fact_constraints, fact_indexes
from changke.foundation.organisation.models import Store


class Consent(Fact):
    """One statement. What holds now is the last one about the same purpose and channel."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    purpose = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Purpose])
    channel = models.CharField(max_length=20, blank=True, choices=[(one.value, one.value) for one in Channel])
    given = models.BooleanField()
    how = models.CharField(max_length=20)
    text_version = models.CharField(max_length=40, blank=True)
    """In which words she was asked."""
    guardian = models.BooleanField(default=False)
    separate = models.BooleanField(default=False)
    """Asked for on its own, as health data need it."""
    evidence = models.BinaryField(null=True)
    """Free words and numbers of forms, sealed under her key."""
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = fact_constraints("consent")
        indexes = [
            *fact_indexes("consent"),
            models.Index(fields=["customer", "purpose", "channel", "happened_at"], name="consent_of_customer"),
        ]


class MemberLink(models.Model):
    """An address of a customer's own page. Only the digest of its token is kept: it is shown once, as a QR code."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    """Thirty days later, or when it was closed."""
