"""Today: whom the store looks after, why, and one tap for what came of it.

views.py   the list, a tap, taking it back, dialling
rows.py    one line of the list in words
"""
