"""The condition language: what a segment, a stage or an offer asks of a customer.

tree.py     one tree, read as SQL over many and as Python over one row
reader.py   the tree from JSON, or the path to the spot that means nothing
words.py    the tree as a sentence, in the reader's language
"""

from changke.profiles.conditions.reader import ConditionError, read_condition
from changke.profiles.conditions.tree import Both, Compare, Condition, Known, Not

__all__ = ["Both", "Compare", "Condition", "ConditionError", "Known", "Not", "read_condition"]
