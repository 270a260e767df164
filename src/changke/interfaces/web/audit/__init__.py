"""Who changed what: the list, one line, putting back."""
