"""How the rows of 悟空CRM become ours. Pure."""

from collections.abc import Iterator

from changke.interfaces.importers.parts import Ground, Row

CUSTOMER_NEEDS = (("客户名称",), ("负责人", "创建人"), ("客户级别", "客户来源", "成交状态", "最后跟进时间"))
LEAD_NEEDS = (("线索名称",), ("线索来源", "负责人"))
CONTACT_NEEDS = (
    ("姓名", "联系人姓名", "联系人名称"),
    ("客户名称",),
    ("职务", "是否关键决策人", "关键决策人", "决策人"),
)
FOLLOW_UP_NEEDS = (
    ("跟进内容", "跟进记录", "沟通内容"),
    ("客户名称", "所属客户", "关联客户"),
    ("跟进时间", "跟进方式", "记录类型", "跟进类型"),
)

CUSTOMER_COLUMNS = {
    "customer_id": ("客户编号",), "name": ("客户名称",), "phone": ("手机",), "email": ("邮箱",),
    "source": ("客户来源",), "adviser": ("负责人",), "city": ("地址",), "known_on": ("创建时间",), "tags": ("标签",),
}  # fmt: skip
LEAD_COLUMNS = {
    "name": ("线索姓名",), "phone": ("手机",), "email": ("邮箱",), "source": ("来源",), "adviser": ("负责人",),
    "city": ("地址",), "known_on": ("创建时间",), "tags": ("标签",),
}  # fmt: skip
CONTACT_COLUMNS = {
    "customer_id": ("客户编号",), "name": ("客户名称",), "phone": ("手机",), "email": ("邮箱",),
    "happened": ("时间",), "staff": ("记录人",), "text": ("联系人说明",),
}  # fmt: skip
NOTE_COLUMNS = {
    "customer_id": ("客户编号",), "name": ("客户名称",), "happened": ("时间",), "staff": ("记录人",),
    "text": ("记录内容",),
}  # fmt: skip

LEAD_TAG = "线索"
YES = frozenset({"是", "1", "yes", "true", "y"})


def customers(rows: Iterator[Row], ground: Ground) -> Iterator[Row]:
    for row in rows:
        name = row.get("客户名称")
        tags = [word for word in (row.get("客户级别"), row.get("客户行业")) if word]
        yield Row(
            row.line,
            {
                "customer_id": name, "name": name, "phone": row.get("手机", "电话"), "email": row.get("邮箱"),
                "source": row.get("客户来源"), "adviser": row.get("负责人"), "city": _place(row),
                "known_on": row.get("创建时间"), "tags": "、".join(tags),
            },
            row.problem,
        )  # fmt: skip


def leads(rows: Iterator[Row], ground: Ground) -> Iterator[Row]:
    """Somebody who has not bought yet. Leads have no unique name there: phone or e-mail says who it is."""
    for row in rows:
        yield Row(
            row.line,
            {
                "name": row.get("线索名称"), "phone": row.get("手机", "电话"), "email": row.get("邮箱"),
                "source": row.get("线索来源"), "adviser": row.get("负责人"), "city": _place(row),
                "known_on": row.get("创建时间"), "tags": LEAD_TAG,
            },
            row.problem,
        )  # fmt: skip


def contacts(rows: Iterator[Row], ground: Ground) -> Iterator[Row]:
    """A further person behind a customer: her phone and e-mail find the customer from now on, who she is is a note."""
    for row in rows:
        decides = row.get("是否关键决策人", "关键决策人", "决策人").casefold() in YES
        said = [
            row.get("姓名", "联系人姓名", "联系人名称"),
            row.get("职务"),
            "关键决策人" if decides else "",
            row.get("备注"),
        ]
        name = row.get("客户名称")
        yield Row(
            row.line,
            {
                "customer_id": name, "name": name, "phone": row.get("手机", "电话"), "email": row.get("邮箱"),
                "happened": row.get("创建时间", "更新时间"), "staff": row.get("负责人", "创建人"),
                "text": "联系人：" + " · ".join(part for part in said if part),
            },
            row.problem,
        )  # fmt: skip


def follow_ups(rows: Iterator[Row], ground: Ground) -> Iterator[Row]:
    for row in rows:
        name = row.get("客户名称", "所属客户", "关联客户")
        way, then = row.get("跟进方式", "记录类型", "跟进类型"), row.get("下次联系时间", "下次跟进时间")
        text = row.get("跟进内容", "跟进记录", "沟通内容")
        text = f"【{way}】{text}" if way and text else text
        text = f"{text}（下次联系：{then}）" if then and text else text
        yield Row(
            row.line,
            {
                "customer_id": name, "name": name, "happened": row.get("跟进时间", "创建时间"),
                "staff": row.get("跟进人", "创建人", "负责人"), "text": text,
            },
            row.problem,
        )  # fmt: skip


def _place(row: Row) -> str:
    """`省、市、区` and the street beside it, as one line."""
    area, street = row.get("省、市、区", "省市区", "地区"), row.get("详细地址", "地址")
    return " ".join(dict.fromkeys(part for part in (area, street) if part))
