"""A page with numbers has a way to the SQL behind them, or stands here with the reason why not."""

import re
from functools import cache
from pathlib import Path

from changke.interfaces import numbers
from changke.interfaces.counted import COUNTED
from changke.profiles.attributes.catalogue import REGISTRY

TEMPLATES = Path(numbers.__file__).parent / "web" / "templates"
NUMBER = re.compile(
    r"\|(?:number|money|short|short_money|percent|basis_points)\b"
    r'|class="[^"]*\bnum\b(?![^>]*>\{\{ [\w.]+\|(?:day|date|clock|phone|long_day)\b)|<c-stat|<c-chart|<c-number\b'
)
WAY = re.compile(r'<c-how\b|class="statement"')
INCLUDED = re.compile(r'\{% include "([^"]+)"')
KEY = re.compile(r'<c-how key="(\w+)"')

FILE = "rows of one file that is being loaded or was: they are counted while it is read, and listed on the page"
BATCH = "customers of one change of many that is being made or was: they are counted while it is made"
FACTS = "single facts as they were written down: nothing is counted"
TYPED = "what somebody typed or set, and how often it was used: no analysis"

EXCEPTIONS: dict[str, str] = {
    "advisers/hand_over.html": BATCH,
    "advisers/result.html": BATCH,
    "advisers/undo.html": BATCH,
    "audit/list.html": FACTS,
    "bulk/form.html": BATCH,
    "bulk/result.html": BATCH,
    "bulk/undo.html": BATCH,
    "customers/call.html": FACTS,
    "customers/consents.html": FACTS,
    "customers/data.html": FACTS,
    "customers/names.html": FACTS,
    "customers/referrer.html": FACTS,
    "duplicates/by_hand.html": FACTS,
    "duplicates/list.html": "pairs of records, each shown: nothing is computed of them",
    "imports/checking.html": FILE,
    "imports/list.html": FILE,
    "imports/map.html": FILE,
    "imports/match.html": FILE,
    "imports/result.html": FILE,
    "imports/row.html": FILE,
    "imports/run.html": FILE,
    "imports/undo.html": FILE,
    "items/list.html": TYPED,
    "items/categories.html": TYPED,
    "items/mark.html": TYPED,
    "items/sheet.html": FILE,
    "member/page.html": "her own page: facts of hers, and no staff looks at it",
    "record/_allergy.html": FACTS,
    "record/_customer.html": FACTS,
    "record/_note.html": FACTS,
    "record/_sale.html": FACTS,
    "record/_visit.html": FACTS,
    "record/hub.html": FACTS,
    "record/pick.html": FACTS,
    "scores/list.html": FILE,
    "scores/result.html": FILE,
    "scores/undo.html": FILE,
    "settings/roles.html": TYPED,
    "settings/stages.html": TYPED,
    "today/_changed.html": "a row of the day's list: the page around it leads to the SQL",
    "today/phone.html": FACTS,
    "webhooks/list.html": FACTS,
    "webhooks/request.html": FACTS,
}


@cache
def whole(name: str) -> str:
    """A template with everything it includes."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return text + "".join(whole(one) for one in INCLUDED.findall(text) if (TEMPLATES / one).exists())


def shown() -> list[str]:
    """Pages, and the parts that are loaded by themselves."""
    names = [path.relative_to(TEMPLATES).as_posix() for path in sorted(TEMPLATES.rglob("*.html"))]
    included = {one for name in names for one in INCLUDED.findall((TEMPLATES / name).read_text(encoding="utf-8"))}
    return [name for name in names if name not in included and not name.startswith(("cotton/", "web/", "shell/"))]


def test_a_page_with_numbers_leads_to_their_sql() -> None:
    silent = {name for name in shown() if NUMBER.search(whole(name)) and not WAY.search(whole(name))}
    assert silent - set(EXCEPTIONS) == set(), "show the number's <c-how>, or name the page here with its reason"
    assert set(EXCEPTIONS) - silent == set(), "no exceptions any more"


def test_whatever_is_counted_is_named_by_a_page() -> None:
    named = {key for path in TEMPLATES.rglob("*.html") for key in KEY.findall(path.read_text(encoding="utf-8"))}
    assert named <= set(COUNTED) | set(REGISTRY.attributes)
    assert set(COUNTED) - named <= {"expected_purchases"}, "the order of the customer list names it"
