"""What deliveries know of a person."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.interfaces.webhooks.models import PrivacyRequest, WebhookDelivery
from changke.interfaces.webhooks.sealed import CannotOpen, unseal
from changke.interfaces.webhooks.services.forget import erase_letters
from changke.interfaces.webhooks.services.receive import LETTER


def deliveries(customer_ids: Sequence[int]) -> Iterator[Row]:
    about = WebhookDelivery.objects.filter(customer_ids__overlap=list(customer_ids)).select_related("address")
    for one in about.order_by("received_at", "pk"):
        try:
            letter = unseal(bytes(one.letter), about=LETTER).decode("utf-8", "replace") if one.letter else ""
        except CannotOpen:
            letter = ""
        yield {"from": one.address.name, "topic": one.topic, "received_at": one.received_at, "letter": letter}


def requests(customer_ids: Sequence[int]) -> Iterator[Row]:
    about = PrivacyRequest.objects.filter(customer_ids__overlap=list(customer_ids)).order_by("pk")
    yield from about.values("kind", "external_id", "received_at", "handled_at")


register(PersonTable("deliveries", ("interfaces_webhookdelivery",), deliveries, erase_letters))
register(PersonTable("privacy_requests", ("interfaces_privacyrequest",), requests, stays="codes"))
