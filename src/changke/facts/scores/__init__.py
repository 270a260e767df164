"""Scores of the chain's own: what a model of its own says of a customer, with the day it speaks of. ADR 0076

rules.py     what a score accepts; pure
models.py    the definition of a score, and what was said of whom on which day
queries.py   scores in use, who may see them, the latest of a customer
services/    define, retire; take in by the thousand; withdraw a load; forget a person
"""
