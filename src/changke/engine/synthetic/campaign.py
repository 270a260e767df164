"""A message that never was sent: whom it moves is known, because it is planted.

A table of its own beside the world: nothing of the world changes by it, and a demo stays what it was. What would have
happened without the message is what happened in the world. The message moves some of those who would have stayed away,
more of them among those who had been silent for long; a coin of each customer says who was written to.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from changke.engine.refusals import between, whole

from .chance import streams
from .tables import Flags, Integers, Table, World


@dataclass(frozen=True)
class Campaign(Table):
    """One row per customer who had bought before the day. The last three columns are the truth: never load them."""

    customer: Integers  # position in the world
    treated: Flags  # she was written to; the others are the control group
    silent_days: Integers  # what a shop knew on the day: days since her last purchase,
    purchases: Integers  # how many days with one,
    mean_minor: Integers  # and what one of them was worth
    came: Flags  # what it saw afterwards
    spent_minor: Integers
    would_come: Flags  # without a message
    is_moved: Flags  # comes if she is written to, and not otherwise
    would_spend_minor: Integers  # without a message

    @property
    def effect(self) -> float:
        """By how much the message raises the share of those who come, among exactly these customers."""
        return float(self.is_moved.mean()) if len(self) else 0.0

    @property
    def effect_minor(self) -> float:
        """The same in money per customer."""
        return float((self.is_moved * self.mean_minor).mean()) if len(self) else 0.0


def campaign(
    world: World,
    *,
    seed: int,
    sent_on: date,
    days: int = 30,
    control: float = 0.5,
    moves_silent: float = 0.2,
    moves_others: float = 0.02,
    silent_from_days: int = 60,
) -> Campaign:
    """Play the message.

    Parameters
    ----------
    sent_on, days
        She comes after that day, within so many days; the world must know them all to tell the truth.
    control
        The share of customers who are not written to.
    moves_silent, moves_others
        The share of those staying away whom it moves: silent for `silent_from_days` and more, and the others. With
        zero for both it does nothing at all. Who comes anyway is never moved.

    Raises
    ------
    NotASetting
    """
    for name, share in (("control", control), ("moves_silent", moves_silent), ("moves_others", moves_others)):
        between(name, share, least=0, most=1)
    length, day = whole("days", days, least=1), np.datetime64(sent_on, "D")
    bought = world.receipts
    known = (bought.customer >= 0) & (np.array(bought.kind) != "return")
    who, when = bought.customer[known], bought.business_date[known].astype("datetime64[D]")
    worth = bought.consumed_minor[known]
    everybody = len(world.customers)
    before, after = when <= day, (when > day) & (when <= day + length)
    visits = np.unique(np.column_stack([who[before], when[before].astype(np.int64)]), axis=0)
    purchases = np.bincount(visits[:, 0], minlength=everybody)
    last = np.full(everybody, np.iinfo(np.int64).min)
    np.maximum.at(last, visits[:, 0], visits[:, 1])
    spent_before = np.bincount(who[before], worth[before], minlength=everybody)
    spent_after = np.bincount(who[after], worth[after], minlength=everybody)
    customer = np.flatnonzero(purchases)
    chance = streams(seed)("campaign")
    coin, moved = chance.random(everybody)[customer], chance.random(everybody)[customer]
    silent = day.astype(np.int64) - last[customer]
    would_come = np.bincount(who[after], minlength=everybody)[customer] > 0
    is_moved = ~would_come & (moved < np.where(silent >= silent_from_days, moves_silent, moves_others))
    treated, mean = coin >= control, (spent_before[customer] // purchases[customer]).astype(np.int64)
    would_spend = spent_after[customer].astype(np.int64)
    return Campaign(
        customer=customer,
        treated=treated,
        silent_days=silent,
        purchases=purchases[customer],
        mean_minor=mean,
        came=would_come | (treated & is_moved),
        spent_minor=would_spend + np.where(treated & is_moved, mean, 0),
        would_come=would_come,
        is_moved=is_moved,
        would_spend_minor=would_spend,
    )
