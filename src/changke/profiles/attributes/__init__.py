"""What we believe of each customer, as numbers and words: one SQL file per small group, registered by being there.

definitions/     the files; prose in docs/algorithms/attributes.md, money.md, rhythm.md
catalogue.py     the files as a registry and its composer
columns.py       header -> column of a table
models.py        the tables: one wide row per customer, the population's values by version
queries.py       the day of each store, the values that statements want bound
services/        who computes and who writes
"""
