"""Standard Webhooks: for systems of the chain's own. The letter is what POST /facts takes."""

from changke.interfaces.webhooks.sources.standard.rules import read, verify

KEY = "standard"
WORDS = {
    "zh-hans": "自有系统（Standard Webhooks）",
    "en": "A system of your own",
    "zh-hant": "自有系統（Standard Webhooks）",
}
MAKES_SECRET = True
HAS_CLIENT_ID = False
ANSWER = {"ok": True}

__all__ = ["ANSWER", "HAS_CLIENT_ID", "KEY", "MAKES_SECRET", "WORDS", "read", "verify"]
