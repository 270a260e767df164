"""Verbs that write attributes.

populations.py   the values relative to the population, computed for all and kept by version
write.py         computed rows into the wide table, whoever computed them
"""
