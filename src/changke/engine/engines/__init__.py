"""Run a statement of the composer.

duckdb.py    all customers, over the mirror
postgres.py  one customer or a few, at once after a fact
spark.py     all, beyond one machine: works off the folder of a plan
"""
