"""Who is leaving: the rule that warns, chosen from the shop's own past. Prose: docs/algorithms/risk.md

models.py    a back-test and what it was computed on; the rule in use and those before it
rules.py     what may be asked and used; a back-test's answer as rows
queries.py   the rule in use, back-tests
services/    ask for a back-test and run it; put a rule into use
"""
