"""One change to many customers: whom it means, what it would do, doing it in the background, taking it back."""
