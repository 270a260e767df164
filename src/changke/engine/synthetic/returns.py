"""What comes back: goods, treatments that went wrong, and the rest of cards and stored values of those who leave."""

from dataclasses import dataclass, replace

import numpy as np

from .baskets import PAID, Baskets
from .catalogue import Catalogue
from .chance import Chance
from .organisation import NEVER, Chain
from .people import CASUAL, COMPLAINT, MOVED, OVERSOLD, People
from .rhythm import Attendances
from .seasons import Almanac
from .slips import RETURN, WECHAT, Block, Line, Tender, seconds
from .tables import MISSING, Integers

PRODUCT_RETURNS = 0.02
TREATMENT_REFUNDS = 0.3  # of those who left with a complaint
REFUND_WHEN_LEAVING = {OVERSOLD: 0.5, COMPLAINT: 0.35, MOVED: 0.3}
OLD_RETURNS = 0.01  # of the customers from the old system: something bought there comes back here


@dataclass(frozen=True)
class Desk:
    """Where things are brought back: on an open day after the sale, and never for more than was paid.

    `last` is each customer's last attendance.
    """

    chance: Chance
    people: People
    visits: Attendances
    chain: Chain
    days: Almanac
    today: int
    last: Integers

    def products(self, baskets: Baskets, product_receipt: Integers) -> Block:
        """Opened at home and not liked."""
        returned = self.chance.random(len(baskets.product)) < PRODUCT_RETURNS
        rows = np.nonzero((baskets.product != MISSING) & returned)[0]
        day = self._day(rows, 1, 14)
        # Who left came back for nothing: only while she was still coming.
        leaves = self.people.leaves[self.visits.customer[rows]]
        kept = (day <= self.today) & ((leaves == NEVER) | (day <= leaves))
        rows, day = rows[kept], day[kept]
        amount = baskets.product_price[rows]
        return self._block(rows, day, product_receipt[rows], baskets.product[rows], amount, returns_cost=True)

    def services(self, baskets: Baskets, service_receipt: Integers) -> Block:
        """Her complaint was heard: the last treatment is paid back, though its cost is gone."""
        heard = self.chance.random(len(self.last)) < TREATMENT_REFUNDS
        unhappy = (self.people.reason == COMPLAINT) & (self.last != MISSING) & (self.people.kind >= CASUAL)
        unhappy = np.nonzero(unhappy & heard)[0]
        rows = self.last[unhappy]
        rows = rows[(baskets.how[rows] == PAID) & (self.people.leaves[self.visits.customer[rows]] != NEVER)]
        day = self._day(rows, 1, 6)
        rows, day = rows[day <= self.today], day[day <= self.today]
        return self._block(
            rows, day, service_receipt[rows], baskets.service[rows], baskets.value[rows], returns_cost=False
        )

    def wallet(self, bought: Integers, receipt: Integers, item: Integers, rest: Integers) -> Block:
        """What is left on a card or a stored value, paid out to one who leaves."""
        share = np.array([REFUND_WHEN_LEAVING.get(reason, 0.0) for reason in range(7)] + [0.0])[self.people.reason]
        leaving = (self.people.leaves != NEVER) & (self.people.kind >= CASUAL)
        who = np.nonzero((bought != MISSING) & (rest > 0) & leaving & (self.chance.random(len(bought)) < share))[0]
        day = self._day(self.last[who], 1, 10)
        who, day = who[day <= self.today], day[day <= self.today]
        return self._block(
            self.last[who],
            day,
            receipt[bought[who]],
            item[bought[who]],
            rest[who],
            returns_cost=True,
            at=self.visits.store[bought[who]],
        )

    def old_system(self, shop: Catalogue, first_day: int) -> Block:
        """Bought before the first day: the number is on the slip, the sale is not in the books."""
        returned = self.chance.random(len(self.last)) < OLD_RETURNS
        who = np.nonzero(self.people.before & (self.last != MISSING) & returned)[0]
        first = np.searchsorted(self.visits.customer, who)
        rows = first[self.visits.day[first] < first_day + 40]
        item = np.full(len(rows), shop.by_code["P03"])
        block = self._block(
            rows,
            self.visits.day[rows],
            np.full(len(rows), MISSING),
            item,
            shop.items.price_minor[item],
            returns_cost=True,
        )
        return replace(block, original_number=[f"OLD-{number:05d}" for number in (10_000 + rows * 7 % 80_000).tolist()])

    def _day(self, rows: Integers, soonest: int, latest: int) -> Integers:
        day = self.visits.day[rows] + self.chance.integers(soonest, latest + 1, len(rows))
        return self.days.next_open(day, self.chain.open_weekdays[self.visits.store[rows]])

    def _block(
        self,
        rows: Integers,
        day: Integers,
        original: Integers,
        item: Integers,
        amount: Integers,
        *,
        returns_cost: bool,
        at: Integers | None = None,
    ) -> Block:
        store = self.visits.store[rows] if at is None else at
        day = self.days.next_open(day, self.chain.open_weekdays[store])
        opens = self.chain.stores.opens_at_minute[store]
        minute = opens + 3 + self.chance.integers(0, 500, len(rows))
        everywhere = np.ones(len(rows), dtype=bool)
        return Block(
            RETURN,
            self.visits.customer[rows],
            store,
            self.chain.team[store, 0],
            day,
            seconds(self.chain, store, day, minute),
            (Line(everywhere, item, amount, amount),),
            (Tender(everywhere, np.full(len(rows), WECHAT), amount),),
            original,
            returns_cost=returns_cost,
        )
