"""Write the sample files of the tutorials: what a till and an old customer book export, from the invented chain.

    python scripts/make_samples.py playbooks/beauty/samples

The files are awkward on purpose, as real ones are: one is GBK, one has title rows, totals and two sheets, some receipts
have no customer, some phones are missing. The same script always writes the same cells; a test compares.
"""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl  # type: ignore[import-untyped]

from changke.engine.synthetic import World, invent


def _columns(*parts: str) -> tuple[str, ...]:
    return tuple(" ".join(parts).split())


SEED, TODAY, CUSTOMERS = 20, date(2026, 10, 31), 110
TYPES = {"sale": "消费", "use": "耗卡", "return": "退款"}
ITEM_KINDS = {"service": "服务", "product": "产品", "card": "疗程卡", "topup": "充值"}
TENDERS = {
    "cash": "现金", "card": "银行卡", "wechat": "微信", "alipay": "支付宝", "stored_value": "储值", "session": "耗卡",
}  # fmt: skip
PURCHASE_COLUMNS = _columns(
    "单号 原单号 类型 消费时间 门店 会员编号 会员手机号 会员姓名",
    "项目 项目类型 数量 单价 实收金额 支付方式 服务人员",
)
CUSTOMER_COLUMNS = _columns(
    "会员编号 姓名 手机号 性别 生日 职业",
    "所属门店 专属顾问 客户来源 入会日期 标签 过敏史",
)

Cell = str | int | float
Row = tuple[Cell, ...]


def sample_world() -> World:
    return invent(SEED, today=TODAY, customers=CUSTOMERS, stores=3, years=1)


def purchases(world: World) -> Iterator[Row]:
    """One row per line of a receipt; receipts paid in two ways are left out, a till export has one column for it."""
    receipts, lines = world.receipts.values(), world.lines.values()
    ways = np.bincount(world.tenders.receipt, minlength=len(world.receipts))
    tender = dict(zip(world.tenders.receipt.tolist(), world.tenders.kind, strict=True))
    for receipt, item, price, amount in zip(
        lines["receipt"], lines["item"], lines["unit_price_minor"], lines["amount_minor"], strict=True
    ):
        if ways[receipt] > 1:
            continue
        customer, store = receipts["customer"][receipt], receipts["store"][receipt]
        zone = ZoneInfo(world.stores.time_zone[store])
        moment = receipts["happened_at"][receipt].replace(tzinfo=UTC).astimezone(zone)
        known = customer is not None
        yield (
            receipts["number"][receipt], receipts["original_number"][receipt], TYPES[receipts["kind"][receipt]],
            f"{moment:%Y-%m-%d %H:%M}", world.stores.name[store],
            world.customers.source_key[customer] if known else "",
            world.customers.phone[customer].removeprefix("+86") if known else "",
            world.customers.name[customer] if known else "散客",
            world.items.name[item], ITEM_KINDS[world.items.kind[item]], 1, price / 100, amount / 100,
            TENDERS.get(tender.get(receipt, ""), ""), world.staff.name[receipts["staff"][receipt]],
        )  # fmt: skip


def customers(world: World) -> Iterator[Row]:
    """The customer book; who has a letter in her name that GBK does not know was never typed into it."""
    book = world.customers.values()
    for row in range(len(world.customers)):
        if not _in_gbk(book["name"][row]):
            continue
        year, month, day = (book[f"birth_{part}"][row] for part in ("year", "month", "day"))
        adviser = book["adviser"][row]
        yield (
            book["source_key"][row], book["name"][row], book["phone"][row].removeprefix("+86"),
            {"f": "女", "m": "男", "": ""}[book["gender"][row]],
            f"{year}年{month}月{day}日" if year and month else "", book["occupation"][row],
            world.stores.name[book["home_store"][row]], "" if adviser is None else world.staff.name[adviser],
            book["source"][row], f"{book['known_on'][row]:%Y/%m/%d}", "、".join(book["tags"][row]),
            book["allergies"][row],
        )  # fmt: skip


def october(world: World) -> dict[str, list[Row]]:
    """A month as the workbook of a manager: a sheet per store, titles above the header, a total below."""
    sheets: dict[str, list[Row]] = {}
    rows = [dict(zip(PURCHASE_COLUMNS, row, strict=True)) for row in purchases(world)]
    columns = [column for column in PURCHASE_COLUMNS if column not in ("门店", "原单号", "会员编号")]
    for store in world.stores.name[:2]:
        chosen = [row for row in rows if row["门店"] == store and str(row["消费时间"]).startswith("2026-10")]
        total = sum(float(row["实收金额"]) for row in chosen if row["类型"] == "消费")
        sheets[store] = [
            (f"{world.name} · {store} 2026年10月收银明细",),
            ("导出时间: 2026-11-01 09:12    导出人: 店长",),
            (),
            tuple(columns),
            *(tuple(row[column] for column in columns) for row in chosen),
            ("合计", *[""] * (columns.index("实收金额") - 1), total),
        ]
    return sheets


def as_csv(header: Row, rows: Iterator[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _in_gbk(text: str) -> bool:
    try:
        text.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    world = sample_world()
    (folder / "purchases.csv").write_bytes(as_csv(PURCHASE_COLUMNS, purchases(world)).encode())
    (folder / "customers-gbk.csv").write_bytes(as_csv(CUSTOMER_COLUMNS, customers(world)).encode("gbk"))
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in october(world).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(folder / "purchases-2026-10.xlsx")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
