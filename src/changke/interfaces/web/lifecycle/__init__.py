"""The lifecycle page: how many stand where, where they go, what it costs, and who they are."""
