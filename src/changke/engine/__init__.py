"""Pure analytics: no Django, no HTTP; usable from a notebook. Definitions in `definitions`, value in `clv`."""
