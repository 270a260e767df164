"""How the rows of a Shopify order export become receipts and returns. Pure.

The amounts of an order's items rarely add up to what was paid: order discounts, shipping and taxes stand in the order
only. What is missing or too much becomes one further line, so that the receipt is exactly the order's Total. A refund
has no date in this export; it counts on the day of cancellation if there is one, else on the day of the order.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from changke.interfaces.importers.normalise.numbers import figure
from changke.interfaces.importers.parts import Ground, Row

NEEDS = (("Name",), ("Financial Status",), ("Lineitem quantity",), ("Lineitem name",), ("Total",))
COLUMNS = {
    "number": ("订单号",), "type": ("类型",), "original_number": ("原单号",), "happened": ("付款时间",),
    "store": ("门店",), "staff": ("员工",), "email": ("邮箱",), "phone": ("手机",), "name": ("客户姓名",),
    "item_code": ("商品编码",), "item": ("商品名称",), "quantity": ("数量",), "unit_price": ("单价",),
    "amount": ("金额",), "tender": ("支付方式",),
}  # fmt: skip
PAID = frozenset({"paid", "partially_paid", "partially_refunded", "refunded"})
ADJUSTED, REFUNDED = "运费、税费与优惠", "退款"


def orders(rows: Iterator[Row], ground: Ground) -> Iterator[Row]:
    for _, group in groupby(rows, key=lambda row: row.get("Name") or f"\0{row.line}"):
        yield from order(list(group), ground)


def order(rows: list[Row], ground: Ground) -> Iterator[Row]:
    """The lines of one order, its adjusting line, and its return."""
    first = next((row for row in rows if row.get("Financial Status")), rows[0])
    problem = refusal(first, ground)
    head = {
        "number": first.get("Name"), "happened": first.get("Paid at", "Created at"), "store": first.get("Location"),
        "staff": first.get("Employee"), "email": first.get("Email"), "phone": first.get("Phone", "Billing Phone"),
        "name": first.get("Billing Name", "Shipping Name"), "tender": first.get("Payment Method"),
    }  # fmt: skip
    total = Decimal(0)
    for row in rows:
        cells = {
            **head, "item_code": row.get("Lineitem sku"), "item": row.get("Lineitem name"),
            "quantity": row.get("Lineitem quantity"), "unit_price": row.get("Lineitem price"),
        }  # fmt: skip
        amount = _line(row)
        if amount is not None:
            total += amount
            cells["amount"] = str(amount)
        # An amount that is no number stands as it came, for the rules of values to name.
        yield Row(row.line, {"amount": row.get("Lineitem price"), **cells}, row.problem or problem)
    if problem:
        return
    paid = figure(first.get("Total"))
    if paid is None:
        yield Row(first.line, {**head, "amount": first.get("Total"), "item": ADJUSTED}, first.problem)
        return
    if paid != total:
        yield Row(first.line, {**head, "item": ADJUSTED, "quantity": "1", "amount": str(paid - total)}, first.problem)
    refund = figure(first.get("Refunded Amount"))
    if refund is None or refund > 0:
        yield Row(
            first.line,
            {
                **head, "type": "return", "original_number": head["number"], "item": REFUNDED, "quantity": "1",
                "happened": first.get("Cancelled at") or head["happened"],
                "amount": first.get("Refunded Amount") if refund is None else str(refund),
            },
            first.problem,
        )  # fmt: skip


def refusal(first: Row, ground: Ground) -> str:
    """Why the whole order is left out: nothing was paid, or in another currency."""
    if first.get("Financial Status").strip().casefold() not in PAID:
        return "order_not_paid"
    currency = first.get("Currency").strip().upper()
    return "row_currency" if ground.currency and currency and currency != ground.currency else ""


def _line(row: Row) -> Decimal | None:
    """Quantity times price less the line's own discount."""
    quantity, price = figure(row.get("Lineitem quantity")), figure(row.get("Lineitem price"))
    discount = figure(row.get("Lineitem discount"))
    return None if quantity is None or price is None or discount is None else quantity * price - discount
