"""美业 workbooks: one file of a salon's till with sheets of members, of cards and what is left on them, of visits."""

from changke.interfaces.importers.parts import Part
from changke.interfaces.importers.sources.meiye import rules

KEY = "meiye"
WORDS = {
    "zh-hans": "美业工作簿（会员、卡项余次、到店）",
    "en": "Beauty salon workbook (members, cards, visits)",
    "zh-hant": "美業活頁簿（會員、卡項餘次、到店）",
}
PARTS = (
    Part("cards", "cards", rules.CARD_NEEDS, rules.CARD_COLUMNS),
    Part("visits", "visits", rules.VISIT_NEEDS, rules.VISIT_COLUMNS),
    Part("members", "customers", rules.MEMBER_NEEDS, rules.MEMBER_COLUMNS),
)
