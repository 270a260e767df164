"""What customers are worth: the grid, who stands in it, what the models learned and how well.

grid.py      recency by frequency, value groups, ages; the people of a cell
lines.py     product lines: their ages, and how long customers stay
card.py      the model card: what was fitted, on what, how it met its own past; the history
numbers.py   the chain's numbers: horizon, margin, discount, bands, ages
person.py    what is expected of one customer, inside her page
"""
