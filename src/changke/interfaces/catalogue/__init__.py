"""The catalogue by a sheet: an old system's list of items, or our own taken out and filled in.

sheet.py     a file as rows, each saying something of one item
planning.py  what the rows would create and change, and which cannot go in and why
work.py      doing it, row by row
"""
