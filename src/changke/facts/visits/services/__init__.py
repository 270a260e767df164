"""Verbs that write visits, one per file."""
