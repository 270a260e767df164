"""The database itself: which one, as whom, started how, filled in bulk, guarded, saved."""
