"""Where each customer stands, why, and since when. Prose: docs/algorithms/stages.md

shipped/         the models that come with the product, as data
rules.py         a model: stages in order, their conditions and their reasons in words
models.py        published versions, standings, the series of the charts
queries.py       reads for pages: who stands where, the series
services/        publish, refresh everybody, refresh some, follow the facts, fill the charts, explain, compare
"""
