"""Addresses that providers call, what they delivered, and what they call our stores."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from changke.foundation.organisation.models import Store


class WebhookAddress(models.Model):
    """One address for one shop of one source. `path` is the part that nobody guesses."""

    source = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    path = models.CharField(max_length=64, unique=True)
    client_id = models.CharField(max_length=200, blank=True)
    secret = models.BinaryField()
    """Sealed, as the one before."""
    previous_secret = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    allowed_networks = ArrayField(models.CharField(max_length=50), default=list)
    """Empty: from everywhere."""
    receipts_as = models.CharField(max_length=60, blank=True, default="", db_default="")
    """What its receipts carry as their source; empty: the source's own name, as its files do. Two shops of one source
    count their orders alike, so every further one has a name of its own."""
    keep_days = models.PositiveIntegerField(default=30)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def receipt_source(self) -> str:
        return self.receipts_as or self.source


class WebhookPlace(models.Model):
    """What the source calls a branch or location, and which store of ours that is; none yet, and its facts wait."""

    address = models.ForeignKey(WebhookAddress, on_delete=models.CASCADE, related_name="places")
    place = models.CharField(max_length=40)
    name = models.CharField(max_length=120, blank=True)
    store = models.ForeignKey(Store, null=True, on_delete=models.SET_NULL, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["address", "place"], name="webhook_place_once")]


class DeliveryState(models.TextChoices):
    RECEIVED = "received"
    DONE = "done"
    IGNORED = "ignored"
    WAITING = "waiting"
    FAILED = "failed"


class WebhookDelivery(models.Model):
    """A signed letter, kept raw before anybody reads it. The table is the queue."""

    address = models.ForeignKey(WebhookAddress, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    delivery_id = models.CharField(max_length=200)
    topic = models.CharField(max_length=100, blank=True)
    letter = models.BinaryField(null=True)
    """Sealed; gone after `keep_days`, or with the person."""
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.RECEIVED)
    reason = models.CharField(max_length=60, blank=True)
    """Code: why it was ignored, waits, or failed."""
    detail = models.CharField(max_length=400, blank=True)
    subject = models.CharField(max_length=140, blank=True)
    version = models.BigIntegerField(default=0)
    waits_for = models.CharField(max_length=140, blank=True)
    number = models.CharField(max_length=80, blank=True)
    """The receipt's number of an order, for refunds that name only the order."""
    store = models.ForeignKey(Store, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    customer_ids = ArrayField(models.BigIntegerField(), default=list)
    created_count = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "delivery_id"], name="webhook_delivery_once")]
        indexes = [
            models.Index(fields=["id"], name="webhook_queue", condition=models.Q(state="received")),
            models.Index(fields=["address", "subject", "version"], name="webhook_subject"),
            models.Index(fields=["address", "-id"], name="webhook_latest"),
            models.Index(fields=["waits_for"], name="webhook_waits", condition=~models.Q(waits_for="")),
            models.Index(fields=["received_at"], name="webhook_age"),
            GinIndex(fields=["customer_ids"], name="webhook_customers"),
        ]


class WebhookRefusal(models.Model):
    """How often an address refused on a day, and why: a wrong signature is a wrong secret, or somebody trying."""

    address = models.ForeignKey(WebhookAddress, on_delete=models.CASCADE, related_name="refusals")
    day = models.DateField()
    reason = models.CharField(max_length=40)
    times = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "day", "reason"], name="webhook_refusal_once")]


class PrivacyRequest(models.Model):
    """A source asks for a person's data, or that she be forgotten. The request stays as the proof of what was asked."""

    address = models.ForeignKey(WebhookAddress, on_delete=models.CASCADE, related_name="privacy_requests")
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80, blank=True)
    customer_ids = ArrayField(models.BigIntegerField(), default=list)
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def is_open(self, at: dt.datetime) -> bool:
        return self.handled_at is None or self.handled_at > at
