"""Who is leaving, and by which rule the shop is warned.

backtest.py   the back-test over the shop's own past, and the rule in use
"""
