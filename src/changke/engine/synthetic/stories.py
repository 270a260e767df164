"""What was written beside the receipts: visits, notes, complaints, and the lines that the old system left behind."""

import numpy as np

from .baskets import TRIAL_ONLY, Baskets
from .chance import Chance, Streams
from .organisation import NEVER, Chain
from .people import ADVISER_LEFT, CASUAL, COMPLAINT, MOVED, NEEDS_CHANGED, OVERSOLD, PRICE, VIP, People
from .rhythm import Attendances
from .slips import seconds
from .tables import MISSING, Events, Flags, Integers, Openings, Texts, Visits

# Every reason leaves words in some of the cases only: nobody asks everybody why she stays away.
SAID = {
    MOVED: 0.4,
    PRICE: 0.35,
    COMPLAINT: 0.75,
    OVERSOLD: 0.5,
    ADVISER_LEFT: 0.4,
    NEEDS_CHANGED: 0.35,
}
WORDS: dict[int, tuple[str, tuple[str, ...]]] = {
    MOVED: ("搬家", ("说下个月要搬到别的城市", "公司换到城东,来店里要一个多小时", "回老家发展了,问能不能退卡")),
    PRICE: ("价格", ("觉得比附近的店贵", "问有没有更便宜的套餐", "说别家团购只要一半的钱")),
    COMPLAINT: (
        "投诉",
        ("做完脸上泛红两天,很不满意", "约好的时间等了四十分钟", "美容师手法太重,反映后没人跟进", "前台态度不好"),
    ),
    OVERSOLD: ("过度推销", ("说每次来都被推卡,压力大", "办了大额储值后悔了,问怎么退", "只想安静做护理,不想听推销")),
    ADVISER_LEFT: ("顾问离职", ("问原来的顾问去了哪里", "说换了人手法不习惯", "只认原来的老师")),
    NEEDS_CHANGED: ("需求变化", ("怀孕了,暂时不做项目", "准备转去做医美", "最近工作忙,想在家自己护理")),
}
SMALL_TALK = (
    "喜欢靠窗的床位",
    "皮肤偏干,换季容易起皮",
    "想了解抗衰项目,预算不高",
    "带女儿一起来,女儿对美甲感兴趣",
    "下月结婚,想安排婚前护理",
    "力度要轻,怕痛",
    "周末才有空,提前两天约",
    "对这次补水效果很满意",
    "想试试眼周项目",
    "生日希望来店里过",
    "介绍了同事过来",
)
COMPLAINT_KIND, NOTE_KIND = "complaint", "note"


def visits_table(people: People, visits: Attendances, baskets: Baskets, *, chain: Chain, recorded: Integers) -> Visits:
    """Every service at the hands of somebody is a visit, the trials that brought no receipt among them."""
    order = np.lexsort((visits.customer, visits.store, visits.day * 1440 + visits.minute))
    trial = (baskets.how == TRIAL_ONLY)[order]
    return Visits(
        source_key=[
            f"visit:{customer + 1}-{ordinal + 1}"
            for customer, ordinal in zip(visits.customer[order].tolist(), visits.ordinal[order].tolist(), strict=True)
        ],
        customer=visits.customer[order],
        store=visits.store[order],
        staff=visits.staff[order],
        purpose=np.where(trial, "trial", "service").tolist(),
        happened_at=seconds(chain, visits.store, visits.day, visits.minute)[order].astype("datetime64[s]"),
        business_date=visits.day[order].astype("datetime64[D]"),
        recorded_at=recorded[order].astype("datetime64[s]"),
    )


def openings_table(streams: Streams, people: People, *, first_day: int) -> Openings:
    """One line per customer of the years before; a few were lost on the way."""
    chance = streams("openings")
    who = np.nonzero(people.before)[0]
    who = who[chance.random(len(who)) < 0.95]
    first = people.joined[who]
    until = np.minimum(people.leaves[who], first_day - 1)
    gap = np.where(np.isnan(people.gap[who]), 60.0, people.gap[who])
    last = np.where(
        people.leaves[who] < first_day,
        until,
        np.maximum(first, until - (chance.random(len(who)) * gap).astype(np.int64)),
    )
    purchases = np.maximum(1, ((last - first) / gap * 0.7).astype(np.int64))
    purchases = np.where(last > first, np.maximum(2, purchases), 1)
    ticket = np.where(people.kind[who] == VIP, 900, 420) * (0.7 + 0.6 * chance.random(len(who)))
    return Openings(
        source_key=[f"opening:{customer + 1}" for customer in who.tolist()],
        customer=who.astype(np.int64),
        store=people.store[who],
        first_on=first.astype("datetime64[D]"),
        last_on=last.astype("datetime64[D]"),
        purchases=purchases,
        cash_minor=(purchases * ticket).astype(np.int64) * 100,
    )


def events_table(
    streams: Streams,
    people: People,
    visits: Attendances,
    *,
    chain: Chain,
    last: Integers,
    churned: Integers,
    until: int,
) -> Events:
    """Words of those who left, said on the last visit, and small talk of everybody; a complaint also comes from some
    who stay.
    """
    chance = streams("events")
    leaving = (people.leaves != NEVER) & (people.kind >= CASUAL) & (last != MISSING) & (churned != MISSING)
    share = np.array([SAID.get(reason, 0.0) for reason in range(7)] + [0.0])[people.reason]
    speakers = np.nonzero(leaving & (chance.random(len(leaving)) < share))[0]
    rows, reasons = last[speakers], people.reason[speakers]
    chatting = np.nonzero(chance.random(len(visits.customer)) < 0.04)[0]
    grumbling = np.nonzero((chance.random(len(visits.customer)) < 0.002) & (visits.to_go > 2))[0]
    topics, texts = _words(chance, np.concatenate((reasons, np.full(len(grumbling), COMPLAINT))))
    talk = [SMALL_TALK[position] for position in chance.integers(0, len(SMALL_TALK), len(chatting)).tolist()]
    where = np.concatenate((rows, grumbling, chatting))
    complains = np.concatenate(
        (reasons == COMPLAINT, np.ones(len(grumbling), dtype=bool), np.zeros(len(chatting), dtype=bool))
    )
    second = seconds(chain, visits.store[where], visits.day[where], visits.minute[where] + 85)
    return _events(visits, where, complains, topics + ["备注"] * len(chatting), texts + talk, second, until)


def _words(chance: Chance, reasons: Integers) -> tuple[Texts, Texts]:
    which = chance.integers(0, 60, len(reasons)).tolist()
    told = [WORDS[reason] for reason in reasons.tolist()]
    return [topic for topic, _ in told], [
        texts[position % len(texts)] for (_, texts), position in zip(told, which, strict=True)
    ]


def _events(
    visits: Attendances, where: Integers, complains: Flags, topics: Texts, texts: Texts, second: Integers, until: int
) -> Events:
    kept = np.nonzero(second <= until)[0]
    order = kept[np.lexsort((kept, second[kept]))]
    rows = where[order]
    return Events(
        source_key=[f"event:{position + 1}" for position in range(len(order))],
        kind=[COMPLAINT_KIND if complaint else NOTE_KIND for complaint in complains[order].tolist()],
        customer=visits.customer[rows],
        store=visits.store[rows],
        staff=visits.staff[rows],
        topic=[topics[position] for position in order.tolist()],
        text=[texts[position] for position in order.tolist()],
        happened_at=second[order].astype("datetime64[s]"),
        business_date=visits.day[rows].astype("datetime64[D]"),
        recorded_at=second[order].astype("datetime64[s]"),
    )
