"""Fields of the chain's own on a customer's profile: defined as data, stored typed, asked like any attribute."""
