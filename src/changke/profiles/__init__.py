"""Who each customer is now: derived, dated, rebuildable from facts at any day."""
