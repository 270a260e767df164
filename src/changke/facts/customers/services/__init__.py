"""Verbs that write customers, one per file."""
