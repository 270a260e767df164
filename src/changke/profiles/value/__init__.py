"""What a customer will bring: predictions, fits and how good they were, the grid of values.

models.py     one fit, and the prediction of each customer
queries.py    predictions, fits, the annual value
services/     fit, predict everybody by night, predict some after a fact, the chain's numbers
"""
