"""Customers: the list with its search and filters, one customer from all sides, and changing what is known of her.

filters.py   what the address of the list says: search, filters, order, position
reads.py     the list itself: a page of rows with their details
walk.py      whom it shows, in its order, behind a position
narrowed.py  whom its filters leave; what is looked up elsewhere
counts.py    how many in each stage; the tightest condition
lists.py     the list's view
person.py    the customer's view: now, or as of a day of the past
timeline.py  everything that happened to her, newest first
measures.py  the numbers of the page with their definitions
acts.py      the telephone, tags, photos
edit.py      the form of her profile
"""
