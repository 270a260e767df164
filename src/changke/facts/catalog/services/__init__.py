"""Verbs that write the catalogue: by files that name unknown items (`intake`), by hand (`keep`)."""
