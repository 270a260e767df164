"""How each number of the pages is computed: in words, as its definition, as SQL.

pages.py      all of them, and one
"""
