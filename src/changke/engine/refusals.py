"""What the analytics refuse, by name: the caller shows `code` in words of its own."""


class Refusal(ValueError):
    """Data or an argument that has no honest answer."""

    code = "refused"


class NotFinite(Refusal):
    """NaN or an infinity among the numbers: it would spread into every result."""

    code = "not_finite"


class TooFew(Refusal):
    """Fewer customers than the method needs."""

    code = "too_few"
