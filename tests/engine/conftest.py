"""Fixtures of the engine's tests."""

from tests.engine.fixtures import ask, composer, duck, empty_database, filled, postgres, registry

__all__ = ["ask", "composer", "duck", "empty_database", "filled", "postgres", "registry"]
