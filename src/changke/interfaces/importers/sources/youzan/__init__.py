"""Youzan 有赞: the order export with one row per item (订单报表，含商品)."""

from changke.interfaces.importers.parts import Part
from changke.interfaces.importers.sources.youzan import rules

KEY = "youzan"
WORDS = {"zh-hans": "有赞订单导出", "en": "Youzan order export", "zh-hant": "有贊訂單匯出"}
PARTS = (Part("orders", "purchases", rules.NEEDS, rules.COLUMNS, rules.orders),)
