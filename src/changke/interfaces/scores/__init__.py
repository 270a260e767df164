"""Scores of the chain's own coming in: by file, page and command as a batch, by the API item by item.

pseudonyms.py   whose pseudonym it is: what `changke publish` wrote out comes back
reading.py      a file of scores as rows, checked as a whole before anything is written
work.py         a load as a batch: start, run, undo
"""
