"""Who brought whom. docs/algorithms/referral.md, ADR 0102

models.py    one statement: she was brought by her, or by nobody
queries.py   what holds of somebody, whom she brought
services/    name a referrer, take her off; take in by the thousand; forget a person
"""
