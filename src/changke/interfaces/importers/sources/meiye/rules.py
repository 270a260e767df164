"""What the sheets of a salon's till are called, and their columns. Pure."""

NUMBER = ("会员号", "会员编号", "会员卡号", "卡号", "顾客编号")
PHONE = ("手机号", "手机", "手机号码", "联系电话", "会员手机")
STORE = ("所属门店", "门店", "归属门店", "开卡门店")

CARD_NEEDS = (NUMBER + PHONE, ("卡项名称", "卡名称", "疗程名称", "项目卡名称"), ("剩余次数", "剩余", "余次"))
CARD_COLUMNS = {
    "customer_id": NUMBER, "phone": PHONE, "name": ("姓名", "会员姓名", "客户姓名"), "store": STORE,
    "card": ("卡项名称", "卡名称", "疗程名称", "项目卡名称"), "card_number": ("卡编号", "卡序号", "购卡单号"),
    "sessions": ("总次数", "购买次数", "次数"), "remaining": ("剩余次数", "剩余", "余次"),
    "value": ("剩余金额", "余额", "剩余价值"),
    "bought_on": ("购卡日期", "办卡日期", "开卡日期", "购买日期"),
    "expires_on": ("到期日期", "有效期至", "到期时间", "有效期"),
}  # fmt: skip

VISIT_NEEDS = (
    NUMBER + PHONE,
    ("到店时间", "到店日期", "服务时间", "服务日期"),
    ("服务项目", "项目名称", "到店目的", "服务人员", "美容师"),
)
VISIT_COLUMNS = {
    "customer_id": NUMBER, "phone": PHONE, "name": ("姓名", "会员姓名", "客户姓名"),
    "happened": ("到店时间", "到店日期", "服务时间", "服务日期"), "store": ("门店", "到店门店", "服务门店", "所属门店"),
    "staff": ("美容师", "服务人员", "技师", "服务员工"), "purpose": ("服务项目", "项目名称", "到店目的"),
}  # fmt: skip

MEMBER_NEEDS = (
    NUMBER,
    ("姓名", "会员姓名", "客户姓名"),
    PHONE,
    ("会员等级", "会员级别", "专属美容师", "归属美容师", "建档日期", "皮肤类型"),
)
MEMBER_COLUMNS = {
    "customer_id": NUMBER, "name": ("姓名", "会员姓名", "客户姓名"), "phone": PHONE, "gender": ("性别",),
    "birthday": ("生日", "出生日期", "会员生日"), "store": STORE,
    "adviser": ("专属美容师", "归属美容师", "美容师", "顾问"),
    "source": ("客户来源", "来源", "会员来源"), "known_on": ("建档日期", "入会日期", "开卡日期", "注册日期"),
    "tags": ("标签", "会员等级", "会员级别", "皮肤类型"),
    "allergies": ("过敏史", "禁忌", "过敏"), "city": ("地址", "住址"),
}  # fmt: skip
