"""Everything that concerns one human across rooms: what is written of her, what goes when she asks to be forgotten."""
