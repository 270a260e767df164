"""The catalogue: what items are, one by one and many at once, and the margin of each category."""
