"""A definition that would not mean the same everywhere is refused, with file and line."""

from pathlib import Path

import pytest

from changke.engine.definitions import Composer, DefinitionError, Registry, UnknownAttribute
from tests.engine.sample.facts import FACTS

GOOD = "-- one: a number.   grain: customer\n-- inputs: purchases\n-- n   int=0   receipts\n"
COUNTED = "SELECT customer_id, COUNT(*) AS n FROM purchases GROUP BY customer_id"


def refused(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    with pytest.raises(DefinitionError) as refusal:
        Registry.read(folder, FACTS)
    return str(refusal.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELECT 1", "one.sql:1: the first line must read"),
        (GOOD.replace("one:", "two:") + "SELECT 1", "one.sql:1: the definition is called two"),
        (GOOD.replace("customer", "galaxy") + "SELECT 1", "one.sql:1: unknown grain 'galaxy'"),
        (GOOD.replace("int=0", "float") + "SELECT 1", "one.sql:3: unknown type 'float'"),
        (GOOD + "-- alone\n" + COUNTED, "one.sql:4: a column reads"),
        (GOOD + "-- settings: weight\n" + COUNTED, "one.sql:2: a setting reads 'name type', not 'weight'"),
        (GOOD + "-- settings: weight int\n" + COUNTED, "one.sql:2: setting weight is never used"),
        (GOOD.replace("purchases", "receipts", 1) + COUNTED.replace("purchases", "receipts"),
         "one.sql:2: unknown input receipts"),
        (GOOD.replace("purchases", "purchases, visits") + COUNTED, "one.sql:2: input visits is never read"),
        (GOOD + "SELECT customer_id, COUNT(*) AS n\nFROM visits GROUP BY customer_id",
         "one.sql:2: input purchases is never read"),
        (GOOD + "SELECT customer_id, COUNT(*) AS n\nFROM purchases JOIN visits USING (customer_id)",
         "one.sql:5: reads visits"),
        (GOOD + "SELECT customer_id, COUNT(*) AS n\nFROM live.purchases GROUP BY customer_id",
         "one.sql:5: reads live.purchases: name the fact"),
        (GOOD + "SELECT customer_id, COUNT(*) AS m FROM purchases GROUP BY customer_id", "one.sql:3: promises n"),
        (GOOD + "SELECT customer_id, COUNT(*) AS n,\n MAX(store_id) AS s FROM purchases GROUP BY customer_id",
         "one.sql:5: selects s"),
        (GOOD + "SELECT customer_id, SUM(fen) AS n\nFROM purchases GROUP BY customer_id",
         "one.sql:4: Column 'fen' could not be resolved"),
        (GOOD + "SELECT customer_id, SUM(cash_minor)\n / 2 AS n FROM purchases GROUP BY customer_id",
         "one.sql:4: '/' is a float"),
        (GOOD + "SELECT customer_id, cash_minor AS n FROM purchases\nWHERE business_date > CURRENT_DATE",
         "one.sql:5: the day is an argument"),
        (GOOD + "SELECT customer_id, COUNT(*) AS n FROM purchases WHERE\nstore_id = :shop GROUP BY customer_id",
         "one.sql:5: :shop is not among its settings"),
        (GOOD + "SELECT customer_id,\n RANK() OVER (ORDER BY cash_minor) AS n FROM purchases",
         "one.sql:5: a window over other customers"),
        (GOOD + "SELECT customer_id, (SELECT MAX(cash_minor) FROM purchases) AS n FROM purchases",
         "one.sql:4: counts across customers"),
        (GOOD + "SELECT customer_id, COUNT(* AS n FROM purchases", "one.sql:4: Expecting )"),
        (GOOD + "DROP TABLE purchases", "one.sql:1: a definition is one SELECT"),
        (GOOD + "WITH purchases AS (SELECT customer_id FROM purchases)\n" + COUNTED,
         "one.sql:4: the CTE purchases hides the table"),
    ],
)  # fmt: skip
def test_refused_with_file_and_line(tmp_path: Path, text: str, problem: str) -> None:
    assert refused(tmp_path, one=text).startswith(problem)


@pytest.mark.parametrize(
    ("join", "is_refused"),
    [
        ("JOIN other ON other.customer_id = customers.customer_id", True),
        ("INNER JOIN other USING (customer_id)", True),
        (", other", True),
        ("CROSS JOIN other", True),
        ("RIGHT JOIN other ON other.customer_id = customers.customer_id", True),
        ("LEFT JOIN other ON other.customer_id = customers.customer_id", False),
    ],
)
def test_complete_definitions_are_joined_left(tmp_path: Path, join: str, is_refused: bool) -> None:
    other = GOOD.replace("one:", "other:") + COUNTED
    one = (
        "-- one: a number.   grain: customer\n-- inputs: customers, other\n-- m   int   twice as many\n"
        f"SELECT customers.customer_id, other.n * 2 AS m FROM customers\n{join}"
    )
    if is_refused:
        problem = refused(tmp_path, one=one, other=other)
        assert problem.startswith("one.sql:5: other has a row for every customer: LEFT JOIN it")
    else:
        (tmp_path / "one.sql").write_text(one)
        (tmp_path / "other.sql").write_text(other)
        assert "m" in Registry.read(tmp_path, FACTS).attributes


def test_a_circle_is_named(tmp_path: Path) -> None:
    def leaning_on(name: str, other: str) -> str:
        header = f"-- {name}: x.   grain: customer\n-- inputs: {other}\n-- {name}_n   int   x\n"
        return header + f"SELECT customer_id, {other}_n AS {name}_n FROM {other}"

    problem = refused(tmp_path, a=leaning_on("a", "b"), b=leaning_on("b", "c"), c=leaning_on("c", "a"))
    assert ":2: a circle: " in problem
    assert all(name in problem for name in "abc")


def test_one_number_has_one_definition(tmp_path: Path) -> None:
    problem = refused(tmp_path, one=GOOD + COUNTED, two=GOOD.replace("one:", "two:") + COUNTED)
    assert problem.startswith("two.sql:3: n is already defined in")


def test_a_definition_does_not_hide_a_fact(tmp_path: Path) -> None:
    visits = GOOD.replace("one:", "visits:") + COUNTED
    assert refused(tmp_path, visits=visits).startswith("visits.sql:1: a fact is called visits")


def test_an_unknown_attribute_is_refused(composer: Composer) -> None:
    with pytest.raises(UnknownAttribute, match="purchasez"):
        composer.statement(["purchasez"], engine="duckdb")


def test_an_unknown_engine_is_refused(composer: Composer) -> None:
    with pytest.raises(ValueError, match="unknown engine 'oracle'"):
        composer.statement(["purchases"], engine="oracle")


def test_a_missing_setting_is_named(composer: Composer) -> None:
    with pytest.raises(KeyError, match="gap_weight"):
        composer.statement(["usual_gap_days"], engine="postgres").bind({"today": None})
