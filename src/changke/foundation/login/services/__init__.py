"""The doors' verbs, one subject per file."""
