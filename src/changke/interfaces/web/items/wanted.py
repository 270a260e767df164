"""Which items a page asks for, as its address says it; the list, its pages and a change of all of them read the
same."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from changke.facts.catalog.models import Item, ItemKind
from changke.facts.catalog.queries import Wanted
from changke.facts.customers.rules import initials, pinyin

MOST_BY_SOUND = 500
LONGEST_TEXT = 100


@dataclass(frozen=True)
class Filters:
    q: str = ""
    kind: str = ""
    category: str = ""
    care: bool = False

    @property
    def any(self) -> bool:
        return bool(self.pairs)

    @property
    def pairs(self) -> dict[str, str]:
        """What the address carries, without what asks for nothing."""
        said = {"q": self.q, "kind": self.kind, "category": self.category, "care": "1" if self.care else ""}
        return {name: text for name, text in said.items() if text}

    def address(self, **more: str) -> str:
        return "?" + urlencode({**self.pairs, **{name: text for name, text in more.items() if text}})

    def wanted(self) -> Wanted:
        return Wanted(
            text=self.q,
            ids=by_sound(self.q),
            kind=self.kind,
            category_id=int(self.category) if self.category else None,
            care=self.care,
        )


def filters_of(sent: Mapping[str, str]) -> Filters:
    """What cannot be meant asks for nothing."""
    kind, category = sent.get("kind", ""), sent.get("category", "")
    return Filters(
        q=sent.get("q", "").replace("\0", "").strip()[:LONGEST_TEXT],
        kind=kind if kind in ItemKind.values else "",
        category=category if category.isascii() and category.isdigit() and len(category) < 19 else "",
        care=sent.get("care") == "1",
    )


def by_sound(text: str) -> list[int]:
    """Items whose name is written like that in pinyin or by its initials. A catalogue of some thousand names is read
    through at once: a column of sounds would have to be kept for each."""
    plain = "".join(text.split()).lower()
    if not (plain.isascii() and plain.isalpha()):
        return []
    names = Item.objects.values_list("pk", "name")
    return [pk for pk, name in names if plain in initials(name) or plain in pinyin(name)][:MOST_BY_SOUND]
