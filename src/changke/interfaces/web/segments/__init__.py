"""Segments as pages: which there are, one of them from all sides, and the builder."""
