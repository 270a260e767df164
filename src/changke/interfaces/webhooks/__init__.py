"""What providers tell us: a signed delivery is kept raw, answered at once, and turned into facts afterwards."""
