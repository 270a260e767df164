"""Settings: the chain and its days, stores, staff, keys of machines; and the first page of an empty installation."""
