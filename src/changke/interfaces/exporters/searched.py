"""What was searched for, so that a table may keep it: which kind of search, never whom.

`q=13800000004&stage=lost` is kept as `q=(phone)&stage=lost`. docs/decisions/0110.
"""

import re
from urllib.parse import parse_qsl, urlencode

from changke.foundation.login.sealing import seal, unseal

CODE = re.compile(r"[a-z_][a-z0-9_]{0,39}|\d{1,9}")
CODES = frozenset(
    {"stage", "store", "group", "adviser", "care", "segment", "order", "cause", "ended", "line"}
)  # of the lists of customers and of warnings
MARK = re.compile(r"\((phone|digits|email|text)\)")
LEFT_OUT = "(*)"


def masked(query: str) -> str:
    """The query of a list without what names a person: codes stay, a search is called by its kind, what no list of ours
    says is left out. Masked again it is the same."""
    return _written([(name, told) for name, value in parse_qsl(query.lstrip("?")) if (told := _told(name, value))])


def _told(name: str, value: str) -> str:
    match name:
        case "q":
            return kind_of(value)
        case "tag":  # a word of the chain's, unless somebody typed a phone
            return value[:60] if kind_of(value) == "(text)" else LEFT_OUT
        case "own":  # which field, not what stands in it
            field = value.partition("~")[0]
            return f"{field if CODE.fullmatch(field) else LEFT_OUT}~{LEFT_OUT}"
        case _ if name in CODES:
            return value if CODE.fullmatch(value) else LEFT_OUT
        case _:
            return ""


def _written(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, safe="()~*")


def kind_of(text: str) -> str:
    """What somebody searched for: a phone, its last digits or a number, an address, a name or another text."""
    plain = text.strip()
    if MARK.fullmatch(plain):
        return plain
    if "@" in plain:
        return "(email)"
    digits = re.sub(r"[\s()+-]", "", plain)
    if digits.isdigit():
        return "(phone)" if len(digits) > 6 else "(digits)"
    return "(text)"


def put_away(query: str) -> tuple[str, str]:
    """The query masked, and sealed where masking took something away that is still to be searched for."""
    kept = masked(query)
    return kept, "" if kept == _written(parse_qsl(query.lstrip("?"))) else shut(query)


def shut(query: str) -> str:
    return seal(query, belongs_to="search")


def opened(kept: str, sealed: str) -> str:
    """The query to search by. Raises CannotUnseal where it was sealed under another signing key."""
    return unseal(sealed, belongs_to="search") if sealed else kept
