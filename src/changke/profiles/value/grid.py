"""Who stands where: recency by frequency, value groups, ages; counted over the stored rows, within a scope."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from changke.facts.customers.queries import whom_sql
from changke.foundation.organisation.scope import Scope
from changke.profiles.value.models import ValueRules
from changke.profiles.value.queries import value_rules
from changke.profiles.value.rules import annuity, years_left

FIFTHS = {"recency": "recency_score", "frequency": "frequency_score", "money": "money_score"}
MEASURED = {"recency": "silent_days", "frequency": "purchases_365d", "money": "net_spend_365d"}
BOUNDS_OF = {"recency": "recency_days", "frequency": "frequency", "money": "money"}
AGE_STEP = 5

FROM = """
FROM profiles_profile AS one LEFT JOIN profiles_prediction AS said ON said.customer_id = one.customer_id
"""
SUMS = """
COUNT(*), COALESCE(SUM(one.net_spend_365d), 0)::bigint, COALESCE(SUM(said.value_year_minor), 0)::bigint,
COALESCE(SUM(said.expected_spend_minor), 0)::bigint, COALESCE(SUM(said.worth_minor), 0)::bigint
"""


@dataclass(frozen=True)
class Cell:
    """How many, what they spent in the last year, what they are worth in the coming, what they bring in the horizon,
    and their discounted worth over the years that the chain counts."""

    customers: int
    spent_minor: int
    value_minor: int
    expected_minor: int
    worth_minor: int


@dataclass(frozen=True)
class Grid:
    """Recency by frequency. Scores count upward, the best is the last; `bounds` where the chain divides by its own."""

    cells: Mapping[tuple[int, int], Cell]
    recency: int
    frequency: int
    money: int
    bounds: Mapping[str, Sequence[int]]

    @property
    def total(self) -> Cell:
        return added(self.cells.values())


NOBODY = Cell(0, 0, 0, 0, 0)


def added(cells: Any) -> Cell:
    found = list(cells)
    return Cell(*(sum(getattr(one, name) for one in found) for name in Cell.__dataclass_fields__))


def score(measure: str, rules: ValueRules) -> str:
    """The band of a measure as SQL, from 1 up; a bound itself belongs to the band above it, for silence below it."""
    bounds = rules.bands.get(BOUNDS_OF[measure])
    if not bounds:
        return f"one.{FIFTHS[measure]}"
    column = f"one.{MEASURED[measure]}"
    if measure == "recency":
        cases = " ".join(f"WHEN {column} < {int(bound)} THEN {len(bounds) + 1 - n}" for n, bound in enumerate(bounds))
    else:
        cases = " ".join(
            f"WHEN {column} >= {int(bound)} THEN {n + 1}" for n, bound in reversed(list(enumerate(bounds, start=1)))
        )
    return f"CASE WHEN {column} IS NULL THEN NULL {cases} ELSE 1 END"


def scores(measure: str, rules: ValueRules) -> int:
    bounds = rules.bands.get(BOUNDS_OF[measure])
    return len(bounds) + 1 if bounds else 5


def grid(scope: Scope | None = None, *, money: int | None = None) -> Grid:
    """Everybody who ever bought, by recency and frequency; of one band of money only where `money` names it."""
    rules = value_rules()
    where, values = _within(scope)
    if money is not None:
        where, values["money"] = f"{where} AND {score('money', rules)} = %(money)s", money
    rows = _rows(grid_statement(rules, where), values)
    return Grid(
        {(r, f): Cell(*sums) for r, f, *sums in rows},
        scores("recency", rules), scores("frequency", rules), scores("money", rules), rules.bands,
    )  # fmt: skip


def grid_statement(rules: ValueRules, where: str) -> str:
    recency, frequency = score("recency", rules), score("frequency", rules)
    return (
        f"SELECT {recency} AS r, {frequency} AS f, {SUMS} {FROM}"
        f" WHERE {where} AND {recency} IS NOT NULL AND {frequency} IS NOT NULL GROUP BY 1, 2"
    )


def groups_statement(where: str) -> str:
    return f"SELECT one.value_group, {SUMS} {FROM} WHERE {where} GROUP BY 1"


def groups(scope: Scope | None = None) -> dict[str, Cell]:
    """The value groups: high, middle, low."""
    where, values = _within(scope)
    rows = _rows(groups_statement(where), values)
    found = {group: Cell(*sums) for group, *sums in rows}
    return {group: found.get(group, NOBODY) for group in ("high", "middle", "low")}


def members(
    scope: Scope | None, *, recency: int, frequency: int, money: int | None, after: tuple[int, int] | None, most: int
) -> list[tuple[int, int]]:
    """Who stands in a cell: ids and annual value, the most valuable first, behind the pair `after`."""
    rules = value_rules()
    where, values = _within(scope)
    where += f" AND {score('recency', rules)} = %(r)s AND {score('frequency', rules)} = %(f)s"
    if money is not None:
        where += f" AND {score('money', rules)} = %(m)s"
    if after is not None:
        where += " AND (COALESCE(said.value_year_minor, 0), -one.customer_id) < (%(value)s, -%(behind)s)"
        values |= {"value": after[0], "behind": after[1]}
    return _rows(
        f"SELECT one.customer_id, COALESCE(said.value_year_minor, 0) {FROM} WHERE {where}"
        " ORDER BY COALESCE(said.value_year_minor, 0) DESC, one.customer_id LIMIT %(most)s",
        {**values, "r": recency, "f": frequency, "m": money, "most": most},
    )


@dataclass(frozen=True)
class AgeBand:
    """Customers of an age: how many, how many of them bought in a year, and what they bring until they are too old.

    `life_minor` is what each year brings now, kept up for the years left, later years being less. An upper bound:
    nobody stays for certain. None where the chain has named no ages.
    """

    first: int
    last: int
    customers: int
    bought: int
    known_days: int
    spent_minor: int
    value_minor: int
    years: int | None
    life_minor: int | None


def ages(scope: Scope | None = None, *, today: dt.date) -> list[AgeBand]:
    """By age, in steps of five years; whose year of birth nobody knows is left out."""
    rules = value_rules()
    where, values = _within(scope)
    rows = _rows(
        "SELECT %(year)s - card.birth_year AS age, COUNT(*), COUNT(*) FILTER (WHERE one.purchases_365d > 0),"
        " SUM(one.last_purchase_on - one.first_purchase_on)::bigint, COALESCE(SUM(one.net_spend_365d), 0)::bigint,"
        f" COALESCE(SUM(said.value_year_minor), 0)::bigint {FROM}"
        " JOIN facts_customer AS card ON card.id = one.customer_id"
        f" WHERE {where} AND card.birth_year IS NOT NULL AND card.birth_year <= %(year)s GROUP BY 1 ORDER BY 1",
        {**values, "year": today.year},
    )
    first, until, discount = rules.target_age_from, rules.target_age_until, rules.discount_percent
    found: dict[int, list[tuple[int, ...]]] = {}
    for row in rows:
        found.setdefault(row[0] // AGE_STEP * AGE_STEP, []).append(row)
    bands = []
    for start, several in sorted(found.items()):
        customers, bought, days, spent, value = (sum(row[place] for row in several) for place in range(1, 6))
        years = life = None
        if first is not None and until is not None:
            left = [(row, years_left(row[0], first=first, until=until)) for row in several]
            years = round(sum(row[1] * n for row, n in left) / customers)
            life = round(sum(row[5] * annuity(n, discount_percent=discount) for row, n in left))
        bands.append(
            AgeBand(start, start + AGE_STEP - 1, customers, bought, days // customers, spent, value, years, life)
        )
    return bands


def _within(scope: Scope | None) -> tuple[str, dict[str, Any]]:
    if scope is None or scope.store_ids is None:
        return "one.purchases > 0", {}
    seen, values = whom_sql(scope, person="one.customer_id", home="one.home_store_id")
    return f"one.purchases > 0 AND {seen}", values


def _rows(statement: str, values: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as sql:
        sql.execute(statement, dict(values))
        return list(sql.fetchall())
