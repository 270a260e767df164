"""Plain text, choices among words, yes and no."""

import re
import unicodedata
from collections.abc import Mapping

from changke.interfaces.importers.problems import Refused

INVISIBLE = dict.fromkeys(
    [*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF]
)
SPACES = " \t\r\n\u00a0\u3000"
EMPTY_WORDS = frozenset({"", "-", "--", "/", "\\", "无", "null", "none", "n/a", "#n/a", "nan", "nil"})
EXCEL_TEXT = re.compile(r'^="(.*)"$')


def text(value: str) -> str:
    """Without invisible characters and outer spaces; emoji and rare characters stay as they are.

    `="138..."` is how some tills keep Excel from rounding; a leading apostrophe is our own mark against formulas.
    """
    value = value.translate(INVISIBLE).strip(SPACES)
    if found := EXCEL_TEXT.match(value):
        value = found[1]
    if len(value) > 1 and value[0] == "'" and value[1] in "=+-@\t\r\n＝＋－＠":
        value = value[1:].strip(SPACES)
    return value


def plain(value: str) -> str:
    """For comparing words: full-width forms folded, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", text(value)).casefold().split())


def is_empty(value: str) -> bool:
    return plain(value) in EMPTY_WORDS


def choice(value: str, words: Mapping[str, str]) -> str:
    """The code of a word; an unknown word is refused and the known ones are named."""
    found = words.get(plain(value))
    if found is None:
        raise Refused("word_unknown", known="、".join(list(words)[:8]))
    return found


BETWEEN_TAGS = re.compile(r"[、,;/|\n]")
LONGEST_TAG = 60


def tags_of(cell: str) -> list[str]:
    """The tags in one cell, each once, in its order: `VIP、敏感肌/VIP` -> VIP, 敏感肌."""
    words = (" ".join(word.split()) for word in BETWEEN_TAGS.split(unicodedata.normalize("NFKC", text(cell))))
    return list(dict.fromkeys(word[:LONGEST_TAG].strip() for word in words if not is_empty(word)))


GENDERS = {
    "女": "f", "女士": "f", "女性": "f", "小姐": "f", "f": "f", "female": "f", "woman": "f", "w": "f",
    "男": "m", "男士": "m", "男性": "m", "先生": "m", "m": "m", "male": "m", "man": "m",
    "未知": "", "保密": "", "不详": "", "其他": "", "unknown": "", "other": "",
}  # fmt: skip


def gender(value: str) -> str:
    return choice(value, GENDERS)


YES_NO = {
    "是": "1", "有": "1", "对": "1", "y": "1", "yes": "1", "true": "1", "1": "1", "√": "1", "t": "1",
    "否": "0", "没有": "0", "不": "0", "n": "0", "no": "0", "false": "0", "0": "0", "×": "0", "f": "0",
}  # fmt: skip


def boolean(value: str) -> bool:
    return choice(value, YES_NO) == "1"


EMAIL = re.compile(r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+$")


def email(value: str) -> str:
    found = unicodedata.normalize("NFKC", text(value)).strip().lower().removeprefix("mailto:")
    if not EMAIL.match(found) or len(found) > 200:
        raise Refused("email_wrong")
    return found
