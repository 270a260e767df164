"""Verbs of this room.

learn.py      a new fit, when one is due, with its report card
predict.py    everybody by night from the mirror; some after a fact from PostgreSQL, by the stored fit
follow.py     whoever has a new fact is predicted anew
elsewhere.py  everybody by the fit of here, said on other machines
settings.py   the chain's numbers
forget.py     somebody who was erased
"""
