"""What counts as having been active, as one word."""

from collections.abc import Collection

VISIT, PURCHASE, USE, ACTIVITY = "visit", "purchase", "use", "activity"
COUNTED = (VISIT, PURCHASE, USE, ACTIVITY)


def counted(kinds: Collection[str]) -> str:
    """What the last active day was the day of.

    A purchase and the use of a card imply a visit, so where visits count, it was one; where they do not, it was a
    purchase, a use, or (where both count) one of the two.
    """
    if VISIT in kinds:
        return VISIT
    return next(iter(kinds)) if len(kinds) == 1 else ACTIVITY
