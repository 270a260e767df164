"""What a receipt means in money: what came in, what was rendered, what it earned. See docs/algorithms/money.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

GOODS = frozenset({"service", "product", "other"})
"""Items whose sale renders something; cards and top-ups only bring in money to be used later."""

NO_NEW_MONEY = frozenset({"stored_value", "session", "points"})


@dataclass(frozen=True)
class SoldLine:
    """One line as the till knows it. Amounts in minor units, quantity in thousandths, margin in 1/100 percent."""

    item_kind: str
    amount_minor: int
    quantity_milli: int = 1000
    cost_minor: int | None = None
    margin_basis_points: int | None = None


@dataclass(frozen=True)
class Paid:
    kind: str
    amount_minor: int


@dataclass(frozen=True)
class Reckoning:
    """The roll-up kept on the receipt, computed once at intake: facts do not change."""

    kind: str
    cash_minor: int
    consumed_minor: int
    margin_minor: int | None
    margin_basis: str
    items: int


def reckon(lines: Sequence[SoldLine], tenders: Sequence[Paid], *, is_return: bool = False) -> Reckoning:
    """Roll lines and tenders up. Without tenders the whole was paid with new money."""
    total = sum(line.amount_minor for line in lines)
    cash = sum(paid.amount_minor for paid in tenders if paid.kind not in NO_NEW_MONEY) if tenders else total
    rendered = [line for line in lines if line.item_kind in GOODS]
    consumed = sum(line.amount_minor for line in rendered)
    margin, basis = margin_of(rendered)
    old_money_only = bool(tenders) and all(paid.kind in NO_NEW_MONEY for paid in tenders)
    kind = "return" if is_return else "use" if old_money_only and consumed > 0 else "sale"
    return Reckoning(kind, cash, consumed, margin, basis, sum(pieces(line) for line in rendered))


class PartsExceedWhole(ValueError):
    """More was paid in parts than the whole came to."""


def split(whole_minor: int, kind: str, parts: Sequence[Paid]) -> list[Paid]:
    """The tenders of a receipt of which some parts were paid in other ways: the rest is paid by `kind`.

    One tender per way, in the order they were named; together exactly the whole.
    """
    rest = whole_minor - sum(part.amount_minor for part in parts)
    if rest < 0:
        raise PartsExceedWhole
    paid: dict[str, int] = {kind: rest} if rest or not parts else {}
    for part in parts:
        if part.amount_minor:
            paid[part.kind] = paid.get(part.kind, 0) + part.amount_minor
    return [Paid(way, amount) for way, amount in (paid or {kind: 0}).items()]


def margin_of(rendered: Sequence[SoldLine]) -> tuple[int | None, str]:
    """Margin of what was rendered and on which basis: cost of the item first, else the category's percentage.

    One line of unknown margin makes the whole unknown: half a profit is not a profit.
    """
    total, bases = 0, set()
    for line in rendered:
        if line.cost_minor is not None:
            total += line.amount_minor - line.cost_minor
            bases.add("cost")
        elif line.margin_basis_points is not None:
            total += line.amount_minor * line.margin_basis_points // 10_000
            bases.add("percent")
        else:
            return None, "unknown"
    if not bases:
        return None, "unknown"
    return total, bases.pop() if len(bases) == 1 else "mixed"


def pieces(line: SoldLine) -> int:
    """Whole pieces; half a metre of cloth is one item."""
    return max(1, line.quantity_milli // 1000)


class Verdict(StrEnum):
    """What becomes of a return."""

    FITS = "fits"
    WAITS = "waits"
    """Its purchase is not here yet: recorded or held back, but never refused for that."""
    EXCEEDS = "exceeds"


@dataclass(frozen=True)
class GivenBack:
    """A receipt as its returns see it: what its lines came to, and how much of that was given back already."""

    paid_minor: int
    gone_minor: int = 0

    @property
    def left_minor(self) -> int:
        return max(0, self.paid_minor - self.gone_minor)

    def less(self, back_minor: int) -> "GivenBack":
        """After a further return."""
        return GivenBack(self.paid_minor, self.gone_minor + back_minor)


def judge_return(back_minor: int, *, names_receipt: bool, original: GivenBack | None) -> Verdict:
    """Whether so much can be given back.

    Parameters
    ----------
    names_receipt
        Whether it says what it gives back. One that does not is not judged: see docs/algorithms/money.md.
    original
        The receipt that it names, if it is here.
    """
    if not names_receipt:
        return Verdict.FITS
    if original is None:
        return Verdict.WAITS
    return Verdict.FITS if back_minor <= original.left_minor else Verdict.EXCEEDS
