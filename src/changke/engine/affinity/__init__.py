"""What a customer is likely to want next, and why: docs/algorithms/affinity.md.

lines.py         who had what on which day, from any frame
cycles.py        after how long an item is wanted again
together.py      what is bought in one basket; the items that go with an item
neighbours.py    the customers most like her
parts.py         candidates, and what speaks for each
weights.py       how much each part counts, learnt from the shop's own past
examine.py       how the weights met next baskets that were kept from them
reasons.py       which group of parts a recommendation owes most to, with values
recommend.py     the list
popular.py       for whoever has bought nothing yet
complements.py   pairs with support, confidence and lift
starters.py      first baskets of two things, and who came back
season.py        which items a time of the year lifts
counts.py        what the last four stand on, for groups of customers that add up

recommend(lines, observation_end="2026-10-31", top=5)
"""

from changke.engine.affinity.complements import NotASupport, complements, lifts
from changke.engine.affinity.counts import PairCounts, count_pairs, count_recent, members_of
from changke.engine.affinity.cycles import usual_cycles
from changke.engine.affinity.examine import examine
from changke.engine.affinity.lines import Lines
from changke.engine.affinity.parts import Shop
from changke.engine.affinity.popular import popular, shares
from changke.engine.affinity.recommend import NotANumber, Only, recommend
from changke.engine.affinity.season import indexes, season, windows
from changke.engine.affinity.starters import FirstBaskets, count_starters, starters
from changke.engine.affinity.weights import Weights, learn

__all__ = [
    "FirstBaskets",
    "Lines",
    "NotANumber",
    "NotASupport",
    "Only",
    "PairCounts",
    "Shop",
    "Weights",
    "complements",
    "count_pairs",
    "count_recent",
    "count_starters",
    "examine",
    "indexes",
    "learn",
    "lifts",
    "members_of",
    "popular",
    "recommend",
    "season",
    "shares",
    "starters",
    "usual_cycles",
    "windows",
]
