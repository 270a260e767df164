"""Conditions as a form: rows anybody can use, or the text form; shared by segments and stage models.

rows.py      pure: a tree as rows, what was sent as rows, rows as a tree again
editor.py    one editor of a page: rows or text, what its buttons do, what was wrong and where
inputs.py    a row as the inputs that a template loops over
speech.py    attributes, codes and whole conditions in the words of the pages
mistakes.py  what the language's readers refuse, in the reader's language
"""
