"""What the chain sells. The same services, prices, costs and cycles as the beauty playbook; a test compares the two.

A few things have no cost on purpose: shops never know all of them, and profit must say so.
"""

from dataclasses import dataclass

import numpy as np

from .tables import MISSING, Categories, Items, Numbers

YUAN = 100

CATEGORIES: tuple[tuple[str, int | None], ...] = (  # margin in basis points, where the chain counts by percentage
    ("新客体验", None),
    ("面部护理", None),
    ("仪器抗衰", None),
    ("身体养护", None),
    ("养生调理", None),
    ("美甲美睫", None),
    ("冰点脱毛", 6500),
    ("家居护肤", 5500),
    ("营养美容", None),
    ("疗程卡", None),
    ("储值", None),
)

# code, name, category, price in yuan, cost in yuan, usual cycle in days, how often women and men come for it
SERVICES: tuple[tuple[str, str, str, int, int | None, int | None, float, float], ...] = (
    ("T01", "新客清洁补水体验", "新客体验", 128, 42, None, 0, 0),
    ("F01", "小气泡深层清洁", "面部护理", 298, 45, 28, 12, 10),
    ("F02", "玻尿酸补水护理", "面部护理", 398, 70, 28, 15, 4),
    ("F03", "敏感肌舒缓修护", "面部护理", 458, 85, 21, 9, 3),
    ("F04", "胶原紧致抗衰", "面部护理", 680, 150, 28, 9, 1),
    ("F05", "亮肤焕白护理", "面部护理", 520, 105, 28, 8, 1),
    ("F06", "清痘调理护理", "面部护理", 368, 60, 14, 7, 12),
    ("F07", "眼周抗衰护理", "面部护理", 260, 40, 14, 4, 0),
    ("A01", "射频紧肤", "仪器抗衰", 1280, 320, 30, 4, 0),
    ("A02", "超声提拉", "仪器抗衰", 2980, 860, 90, 1, 0),
    ("B01", "肩颈舒缓推拿", "身体养护", 268, 55, 14, 6, 16),
    ("B02", "全身精油舒压", "身体养护", 498, 95, 21, 6, 5),
    ("B03", "背部刮痧祛湿", "身体养护", 238, 40, 14, 4, 8),
    ("B04", "腹部塑形护理", "身体养护", 398, 80, 10, 3, 0),
    ("Y01", "艾灸温养", "养生调理", 188, 30, 10, 4, 4),
    ("Y02", "头皮养护", "养生调理", 258, 50, 14, 4, 14),
    ("Y03", "三伏贴", "养生调理", 168, 32, 10, 0, 0),
    ("M01", "单色美甲", "美甲美睫", 168, 35, 21, 8, 0),
    ("M02", "款式美甲", "美甲美睫", 268, 60, 21, 7, 0),
    ("M03", "自然款嫁接睫毛", "美甲美睫", 298, 55, 30, 6, 0),
    ("H01", "腋下冰点脱毛", "冰点脱毛", 380, None, 35, 3, 0),
    ("H02", "全腿冰点脱毛", "冰点脱毛", 980, None, 35, 2, 1),
)

PRODUCTS: tuple[tuple[str, str, str, int, int | None], ...] = (
    ("P01", "玻尿酸补水面膜(5片)", "家居护肤", 168, 48),
    ("P02", "氨基酸洁面乳", "家居护肤", 138, 36),
    ("P03", "舒缓修护精华液 30ml", "家居护肤", 420, 130),
    ("P04", "轻薄防晒乳 SPF50+", "家居护肤", 198, 62),
    ("P05", "抗皱眼霜 15g", "家居护肤", 368, 110),
    ("P06", "身体护理精油 50ml", "家居护肤", 218, None),
    ("P07", "胶原蛋白肽饮(10支)", "营养美容", 598, None),
)

CARDS: tuple[tuple[str, str, str, int, int], ...] = (  # code, name, service, sessions, price in yuan
    ("K01", "深层清洁疗程卡(10次)", "F01", 10, 2380),
    ("K02", "补水疗程卡(10次)", "F02", 10, 3180),
    ("K03", "敏感修护疗程卡(10次)", "F03", 10, 3680),
    ("K04", "胶原紧致疗程卡(12次)", "F04", 12, 6580),
    ("K05", "焕白疗程卡(10次)", "F05", 10, 4180),
    ("K06", "清痘疗程卡(8次)", "F06", 8, 2360),
    ("K07", "眼周抗衰疗程卡(10次)", "F07", 10, 2080),
    ("K08", "射频紧肤疗程卡(6次)", "A01", 6, 6380),
    ("K09", "肩颈舒缓次卡(10次)", "B01", 10, 2180),
    ("K10", "精油舒压次卡(10次)", "B02", 10, 3980),
    ("K11", "刮痧祛湿次卡(10次)", "B03", 10, 1880),
    ("K12", "腹部塑形疗程卡(10次)", "B04", 10, 3180),
    ("K13", "艾灸温养次卡(10次)", "Y01", 10, 1480),
    ("K14", "头皮养护次卡(10次)", "Y02", 10, 2080),
    ("K15", "单色美甲次卡(6次)", "M01", 6, 828),
    ("K16", "腋下脱毛疗程卡(6次)", "H01", 6, 1680),
)

TOPUPS: tuple[tuple[str, int, int], ...] = (
    ("V01", 1000, 50),
    ("V02", 3000, 300),
    ("V03", 5000, 600),
    ("V04", 10000, 1500),
)


@dataclass(frozen=True)
class Catalogue:
    categories: Categories
    items: Items
    by_code: dict[str, int]
    for_women: Numbers  # how often each item is the need a customer comes for
    for_men: Numbers


def catalogue() -> Catalogue:
    category = {name: position for position, (name, _) in enumerate(CATEGORIES)}
    rows: list[tuple[str, str, str, int, int, int | None, int | None, str, int | None, int | None]] = [
        (code, name, "service", category[where], price, cost, cycle, "", None, None)
        for code, name, where, price, cost, cycle, _, _ in SERVICES
    ]
    rows += [
        (code, name, "product", category[where], price, cost, None, "", None, None)
        for code, name, where, price, cost in PRODUCTS
    ]
    rows += [
        (code, name, "card", category["疗程卡"], price, None, None, of, sessions, None)
        for code, name, of, sessions, price in CARDS
    ]
    rows += [
        (code, f"储值{price}元(赠{bonus}元)", "topup", category["储值"], price, None, None, "", None, bonus)
        for code, price, bonus in TOPUPS
    ]
    by_code = {row[0]: position for position, row in enumerate(rows)}
    items = Items(
        code=[row[0] for row in rows],
        name=[row[1] for row in rows],
        kind=[row[2] for row in rows],
        category=np.array([row[3] for row in rows], dtype=np.int64),
        price_minor=np.array([row[4] * YUAN for row in rows], dtype=np.int64),
        unit_cost_minor=np.array([MISSING if row[5] is None else row[5] * YUAN for row in rows], dtype=np.int64),
        usual_cycle_days=np.array([MISSING if row[6] is None else row[6] for row in rows], dtype=np.int64),
        service=np.array([by_code.get(row[7], MISSING) for row in rows], dtype=np.int64),
        sessions=np.array([MISSING if row[8] is None else row[8] for row in rows], dtype=np.int64),
        bonus_minor=np.array([MISSING if row[9] is None else row[9] * YUAN for row in rows], dtype=np.int64),
    )
    margins = np.array([MISSING if margin is None else margin for _, margin in CATEGORIES], dtype=np.int64)
    wanted = np.zeros((2, len(rows)))
    for position, (*_, women, men) in enumerate(SERVICES):
        wanted[:, position] = women, men
    return Catalogue(Categories([name for name, _ in CATEGORIES], margins), items, by_code, wanted[0], wanted[1])
