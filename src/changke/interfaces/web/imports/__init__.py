"""Files of an old system, step by step: choose, understand the columns, check, load, see the result, undo."""
