"""Model cards of what warns and what proposes, in the frame of the card of values.

calibration.py   a report card as a chart and a table: what was said, what came
warnings.py      the model behind the warnings, of everybody or of a line of services
proposals.py     the weights behind what is proposed
"""
