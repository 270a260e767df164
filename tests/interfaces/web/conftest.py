"""The pages under row-level security, as in a shop."""

from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]
