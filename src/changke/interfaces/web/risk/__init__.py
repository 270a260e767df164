"""Who is leaving, and by which rule the shop is warned.

lists.py      open warnings by value at risk, and one tap for what came of each
hers.py       the outlook of one customer and the warnings about her
backtest.py   the back-test over the shop's own past, and the rule in use
"""
