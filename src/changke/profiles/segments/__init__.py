"""Named groups of customers: conditions, who entered and left, frozen lists. Prose: docs/algorithms/segments.md

models.py    a group, and who is in it since when and until when
asking.py    what conditions may ask here; a condition as a statement over the stored profiles, or over one person
queries.py   counts, samples with their reasons, overlap, portraits, members
services/    save, freeze, drop; bring members up to date: of everybody, or of some after a fact
"""
