"""The definitions of this house, read and checked once per process."""

from pathlib import Path

from changke.engine.definitions import Composer, Registry
from changke.facts.tables import FACTS

FOLDER = Path(__file__).parent / "definitions"
POPULATION_TABLE = "profiles_population_{name}"

REGISTRY = Registry.read(FOLDER, FACTS, population_table=POPULATION_TABLE)
COMPOSER = Composer(REGISTRY)

COLUMNS: tuple[str, ...] = tuple(sorted(REGISTRY.attributes))
"""Every attribute, in the order in which rows are handed about. Sorted: a new file must not move the others."""
