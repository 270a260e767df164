"""How a person's names, phones and addresses are written down, so that they can be found again."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import phonenumbers

# A name is read character by character: the dictionary of phrases would cost every process 45 MB for nothing.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
from pypinyin import Style, lazy_pinyin

HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003134f]")
SPACES = re.compile(r"\s+")
CHINESE_MOBILE = re.compile(r"(?:\+86)?(1(?:[3-689][0-9]|7[0-8])[0-9]{8})")
"""What the library would keep as it stands. (179 begins numbers for cheap calls, which it reads otherwise.)"""
SCIENTIFIC = re.compile(r"^\d(\.\d+)?[eE]\+?\d+$")
LONGEST_PINYIN, LONGEST_INITIALS = 240, 60


IN_CLEAR = frozenset({"external", "card"})
"""Kinds of identifiers that are not sealed: numbers of the chain's own systems, which say nothing outside it. They are
given to one person each; whatever else names her (a phone, an address, an account) another may use too."""


class NotReadable(ValueError):
    """Typed or read as a phone or an address, and none."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)


def tag_key(name: str) -> int:
    """A tag's name as a number of 60 bits: for names of columns, which hold letters and digits alone, and for copies
    that need not hold a text. The trigger of the spells makes the same (`spells.py`)."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)


def clean_name(name: str) -> str:
    """Full-width letters become plain ones, spaces single, controls vanish; emoji and rare characters stay."""
    plain = unicodedata.normalize("NFKC", name)
    return SPACES.sub(" ", "".join(c for c in plain if c.isprintable() or c.isspace())).strip()[:120]


@lru_cache(maxsize=65_536)
def _syllable(character: str) -> str:
    return "".join(lazy_pinyin(character, style=Style.NORMAL, errors="default")).lower()


def pinyin(name: str) -> str:
    """`张三丰` -> `zhangsanfeng`; other scripts as they are, lower case, without spaces. Each character on its own:
    a name is not a sentence, and one table of characters is fast enough for a million of them."""
    return SPACES.sub("", "".join(_syllable(c) if HAN.match(c) else c.lower() for c in name))[:LONGEST_PINYIN]


def initials(name: str) -> str:
    """`张三丰` -> `zsf`; of `Mary Ann Lee` -> `mal`."""
    letters = [_syllable(c)[:1] if HAN.match(c) else c for c in name]
    spaced = "".join(f" {letter} " if HAN.match(c) else letter for c, letter in zip(name, letters, strict=True))
    return "".join(word[0].lower() for word in spaced.split())[:LONGEST_INITIALS]


def grams(name: str) -> list[str]:
    """Every character and every pair of neighbours, each once, in order: `张三丰` -> 张 三 丰 张三 三丰."""
    plain = SPACES.sub("", name.lower())
    return list(dict.fromkeys([*plain, *(plain[i : i + 2] for i in range(len(plain) - 1))]))


def normal_phone(text: str, *, region: str = "CN") -> str:
    """The number in E.164, `+8613800001234`. Raises ValueError with the reason in English, ready for translation."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if region == "CN" and (mobile := CHINESE_MOBILE.fullmatch(plain)):
        return f"+86{mobile[1]}"
    if SCIENTIFIC.match(plain):
        raise NotReadable(reason="the spreadsheet shortened the number: format the column as text and export again")
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        raise NotReadable(reason="not a phone number") from None
    if not phonenumbers.is_possible_number(number):
        raise NotReadable(reason="not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_email(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    # A star stands for what was masked: an exported address read back must not become a name of hers.
    if not re.fullmatch(r"[^@\s*]+@[^@\s]+\.[^@\s]+", plain):
        raise NotReadable(reason="not an e-mail address")
    return plain


def local_phone(e164: str) -> str:
    """As people of the place write it: `+8613800001234` -> `13800001234`; foreign numbers keep their prefix."""
    return e164[3:] if e164.startswith("+86") else e164


def masked_phone(e164: str) -> str:
    """`138****1234`: enough to recognise, not enough to call."""
    local = local_phone(e164)
    if len(local) < 8:
        return "*" * max(len(local) - 2, 0) + local[-2:]
    return f"{local[:-8]}****{local[-4:]}"


def masked(kind: str, value: str) -> str:
    """What names her, as pages show it: phones and addresses are masked, numbers of systems and cards are not."""
    if kind == "phone":
        return masked_phone(value)
    if kind == "email":
        return f"{value[:1]}***@{value.rpartition('@')[2]}"
    return value


def phone_tail(e164: str) -> str:
    """The last four digits, by which a front desk asks for a person."""
    return e164[-4:]


def to_put_back(
    *, before: Mapping[str, object], after: Mapping[str, object], now: Mapping[str, object]
) -> dict[str, object]:
    """Fields that still hold what a batch wrote, with what they held before it; the three birth fields are one date."""
    still = {name for name in before if now[name] == after[name]}
    birth = {name for name in before if name.startswith("birth_")}
    if not birth <= still:
        still -= birth
    return {name: before[name] for name in before if name in still}


BIRTH = ("birth_year", "birth_month", "birth_day")
CARRIED = (
    "name", "gender", *BIRTH, "occupation", "income_band", "city", "interests", "living", "allergies", "source",
    "home_store_id", "adviser_id", "known_on",
)  # fmt: skip
"""Profile fields that a record takes over from another of the same person."""

LONGEST_ALLERGIES = 400


def carried(*, holds: Mapping[str, object], brings: Mapping[str, object]) -> dict[str, object]:
    """What changes in a record that takes another one in: what is empty is filled, a warning is added, the first day is
    the earlier one. A birthday is one thing: half of one and half of another would be nobody's."""
    empty = ("", None)
    born_here = any(holds[name] not in empty for name in BIRTH)
    after = {
        name: brings[name]
        for name in CARRIED
        if holds[name] in empty and brings[name] not in empty and not (name in BIRTH and born_here)
    }
    mine, other = str(holds["allergies"] or ""), str(brings["allergies"] or "")
    if mine and other and other not in mine:
        after["allergies"] = f"{mine}；{other}"[:LONGEST_ALLERGIES]
    if str(brings["known_on"]) < str(holds["known_on"]):
        after["known_on"] = brings["known_on"]
    return after
