"""The roof: translates between the house and people, tills and files; the only reader of the clock."""
