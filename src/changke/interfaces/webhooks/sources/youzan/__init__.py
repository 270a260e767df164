"""Youzan 有赞: paid orders and refunds of a shop or a chain of them. Each `kdt_id` is a branch."""

from changke.interfaces.webhooks.sources.youzan.rules import KEY, read, verify

WORDS = {"zh-hans": "有赞", "en": "Youzan", "zh-hant": "有讚"}
MAKES_SECRET = False
HAS_CLIENT_ID = True
ANSWER = {"code": 0, "msg": "success"}

__all__ = ["ANSWER", "HAS_CLIENT_ID", "KEY", "MAKES_SECRET", "WORDS", "read", "verify"]
