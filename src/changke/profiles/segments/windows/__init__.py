"""Windows of deeds over everybody, answered from columns of what was done. docs/decisions/0098

kept.py      the columns on disk: written from one moment of PostgreSQL, mapped into memory
numbers.py   how many deeds of each customer, or the sum of their amounts
follows.py   who did one thing, and within so many days another
answers.py   a condition's leaf -> the customers, remembered while the copy stands
renewal.py   of everybody by night, of whoever had a fact since in between
"""
