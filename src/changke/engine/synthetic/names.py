"""Chinese names, phones and the small facts that a shop writes about a person.

The middle four digits of every phone are as good as zeros: an invented number is recognised at a glance, and nobody
should dial it.
"""

import numpy as np

from .chance import Chance, pick
from .tables import Integers, Texts


def _weighted(text: str) -> tuple[tuple[str, float], ...]:
    """Words and their weights by turns."""
    parts = text.split()
    return tuple((word, float(weight)) for word, weight in zip(parts[::2], parts[1::2], strict=True))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Surnames by how many of ten thousand carry them, then compound ones, then rare ones that old software cannot write.
SURNAMES = _weighted(
    """
    王 725 李 719 张 683 刘 538 陈 453 杨 308 黄 223 赵 229 吴 205 周 212 徐 166 孙 154 马 119 朱 126
    胡 131 郭 115 何 117 林 118 高 110 罗 108 郑 93 梁 89 谢 76 宋 81 唐 70 许 68 韩 68 邓 65
    冯 65 曹 60 彭 58 曾 58 肖 59 田 53 董 56 潘 50 袁 50 蔡 46 蒋 47 余 41 于 48 杜 47
    叶 42 程 49 魏 45 苏 48 吕 46 丁 43 任 42 卢 41 姚 41 沈 41 钟 40 姜 39 崔 38 谭 38
    陆 36 范 37 汪 36 廖 34 石 35 金 35 韦 32 贾 34 夏 33 付 32 方 33 邹 30 熊 30 白 29
    孟 29 秦 29 邱 28 侯 27 江 27 尹 25 薛 26 闫 25 段 24 雷 24 龙 22 黎 22 史 22 陶 21
    贺 21 毛 20 郝 20 顾 20 龚 20 邵 20 万 20 覃 18 武 19 钱 19 戴 19 严 18 莫 17 孔 17
    向 16 常 16 温 12 单 6 解 6 查 6 仇 4 区 4 欧阳 9 上官 2 司马 2 诸葛 1 皇甫 1 尉迟 1
    慕容 1 令狐 1 亓 1 逄 1 缑 0.5 𠮷 0.3
    """
)
WOMEN_OLD = _words(
    """
    芳 敏 丽 静 娟 燕 红 艳 玲 英 霞 秀英 丽华 桂兰 玉梅 淑珍 建华 晓红 秀兰 美玲
    春梅 海燕 慧 琴 萍 莉 云 雪梅 爱华 凤英
    """
)
WOMEN_80 = _words(
    """
    静 婷 丽 娜 敏 艳 丹 晶 倩 莉 颖 洁 雪 玲 慧 琳 婷婷 丽丽 晓燕 雪梅
    海霞 佳 璐 媛 蕾 瑶 欢 露 莎莎 晓丽 文静 丽娜 玉洁 春燕 芳芳 佩
    """
)
WOMEN_90 = _words(
    """
    雨欣 梦瑶 思雨 欣怡 佳怡 婉婷 诗雅 静怡 梦洁 雅琪 晓雯 嘉欣 思琪 佳琪 雪莹 丹妮 紫薇 依婷 可馨 心怡
    佳慧 雅婷 梦婷 晓彤 诗琪 玥 婧 瑾 菲 璇 怡 悦 冰 楠 萌 雯 薇 妍 琪 彤
    若曦 雨桐 子涵 思颖 慧敏 文慧 晓晓 语嫣 芷若 凌薇 一诺 柔 蓓 珂 翀 堃
    """
)
WOMEN_00 = _words(
    """
    子涵 梓涵 欣妍 诗涵 雨桐 可欣 一诺 语桐 梓萱 雨萱 佳怡 紫涵 奕辰 艺涵 思彤 若溪 沐晴 芷晴 书瑶 锦瑟
    玥彤 清妍 知夏 念 苒 䶮
    """
)
MEN = _words(
    """
    伟 强 磊 洋 勇 军 杰 涛 超 明 刚 鹏 浩 宇 俊杰 浩然 子轩 宇航 志强 建国
    文博 嘉豪 天宇 泽宇 晨 昊 睿 航 凯 犇 昉 梓豪 一鸣
    """
)
NICKNAMES = _words("女士 女士 女士 小姐 姐 太太")
FOREIGN = ("Lisa 陈", "Amy", "Coco 林", "Mia🌸", "Vivian Zhang", "古丽·买买提", "阿依古丽", "Anna")

OCCUPATIONS = _weighted(
    """
    公司职员 24 教师 9 医护人员 8 个体经营 11 自由职业 9 全职妈妈 9 公务员 6 销售 9
    财务 6 设计师 4 学生 7 企业主 4 主播 2 工程师 5 退休 2
    """
)
INCOME_BANDS = _weighted("5千以下 16 5千-1万 38 1-2万 28 2-5万 13 5万以上 5")
INTERESTS = _words("瑜伽 旅行 健身 追剧 亲子 烘焙 摄影 徒步 读书 宠物 穿搭 咖啡 广场舞 露营")
LIVING = _words("独居 与伴侣同住 与父母同住 有一个孩子 有两个孩子 合租")
ALLERGIES = _words("酒精过敏 水杨酸过敏 果酸不耐受 花粉过敏 金属过敏 乳胶过敏 对薰衣草精油过敏 甲油胶过敏 海鲜过敏")
PREFIXES = _words(
    "130 131 132 133 135 136 137 138 139 150 151 152 153 155 156 157 158 "
    "159 176 177 178 180 181 182 183 185 186 187 188 189 191 198 199"
)


def names(chance: Chance, *, women: list[bool], birth_years: list[int], in_full: bool = False) -> Texts:
    """A name each, after the fashion of her decade; some stand in the books only as 王女士, unless `in_full`."""
    size = len(women)
    surnames = pick(chance, [weight for _, weight in SURNAMES], size).tolist()
    given = chance.integers(0, 1 << 30, size).tolist()
    odd = np.where(in_full, 1.0, chance.random(size)).tolist()
    pools = (WOMEN_OLD, WOMEN_80, WOMEN_90, WOMEN_00, MEN, NICKNAMES)
    result = []
    for surname, number, oddity, woman, year in zip(surnames, given, odd, women, birth_years, strict=True):
        if oddity < 0.004:
            result.append(FOREIGN[number % len(FOREIGN)])
            continue
        if not woman:
            pool = pools[4]
        elif oddity < 0.03:
            pool = pools[5]
        else:
            pool = pools[0 if year < 1980 else 1 if year < 1990 else 2 if year < 2000 else 3]
        result.append(SURNAMES[surname][0] + pool[number % len(pool)])
    return result


def phones(chance: Chance, size: int) -> Texts:
    """Distinct mobile numbers, E.164."""
    start = int(chance.integers(0, 10_000))
    shifts = chance.permutation(len(PREFIXES)).tolist()
    result = []
    for position in range(size):
        block, prefix = divmod(position, len(PREFIXES))
        page, tail = divmod(block, 10_000)
        result.append(
            f"+86{PREFIXES[shifts[prefix]]}{page:04d}{(start + tail * 7919 + prefix * 613) % 10_000:04d}"
        )  # 7919 and 10,000 share no factor
    return result


def words(chance: Chance, choices: tuple[tuple[str, float], ...], size: int, *, known: float) -> Texts:
    """One of the choices by weight for a share of the people, "" for the rest."""
    drawn = pick(chance, [weight for _, weight in choices], size).tolist()
    told = (chance.random(size) < known).tolist()
    return [choices[position][0] if tell else "" for position, tell in zip(drawn, told, strict=True)]


def birth_years(chance: Chance, size: int, *, year: int) -> Integers:
    """Mostly the 90后 and 95后 of the trade, with everybody else around them. `year` is the world's last."""
    decades = (
        (1955, 12, 4),
        (1967, 13, 10),
        (1980, 10, 26),
        (1990, 5, 20),
        (1995, 5, 24),
        (2000, 8, 16),
    )  # first year, how many, weight
    group = pick(chance, [weight for *_, weight in decades], size)
    first = np.array([decade[0] for decade in decades])[group]
    span = np.array([decade[1] for decade in decades])[group]
    return np.asarray(np.minimum(first + chance.random(size) * span, year - 16), dtype=np.int64)
