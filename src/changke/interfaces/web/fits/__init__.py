"""What cards of models share.

calibration.py   a report card as a chart and a table: what was said, what came
"""
