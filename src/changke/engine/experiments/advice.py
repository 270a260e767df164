"""Whom to send to, as a code: the words live with whoever shows it."""

from enum import StrEnum

from changke.engine.experiments.lift import Interval
from changke.engine.experiments.qini import Qini


class Advice(StrEnum):
    """What an experiment's end says about the next time."""

    RANK_BY_UPLIFT = "rank_by_uplift"
    RANK_BY_RESPONSE = "rank_by_response"
    SEND_TO_ALL = "send_to_all"
    SEND_TO_NOBODY = "send_to_nobody"
    NOTHING_SHOWN = "nothing_shown"


def advise(effect: Interval, *, uplift: Qini, response: Qini | None = None) -> Advice:
    """From the lift's interval, and the Qini of an order by uplift and of one by response, on held-out customers."""
    if uplift.is_above_chance:
        return Advice.RANK_BY_UPLIFT
    if response is not None and response.is_above_chance:
        return Advice.RANK_BY_RESPONSE
    if effect.low > 0:
        return Advice.SEND_TO_ALL
    return Advice.SEND_TO_NOBODY if effect.high < 0 else Advice.NOTHING_SHOWN
