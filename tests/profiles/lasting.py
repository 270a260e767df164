"""The kept tables beside everybody computed anew, over one mirror."""

import datetime as dt

import duckdb
import pytest

from changke.engine.prediction.known import Known
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.queries import settings_of, values_for
from changke.profiles.attributes.services import lasting
from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables
from changke.profiles.attributes.services.lasting import kept_up
from changke.profiles.attributes.services.populations import compute_populations
from changke.profiles.value.services.kept import known_of_everybody
from changke.profiles.value.services.predict import ReadDays
from tests.profiles.world import NOW

Settings = dict[str, int]


def answers(duck: duckdb.DuckDBPyConnection, tables: object, table: str, today: dt.date, settings: Settings) -> None:
    with tables(duck, settings=settings, today=today) as composer:  # type: ignore[operator]
        version = compute_populations(
            duck, composer, settings=settings, today=today, snapshot=0, now=NOW, nightly=False
        )
        values = values_for(settings, today=today, version=version.pk)
        compute_everybody(duck, composer, table, COLUMNS, {}, values)
    version.delete()


def differing(duck: duckdb.DuckDBPyConnection, today: dt.date, settings: Settings | None = None) -> int:
    """Rows of the kept tables that are not those of everybody computed anew."""
    settings = settings or settings_of(the_chain())
    answers(duck, kept_up, "kept_answers", today, settings)
    answers(duck, shared_tables, "new_answers", today, settings)
    assert duck.execute("SELECT COUNT(*) > 200 FROM new_answers").fetchall() == [(True,)]
    return int(
        duck.execute(
            "SELECT COUNT(*) FROM ((SELECT * FROM kept_answers EXCEPT ALL SELECT * FROM new_answers)"
            " UNION ALL (SELECT * FROM new_answers EXCEPT ALL SELECT * FROM kept_answers))"
        ).fetchall()[0][0]
    )


def unlike_known(duck: duckdb.DuckDBPyConnection, today: dt.date, asked: list[int]) -> int:
    """Customers whose purchases are kept otherwise than they are summed up anew; `asked` gets how many were again."""
    read = ReadDays(duck, today)

    def ask() -> Known:
        known = read.known()
        asked.append(len(known))
        return known

    found, anew = (
        list(zip(*(column.tolist() for column in one.columns().values()), strict=True))
        for one in (known_of_everybody(duck, ask, today=today), read.known())
    )
    assert len(anew) > 200
    return len(set(found) ^ set(anew))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many customers are computed again from now on, run by run. Everybody is refused."""
    found: list[int] = []
    compute = lasting._compute_due

    def count(duck: duckdb.DuckDBPyConnection, *rest: object) -> None:
        found.append(duck.execute("SELECT COUNT(*) FROM temp.due").fetchall()[0][0])
        compute(duck, *rest)  # type: ignore[arg-type]

    def refuse(*_: object) -> None:
        raise AssertionError("everybody was computed")

    monkeypatch.setattr(lasting, "_compute_due", count)
    monkeypatch.setattr(lasting, "_compute_all", refuse)
    return found
