"""Shopify: orders, refunds, customers, and the three privacy topics every app must answer."""

from changke.interfaces.webhooks.sources.shopify.rules import KEY, read, verify

WORDS = {"zh-hans": "Shopify", "en": "Shopify", "zh-hant": "Shopify"}
MAKES_SECRET = False
HAS_CLIENT_ID = False
ANSWER = {"ok": True}

__all__ = ["ANSWER", "HAS_CLIENT_ID", "KEY", "MAKES_SECRET", "WORDS", "read", "verify"]
