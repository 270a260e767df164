"""Reading addresses and what came in by them."""

import datetime as dt

from django.db.models import Count, Q, QuerySet, Sum

from changke.foundation.errors import NotFound
from changke.interfaces.webhooks.models import (
    DeliveryState,
    PrivacyRequest,
    WebhookAddress,
    WebhookDelivery,
    WebhookRefusal,
)

RECENT = dt.timedelta(days=7)
URGENT_AFTER = dt.timedelta(days=20)
"""Of the 30 days in which a privacy request is to be answered."""


def address_of(address_id: int) -> WebhookAddress:
    found = WebhookAddress.objects.filter(pk=address_id).first()
    if found is None:
        raise NotFound
    return found


def delivery_of(address: WebhookAddress, delivery_id: int) -> WebhookDelivery:
    found = WebhookDelivery.objects.filter(address=address, pk=delivery_id).first()
    if found is None:
        raise NotFound
    return found


def addresses(*, now: dt.datetime) -> "QuerySet[WebhookAddress]":
    """All of them, with what came in the last days and what needs somebody."""
    recent = Q(deliveries__received_at__gte=now - RECENT)
    return WebhookAddress.objects.annotate(
        came=Count("deliveries", filter=recent),
        waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING)),
        failed=Count("deliveries", filter=Q(deliveries__state=DeliveryState.FAILED) & recent),
    ).order_by("pk")


def refusals(address: WebhookAddress, *, now: dt.datetime) -> list[tuple[str, int]]:
    """Why deliveries were refused in the last days, and how often."""
    counted = WebhookRefusal.objects.filter(address=address, day__gte=(now - RECENT).date())
    return list(counted.values_list("reason").annotate(sum=Sum("times")).order_by("-sum"))


def in_need(*, now: dt.datetime) -> dict[str, int]:
    """For `changke doctor`: what waits, what failed, what was refused since yesterday, what is not read yet."""
    yesterday = now - dt.timedelta(days=1)
    counted = WebhookDelivery.objects.filter(received_at__gte=now - RECENT).aggregate(
        waiting=Count("pk", filter=Q(state=DeliveryState.WAITING)),
        failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
        late=Count("pk", filter=Q(state=DeliveryState.RECEIVED, received_at__lt=now - dt.timedelta(minutes=5))),
    )
    wrong = WebhookRefusal.objects.filter(day__gte=yesterday.date(), reason="wrong_signature")
    asked = PrivacyRequest.objects.filter(handled_at__isnull=True).aggregate(
        asked=Count("pk"), urgent=Count("pk", filter=Q(received_at__lt=now - URGENT_AFTER))
    )
    return {**counted, **asked, "unsigned": wrong.aggregate(sum=Sum("times"))["sum"] or 0}
