"""Fixtures of the tests of conditions: the engine's sample facts and definitions."""

from tests.engine.fixtures import ask, composer, duck, empty_database, filled, postgres, registry

__all__ = ["ask", "composer", "duck", "empty_database", "filled", "postgres", "registry"]
