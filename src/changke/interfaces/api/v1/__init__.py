"""Version 1: what is promised here stays as it is."""
