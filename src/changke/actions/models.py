"""The tables of this floor; each is written in its room. There is none yet."""
