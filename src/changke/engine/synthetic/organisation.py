"""The chain: three regions, its stores, the people who work there, and who of them left."""

from dataclasses import dataclass

import numpy as np

from .chance import Chance, Streams
from .names import names
from .tables import MISSING, Flags, Integers, Numbers, Regions, Staff, Stores, Texts

CHAIN = "沐棠美颜"
REGIONS = ("华东大区", "西南大区", "西北大区")
OFFSETS_HOURS = {"Asia/Shanghai": 8, "Asia/Urumqi": 6}  # no summer time since 1991; a test asks zoneinfo

# region, city, name, size, closed on Mondays, opens, closes, share of the three years before it opened.
# In an order that gives even the smallest chain every region and, from the fourth store on, a second time zone.
STORES: tuple[tuple[int, str, str, float, bool, int, int, float], ...] = (
    (0, "上海", "静安寺店", 1.5, False, 10, 22, 0.0),
    (1, "成都", "春熙路店", 1.3, False, 10, 22, 0.0),
    (2, "西安", "小寨店", 1.1, False, 10, 22, 0.0),
    (2, "乌鲁木齐", "友好北路店", 0.8, True, 11, 22, 0.0),
    (0, "杭州", "武林门店", 1.2, False, 10, 22, 0.0),
    (1, "重庆", "观音桥店", 1.1, False, 10, 22, 0.0),
    (0, "上海", "五角场店", 1.0, False, 10, 22, 0.0),
    (0, "苏州", "观前街店", 0.9, True, 10, 21, 0.0),
    (1, "成都", "金沙店", 0.8, True, 10, 21, 0.0),
    (0, "南京", "新街口店", 1.0, False, 10, 22, 0.35),
    (2, "西安", "高新路店", 0.9, False, 10, 22, 0.5),
    (1, "昆明", "南屏街店", 0.7, False, 10, 22, 0.7),
)
BEAUTICIANS_PER_STORE = 6
TITLES = ("美容顾问", "美容顾问", "高级美容师", "美容师", "美容师", "美容师")
STAFF_LEAVING_PER_YEAR = 0.16


@dataclass(frozen=True)
class Chain:
    """`team[s]` holds the positions of a store's staff, its manager first: managers stay, so somebody always serves."""

    regions: Regions
    stores: Stores
    staff: Staff
    team: Integers
    open_weekdays: Flags  # per store, Monday first
    opened: Integers  # day
    weight: Numbers  # how many customers a store draws
    quality: Numbers  # how long they stay, 1 is usual
    utc_offset_seconds: Integers
    joined: Integers  # day, per staff
    left: Integers  # day, per staff; far in the future while they stay


NEVER = 1 << 40


def chain(streams: Streams, *, stores: int, first_day: int, today: int, phones: Texts) -> Chain:
    rows = [_store(position) for position in range(stores)]
    opened = np.array(
        [first_day + int((today - first_day) * row[7]) if row[7] else first_day - 900 for row in rows], dtype=np.int64
    )
    open_weekdays = np.ones((stores, 7), dtype=bool)
    open_weekdays[[row[4] for row in rows], 0] = False
    zones = ["Asia/Urumqi" if row[1] == "乌鲁木齐" else "Asia/Shanghai" for row in rows]
    table = Stores(
        region=np.array([row[0] for row in rows], dtype=np.int64),
        code=[f"S{position + 1:02d}" for position in range(stores)],
        name=[f"{row[1]}{row[2]}" for row in rows],
        city=[row[1] for row in rows],
        time_zone=zones,
        opening_days=[tuple(range(2, 8)) if row[4] else tuple(range(1, 8)) for row in rows],
        opens_at_minute=np.array([row[5] * 60 for row in rows], dtype=np.int64),
        closes_at_minute=np.array([row[6] * 60 for row in rows], dtype=np.int64),
        opened_on=opened.astype("datetime64[D]"),
    )
    chance = streams("staff")
    staff, team, joined, left = _staff(chance, opened=opened, first_day=first_day, today=today, phones=phones)
    return Chain(
        regions=Regions(list(REGIONS)),
        stores=table,
        staff=staff,
        team=team,
        open_weekdays=open_weekdays,
        opened=opened,
        weight=np.array([row[3] for row in rows]),
        quality=streams("quality").uniform(0.75, 1.3, stores),
        utc_offset_seconds=np.array([OFFSETS_HOURS[zone] * 3600 for zone in zones], dtype=np.int64),
        joined=joined,
        left=left,
    )


def staff_needed(stores: int) -> int:
    return 2 + stores * (1 + BEAUTICIANS_PER_STORE)


def _store(position: int) -> tuple[int, str, str, float, bool, int, int, float]:
    lap, place = divmod(position, len(STORES))
    region, city, name, *rest = STORES[place]
    return (region, city, name if not lap else f"{name.removesuffix('店')}{lap + 1}店", *rest)  # type: ignore[return-value]


def _staff(
    chance: Chance, *, opened: Integers, first_day: int, today: int, phones: Texts
) -> tuple[Staff, Integers, Integers, Integers]:
    stores = len(opened)
    places = [MISSING, MISSING] + [store for store in range(stores) for _ in range(1 + BEAUTICIANS_PER_STORE)]
    titles = ["创始人", "会员运营总监"] + ["店长", *TITLES] * stores
    roles = ["owner", "hq"] + ["manager", *["staff"] * BEAUTICIANS_PER_STORE] * stores
    size = len(places)
    begin = np.array([first_day - 900 if store == MISSING else int(opened[store]) for store in places], dtype=np.int64)
    stays = np.array([role in ("owner", "hq", "manager") for role in roles])
    joined = np.where(stays | (chance.random(size) < 0.7), begin, begin + (chance.random(size) * 400).astype(np.int64))
    joined = np.minimum(joined, today - 30)
    tenure = (chance.exponential(365 / STAFF_LEAVING_PER_YEAR, size) + 120).astype(np.int64)
    left = np.where(stays, NEVER, np.maximum(joined, first_day) + tenure)
    left = np.where(left > today, NEVER, left)
    women = [bool(woman) for woman in chance.random(size) < 0.9]
    born = [1985 + int(year) for year in chance.integers(0, 16, size)]
    people = names(chance, women=women, birth_years=born, in_full=True)
    left_on = left.copy()
    left_on[left == NEVER] = np.iinfo(np.int64).min  # numpy's NaT
    staff = Staff(
        store=np.array(places, dtype=np.int64),
        username=["owner", "hq"]
        + [f"{_code(store)}-{place or 'manager'}" for store in range(stores) for place in range(7)],
        name=people,
        role=roles,
        title=titles,
        phone=phones,
        joined_on=joined.astype("datetime64[D]"),
        left_on=left_on.astype("datetime64[D]"),
    )
    team = np.arange(2, size, dtype=np.int64).reshape(stores, 1 + BEAUTICIANS_PER_STORE)
    return staff, team, joined, left


def _code(store: int) -> str:
    return f"s{store + 1:02d}"
