"""Exports: asking for a file, seeing it grow, fetching it."""
