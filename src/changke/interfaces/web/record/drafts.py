"""The lines of a receipt while it is being typed. The form is the state: nothing is kept between two answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from changke.facts.catalog.models import Item
from changke.facts.purchases.models import Line
from changke.facts.purchases.rules import Paid
from changke.facts.purchases.services.record import NewLine
from changke.foundation.errors import Invalid
from changke.foundation.money import to_major, to_minor

MOST_LINES = 30
MOST_PIECES = 99


@dataclass(frozen=True)
class Draft:
    """One line as typed: `amount` is the text of the whole line's amount, `name` stands for the item."""

    item_id: int | None = None
    name: str = ""
    text: str = ""
    quantity: int = 1
    amount: str = ""
    price_minor: int | None = None
    error: str = ""

    @property
    def is_blank(self) -> bool:
        return self.item_id is None and not self.text and not self.amount


def read(post: QueryDict) -> list[Draft]:
    """The lines that the form sent; items that are gone become free lines with their name."""
    columns = [post.getlist(name) for name in ("line_item", "line_text", "line_quantity", "line_amount")]
    rows = list(zip(*columns, strict=False))[:MOST_LINES]
    items = Item.objects.in_bulk([int(row[0]) for row in rows if row[0].isascii() and row[0].isdigit()])
    drafts = []
    for item_id, text, quantity, amount in rows:
        item = items.get(int(item_id)) if item_id.isascii() and item_id.isdigit() else None
        pieces = int(quantity) if quantity.isascii() and quantity.isdigit() else 1
        drafts.append(
            Draft(
                item_id=item.pk if item else None,
                name=item.name if item else "",
                text=text.strip(),
                quantity=min(max(pieces, 1), MOST_PIECES),
                amount=amount.strip().replace(",", "").replace("，", ""),
                price_minor=item.price_minor if item else None,
            )
        )
    return drafts


def add(drafts: list[Draft], item: Item, currency: str) -> list[Draft]:
    """One more of the item: a further piece where it is there already, else a line in place of a blank one."""
    kept = [draft for draft in drafts if not draft.is_blank]
    for place, draft in enumerate(kept):
        if draft.item_id == item.pk and draft.quantity < MOST_PIECES:
            kept[place] = _one_more(draft, currency)
            return kept
    amount = "" if item.price_minor is None else typed(item.price_minor, currency)
    new = Draft(item.pk, item.name, quantity=1, amount=amount, price_minor=item.price_minor)
    return [*kept, new][:MOST_LINES]


def _one_more(draft: Draft, currency: str) -> Draft:
    more = replace(draft, quantity=draft.quantity + 1)
    if draft.price_minor is None:
        return more
    try:
        amount = to_minor(draft.amount or "0", currency)
    except ValueError:
        return more
    return replace(more, amount=typed(amount + draft.price_minor, currency))


def of_receipt(lines: Iterable[Line], currency: str) -> list[Draft]:
    """The lines of a receipt, to be given back."""
    return [
        Draft(
            item_id=line.item_id,
            name=line.item.name if line.item else "",
            text=line.description,
            quantity=max(1, line.quantity_milli // 1000),
            amount=typed(line.amount_minor, currency),
            price_minor=line.item.price_minor if line.item else None,
        )
        for line in lines
    ]


def total_minor(drafts: list[Draft], currency: str) -> int:
    """What the lines come to so far; what is no amount yet counts nothing."""
    total = 0
    for draft in drafts:
        try:
            total += to_minor(draft.amount or "0", currency)
        except ValueError:
            continue
    return total


def as_lines(drafts: list[Draft], currency: str) -> list[NewLine]:
    """The lines to be recorded. Refuses what is no amount, beside its line."""
    items = Item.objects.select_related("category").in_bulk([one.item_id for one in drafts if one.item_id])
    lines = []
    for place, draft in enumerate(drafts):
        if draft.is_blank:
            continue
        try:
            amount = to_minor(draft.amount, currency)
        except ValueError:
            raise Invalid(
                field=f"amount-{place}", reason="write the amount as a number, such as 288 or 12.50"
            ) from None
        item = items.get(draft.item_id or 0)
        lines.append(
            NewLine(
                amount_minor=amount,
                item=item,
                description=draft.text,
                quantity_milli=draft.quantity * 1000,
                kind="service",
            )
        )
    if not lines:
        raise Invalid(field="lines", reason="choose what was sold, or write an amount")
    return lines


def typed(minor: int, currency: str) -> str:
    """As one types it: 28800 -> 288, 1250 -> 12.50."""
    major = to_major(minor, currency)
    return str(int(major)) if major == major.to_integral_value() else str(major)


@dataclass(frozen=True)
class Part:
    """A part that was paid in another way, as typed."""

    kind: str = ""
    amount: str = ""
    error: str = ""


def read_parts(post: QueryDict) -> list[Part]:
    """The further ways of paying that the form sent."""
    rows = zip(post.getlist("part_kind"), post.getlist("part_amount"), strict=False)
    return [
        Part(kind.strip(), amount.strip().replace(",", "").replace("，", ""))
        for kind, amount in list(rows)[:MOST_LINES]
    ]


def as_paid(parts: Sequence[Part], currency: str, kinds: Sequence[str]) -> list[Paid]:
    """The further ways to be recorded; a blank one is none. Refuses what is no amount, beside its row."""
    paid = []
    for place, part in enumerate(parts):
        if not part.amount:
            continue
        try:
            amount = to_minor(part.amount, currency)
        except ValueError:
            raise Invalid(field=f"part-{place}", reason="write the amount as a number, such as 288 or 12.50") from None
        if part.kind not in kinds:
            raise Invalid(field=f"part-{place}", reason="choose how this part was paid")
        if amount < 0:
            raise Invalid(field=f"part-{place}", reason="must not be negative")
        paid.append(Paid(part.kind, amount))
    return paid
