"""What happened: append-only where it can be; corrected by a further fact."""
