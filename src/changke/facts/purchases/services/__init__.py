"""Verbs that write receipts, one per file."""
