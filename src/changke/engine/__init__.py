"""Pure analytics: no Django, no HTTP; usable from a notebook. Start with `changke.engine.definitions`."""
