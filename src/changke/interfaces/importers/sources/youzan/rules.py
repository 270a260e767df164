"""How the rows of a Youzan order export become receipts and returns. Pure.

An order that was closed after it was paid was paid all the same: its refund says so. What was really paid
(订单实付金额) decides where lines and order differ, as freight and coupons of the order stand in no line: the rest is
one line more.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from changke.interfaces.importers.normalise.numbers import figure
from changke.interfaces.importers.parts import Ground, Row

NEEDS = (
    ("订单号",),
    ("订单状态",),
    ("买家付款时间", "付款时间"),
    ("商品名称", "全部商品名称"),
    ("归属店铺", "店铺名称", "下单网点", "收货人/提货人", "买家昵称"),
)
COLUMNS = {
    "number": ("有赞订单号",), "type": ("类型",), "original_number": ("原单号",), "happened": ("付款时间",),
    "store": ("门店",), "staff": ("员工",), "phone": ("手机号",), "name": ("客户姓名",), "item_code": ("商品编码",),
    "item": ("商品",), "quantity": ("数量",), "unit_price": ("单价",), "amount": ("金额",), "tender": ("支付方式",),
}  # fmt: skip
ADJUSTED, REFUNDED = "运费与优惠", "退款"


def orders(rows: Iterator[Row], ground: Ground) -> Iterator[Row]:
    for _, group in groupby(rows, key=lambda row: row.get("订单号") or f"\0{row.line}"):
        yield from order(list(group))


def order(rows: list[Row]) -> Iterator[Row]:
    first = rows[0]
    paid_at = first.get("买家付款时间", "付款时间")
    problem = "" if paid_at else "order_not_paid"
    head = {
        "number": first.get("订单号"), "happened": paid_at,
        "store": first.get("归属店铺", "下单网点", "店铺名称"), "staff": first.get("导购员", "销售员"),
        "phone": first.get("买家手机号", "会员手机号", "收货人手机号/提货人手机号", "收货人手机号"),
        "name": first.get("买家姓名", "会员姓名", "收货人/提货人", "收货人"),
        "tender": first.get("支付方式", "付款方式"),
    }  # fmt: skip
    total, back = Decimal(0), Decimal(0)
    for row in rows:
        amount = row.get("商品实际成交金额", "商品金额合计", "商品实付金额")
        quantity, price = row.get("商品数量", "数量"), row.get("商品单价", "单价")
        paid_for = figure(amount) if amount else _times(quantity, price)
        total += paid_for or 0
        back += figure(row.get("商品已退款金额")) or 0
        yield Row(
            row.line,
            {
                **head, "item_code": row.get("规格编码", "商品编码"), "item": row.get("商品名称", "全部商品名称"),
                "quantity": quantity, "unit_price": price, "amount": str(paid_for) if paid_for is not None else amount,
            },
            row.problem or problem,
        )  # fmt: skip
    if problem:
        return
    paid = figure(first.get("订单实付金额"))
    if first.get("订单实付金额") and paid != total:
        amount = first.get("订单实付金额") if paid is None else str(paid - total)
        yield Row(first.line, {**head, "item": ADJUSTED, "quantity": "1", "amount": amount}, first.problem)
    back = back or figure(first.get("订单已退款金额")) or Decimal(0)
    if back > 0:
        happened = first.get("退款成功时间", "交易关闭时间", "交易完成时间") or paid_at
        refund = {**head, "type": "return", "original_number": head["number"], "item": REFUNDED, "happened": happened}
        yield Row(first.line, {**refund, "quantity": "1", "amount": str(back)}, first.problem)


def _times(quantity: str, price: str) -> Decimal | None:
    many, each = figure(quantity), figure(price)
    return None if many is None or each is None else many * each
