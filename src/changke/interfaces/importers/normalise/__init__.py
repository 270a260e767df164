"""From text to values: pure rules, one subject per file. They are the definition; `clean.py` only goes faster on
clean values."""
