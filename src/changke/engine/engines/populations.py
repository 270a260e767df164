"""Values relative to the population must be there before anybody is placed among them."""

from collections.abc import Callable, Mapping

from changke.engine.definitions import POPULATION_VERSION, Statement


class EmptyPopulation(LookupError):
    """A stored table of the population has no row of the version asked for: scores would silently be unknown.

    The remedy is a bulk run, which fills the tables before it computes customers.
    """

    def __init__(self, table: str, version: object) -> None:
        super().__init__(f"{table} has no rows of version {version}: run the bulk refresh first")
        self.table, self.version = table, version


def require(statement: Statement, values: Mapping[str, object], filled: Callable[[str, object], bool]) -> None:
    """Refuse to run the statement where a table it reads is empty at the version bound.

    Parameters
    ----------
    filled
        Whether this table has a row of this version.

    Raises
    ------
    EmptyPopulation
    """
    for table in statement.populations:
        version = values.get(POPULATION_VERSION)
        if not filled(table, version):
            raise EmptyPopulation(table, version)
