"""Files of other systems become facts: readers, recognition of columns, normalising, and the pipeline that writes.

Start reading at `pipeline.py`; the rules in prose are in docs/algorithms/import.md.
"""
