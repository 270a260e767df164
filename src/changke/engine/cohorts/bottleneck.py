"""The step at which most is lost."""

from collections.abc import Sequence
from dataclasses import dataclass

from changke.engine.cohorts.funnel import Funnel, FunnelStep, NotAFunnel


@dataclass(frozen=True)
class Bottleneck:
    """A step, and whether chance could be the reason.

    Attributes
    ----------
    missing
        Customers lost there beyond the usual; 0 where no usual shares were given.
    is_clear
        The interval of its share lies below the usual one, or below those of all other steps.
    """

    step: FunnelStep
    missing: float
    is_clear: bool


def bottleneck(found: Funnel, *, usual: Sequence[float] | None = None) -> Bottleneck | None:
    """The step to look at first; None if nobody began, or no step is below the usual.

    Parameters
    ----------
    usual
        The usual share of each step after the first, 0 to 1: of the chain, of last quarter.

    Raises
    ------
    NotAFunnel
        Not one usual share per step after the first.
    """
    later = [step for step in found.steps[1:] if step.before]
    if usual is not None and (len(usual) != len(found.steps) - 1 or not all(0 <= share <= 1 for share in usual)):
        raise NotAFunnel(f"{len(found.steps) - 1} usual shares between 0 and 1 are needed, not {list(usual)}")
    if not later:
        return None
    if usual is None:
        worst = min(later, key=lambda step: step.share)
        return Bottleneck(worst, 0.0, all(worst.high < step.low for step in later if step is not worst))
    short = [
        Bottleneck(step, step.before * share - step.customers, step.high < share)
        for step, share in zip(found.steps[1:], usual, strict=True)
        if step.before and step.share < share
    ]
    return max(short, key=lambda one: (one.is_clear, one.missing), default=None)
