"""Shopify's order export: one row per item, what concerns the whole order in its first row only."""

from changke.interfaces.importers.parts import Part
from changke.interfaces.importers.sources.shopify import rules

KEY = "shopify"
WORDS = {"zh-hans": "Shopify 订单导出", "en": "Shopify order export", "zh-hant": "Shopify 訂單匯出"}
PARTS = (Part("orders", "purchases", rules.NEEDS, rules.COLUMNS, rules.orders),)
