"""Verbs of the webhooks: keep addresses, take deliveries in, turn them into facts, forget them."""
