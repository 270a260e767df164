"""What the column of referrers would come to, before anything is written: the same rules over persons not there yet.

A person of the file who is not known has a number below zero here. Everybody is looked up as the load will do it, when
all of the file are in: by number, card and phone, of the house first and then of the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from changke.facts.customers.services.meet import Reference, find
from changke.facts.referrals.queries import living, standing_above
from changke.facts.referrals.services.weigh import NAMED, SAME, STAYS, UNKNOWN, Told, weigh
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.importers.known import ways_of
from changke.interfaces.importers.persons import PASSES
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import put, stream

CHUNK = 1_000
KINDS = {"external": "customer_id", "card": "member_card", "phone": "phone"}
"""How a referrer may be named -> the column that names a person of the file so."""


@dataclass(frozen=True)
class Foreseen:
    """Customers of whom the files say who brought them, by what would come of it. `impossible`: herself, or a circle;
    `unknown`: nobody is known by what stands there, neither here nor in the files."""

    named: int = 0
    same: int = 0
    stays: int = 0
    impossible: int = 0
    unknown: int = 0

    @property
    def told(self) -> int:
        return self.named + self.same + self.stays + self.impossible + self.unknown


PLACES = {NAMED: "named", SAME: "same", STAYS: "stays", UNKNOWN: "unknown"}


def foresee(connection: duckdb.DuckDBPyConnection, setting: Setting) -> Foreseen:
    """After `persons.meet_persons`. As long as known customers do what is decided of them by now."""
    _prepare(connection)
    counts = dict.fromkeys((*PLACES.values(), "impossible"), 0)
    brought_by: dict[int, int | None] = {}
    for rows in stream(connection, BRINGING, CHUNK):
        named = _named(connection, {cell for _, _, cell in rows}, source=setting.source)
        told = [Told(person, named[cell], only_unsaid=merges) for person, merges, cell in rows if cell in named]
        counts["unknown"] += len(rows) - len(told)
        ids = {pk for one in told for pk in (one.customer_id, one.referrer_id)}
        persons = {pk: one.pk for pk, one in living([pk for pk in ids if pk > 0]).items()}
        said = standing_above(set(persons.values()))
        for pk, one in said.items():
            brought_by.setdefault(pk, one.referrer_id)
        persons |= {pk: pk for pk in ids if pk < 0}
        for _, code, _ in weigh(told, persons=persons, said=said, brought_by=brought_by, batch_id=setting.batch_id):
            counts[PLACES.get(code, "impossible")] += 1
    return Foreseen(**counts)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """`here(key, id, merges)`: the persons of the file whom it will touch. `ways(kind, value, key)`: by what they are
    found when they are in."""
    connection.execute(
        "CREATE OR REPLACE TABLE here AS SELECT key, any_value(met_of.decided) = 'merge' AS merges, "
        "CASE WHEN any_value(met_of.decided) <> 'another' THEN any_value(met_of.id) ELSE -1 - min(good.rn) END AS id "
        "FROM good LEFT JOIN met_of USING (key) "
        "WHERE coalesce(met_of.decided, '') NOT IN ('skip', 'refuse') GROUP BY key"
    )
    parts = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, {column} AS value, arg_min(key, (strpos('{PASSES}', left(key, 1)), rn)) AS key "  # noqa: S608 ours
        f"FROM good JOIN typed USING (rn) SEMI JOIN here USING (key) WHERE {column} IS NOT NULL GROUP BY {column}"
        for kind, column in KINDS.items()
    )
    connection.execute(f"CREATE OR REPLACE TABLE ways AS {parts}")


# A row that has only a phone is of whoever another row of the file names by number and phone.
BRINGING = """
SELECT here.id, bool_or(coalesce(here.merges, FALSE)), arg_max(said.cell, said.rn)
FROM (
  SELECT key, typed.referrer AS cell, rn,
    CASE left(key, 1) WHEN 'x' THEN 'external' WHEN 'c' THEN 'card' WHEN 'p' THEN 'phone' END AS kind
  FROM good JOIN typed USING (rn) SEMI JOIN here USING (key) WHERE typed.referrer IS NOT NULL
) AS said
LEFT JOIN ways ON ways.kind = said.kind AND ways.value = substr(said.key, 2)
JOIN here ON here.key = coalesce(ways.key, said.key)
GROUP BY here.id ORDER BY min(said.rn)
"""


def _named(connection: duckdb.DuckDBPyConnection, cells: set[str], *, source: str) -> Mapping[str, int]:
    """Cell -> whom it names: somebody known, or a person of the file. Nothing of those who name nobody."""
    ways = {cell: ways_of(cell, source=source) for cell in cells}
    every = list(dict.fromkeys(one for some in ways.values() for one in some))
    known = find(every, scope=CHAIN_WIDE)
    alive = living(set(known.values()))
    put(connection, "asked_way", {"kind": "VARCHAR", "value": "VARCHAR"}, [(one.kind, one.value) for one in every])
    found = connection.execute(
        "SELECT kind, value, here.id FROM asked_way JOIN ways USING (kind, value) JOIN here USING (key)"
    ).fetchall()
    in_file = {(kind, value): person for kind, value, person in found}

    def who(one: Reference) -> int | None:
        record = known.get(one)
        return record if record in alive else in_file.get((one.kind, one.value))

    named = {cell: next((pk for one in some if (pk := who(one)) is not None), None) for cell, some in ways.items()}
    return {cell: pk for cell, pk in named.items() if pk is not None}
