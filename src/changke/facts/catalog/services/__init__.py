"""Verbs that write the catalogue, one per file."""
