"""How column names are compared: without case, spaces, punctuation and what stands in brackets."""

import re
import unicodedata
from functools import lru_cache

BRACKETS = re.compile(r"[(\[【].*?[)\]】]")
PUNCTUATION = re.compile(r"[\W_]+")

OUR_COLUMNS = {
    "zh-hans": ("错误文件行号", "错误列", "错误值", "错误原因", "changke批次"),
    "zh-hant": ("錯誤檔案行號", "錯誤列", "錯誤值", "錯誤原因", "changke批次"),
    "en": ("Error row", "Error column", "Error value", "Error reason", "changke batch"),
}
"""Columns of our own error files: known, and never part of the data."""


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """`金额（元）` -> `金额`, `Invoice No.` -> `invoiceno`."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return PUNCTUATION.sub("", BRACKETS.sub("", plain)) or PUNCTUATION.sub("", plain)


OURS = frozenset(folded(name) for names in OUR_COLUMNS.values() for name in names)


def is_ours(name: str) -> bool:
    return folded(name) in OURS
