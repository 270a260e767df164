"""The condition language: what a segment, a stage or an offer asks of a customer. Prose: docs/algorithms/conditions.md

tree.py     one tree, read as SQL over many and as Python over one row
deeds.py    its leaves beyond attributes: tags, consents, groups, deeds in a window, one deed after another
reader.py   the tree from JSON, or the path to the spot that means nothing
text.py     the tree from and to one line of text, mistakes by line and column
words.py    the tree as a sentence, in the reader's language
"""

from changke.profiles.conditions.reader import Beyond, ConditionError, read_condition
from changke.profiles.conditions.text import TextError, parse, print_tree, read_text
from changke.profiles.conditions.tree import Both, Compare, Condition, Known, Not

__all__ = [
    "Beyond",
    "Both",
    "Compare",
    "Condition",
    "ConditionError",
    "Known",
    "Not",
    "TextError",
    "parse",
    "print_tree",
    "read_condition",
    "read_text",
]
