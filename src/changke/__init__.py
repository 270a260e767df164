"""Changke turns passers-by into regulars."""
