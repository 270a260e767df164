"""The same change for many customers: whom, what, how it would look, the result, undo."""
