"""What the analytics refuse, by name: the caller shows `code` in words of its own."""

import sys
from collections.abc import Sequence
from math import inf, isfinite
from numbers import Real


class Refusal(ValueError):
    """Data or an argument that has no honest answer."""

    code = "refused"


class NotFinite(Refusal):
    """NaN or an infinity among the numbers: it would spread into every result."""

    code = "not_finite"


class TooFew(Refusal):
    """Fewer customers than the method needs."""

    code = "too_few"


class NotASetting(Refusal):
    """A horizon, a number of days or a share that nobody can ask for: negative, no number, without end."""

    code = "not_a_setting"


class NotFitted(Refusal, AttributeError):
    """A model that has learned nothing was asked."""

    code = "not_fitted"

    @classmethod
    def of(cls, model: object, name: str, parameters: Sequence[str]) -> AttributeError:
        """What to raise where a model lacks an attribute."""
        kind = type(model).__name__
        if name not in parameters:
            return AttributeError(f"{kind!r} object has no attribute {name!r}")
        return cls(f"{kind} has learned nothing: call fit(), or give it {', '.join(parameters)}")


def whole(name: str, value: float, *, least: int = 0) -> int:
    """A whole number from `least` on; 90.0 is one."""
    if not isinstance(value, Real) or not isfinite(value) or value != int(value) or value < least:
        raise NotASetting(f"{name} is a whole number from {least} on, not {value!r}")
    return int(value)


def finite(name: str, value: float) -> float:
    """Any number but NaN and the infinities."""
    return between(name, value, least=-sys.float_info.max)


def share(name: str, value: float) -> float:
    """More than nothing and less than all."""
    if not isinstance(value, Real) or not 0 < value < 1:
        raise NotASetting(f"{name} lies between 0 and 1, not {value!r}")
    return float(value)


def between(name: str, value: float, *, least: float, most: float = inf) -> float:
    """A finite number from `least` to `most`, both included."""
    if not isinstance(value, Real) or not isfinite(value) or not least <= value <= most:
        upto = "on" if most == inf else f"to {most:g}"
        raise NotASetting(f"{name} is a number from {least:g} {upto}, not {value!r}")
    return float(value)


def above_zero(name: str, value: float) -> float:
    """A finite number above zero."""
    if not isinstance(value, Real) or not isfinite(value) or value <= 0:
        raise NotASetting(f"{name} must be above zero and finite, not {value!r}")
    return float(value)
