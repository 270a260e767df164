"""Web shops of one source count their orders alike: whose a file is has to be said where the chain has several."""

from collections.abc import Iterable, Sequence

from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.sources import SOURCES


def is_of_a_web_shop(source: str) -> bool:
    """Whether the chain may have several of them."""
    return source in SOURCES


def shops_of(sources: Iterable[str]) -> list[tuple[str, str]]:
    """What the receipts of each shop carry as their source, and its name; those that are connected."""
    rows = WebhookAddress.objects.filter(source__in=list(sources), is_active=True).order_by("pk")
    return [(one.receipt_source, one.name) for one in rows]


def must_be_said(sources: Iterable[str]) -> list[tuple[str, str]]:
    """The shops to choose from, where there are several."""
    shops = shops_of(sources)
    return shops if len(shops) > 1 else []


def source_named(text: str) -> str:
    """A shop by its name, or what its receipts carry; anything else is a name that somebody gives."""
    rows: Sequence[WebhookAddress] = list(WebhookAddress.objects.filter(name__iexact=text, is_active=True)[:2])
    return rows[0].receipt_source if len(rows) == 1 else text
