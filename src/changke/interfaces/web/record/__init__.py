"""Written down by hand, on a phone, in under twenty seconds: a customer, a sale, a visit, a note, an allergy.

urls.py      one address per thing, all of them accept ?customer=ID
pick.py      finding the customer: four digits of her phone, her name, its initials
setting.py   who writes, in which store, for whom: what all forms share
..._form.py  what a form accepts, said in words where it does not
"""
