"""Scores on Spark: all rows of some customers go to a Python beside Spark's own process, and it asks the fit about them
with the functions of a night. It wants `changke`, pandas and pyarrow there: the extra `changke[spark]`.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from changke.engine.later import Later
from changke.engine.plan import Scores
from changke.engine.prediction.known import STORE
from changke.engine.prediction.scores import COLUMNS, DAYS_KNOWN, Asked
from changke.engine.prediction.stores import NOWHERE

if TYPE_CHECKING:
    import pyarrow
else:
    pyarrow = Later("pyarrow")

AT_ONCE = 20_000
"""Customers that one call is about: some 200,000 rows, 12 MB; many enough that numpy is at its speed."""
PART = "part"
NAMES = (*COLUMNS, DAYS_KNOWN)
SCHEMA = ", ".join(f"{name} BIGINT" for name in NAMES)


class CannotScore(RuntimeError):
    """Where Spark runs Python, something is missing; says what to do."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(
            "Scores cannot be computed where Spark runs: install 'changke[spark]' for the Python of every machine"
            " (PYSPARK_PYTHON names it), or leave them to the machine that takes the answers back with"
            f" --without-scores. {_last_line(problem)}"
        )


def require_scores(session: Any) -> None:
    """Ask for one row, before hours are spent.

    Raises
    ------
    CannotScore
    """
    try:
        session.range(1, numPartitions=1).mapInArrow(_are_here, "id BIGINT").collect()
    except Exception as problem:  # Java's, Spark's and Python's own: all say that it does not work there
        raise CannotScore(problem) from problem


def scored(bought: Any, before: Any, homes: Any, scores: Scores, *, customers: int) -> Any:
    """A data frame of NAMES, one row for each who ever came.

    Parameters
    ----------
    bought, before, homes
        What the statements of the plan gave, as data frames.
    customers
        About how many there are: in so many parts they are asked about.
    """
    parts = max(1, -(-customers // AT_ONCE))
    # Two frames can go together: who belongs where travels with what was before, as rows without a day.
    theirs = homes.selectExpr("customer_id", f"COALESCE({STORE}, {NOWHERE}) AS {STORE}")
    also = before.unionByName(theirs, allowMissingColumns=True)
    one, other = (frame.selectExpr("*", f"customer_id % {parts} AS {PART}").groupBy(PART) for frame in (bought, also))
    return one.cogroup(other).applyInArrow(partial(_of_part, dict(scores.asked)), SCHEMA)


def _of_part(asked: dict[str, Any], bought: "pyarrow.Table", also: "pyarrow.Table") -> "pyarrow.Table":
    dated = also.column("business_date").is_valid()
    before, homes = also.filter(dated).drop_columns([STORE]), also.filter(also.column(STORE).is_valid())
    found = Asked.from_json(asked).of(_columns(bought), _columns(before), _columns(homes))
    return pyarrow.table({name: pyarrow.array(found[name], pyarrow.int64()) for name in NAMES})


def _columns(rows: "pyarrow.Table") -> dict[str, Any]:
    """In the order that the definitions have at home: customers together, days ascending."""
    ordered = rows.sort_by([("customer_id", "ascending"), ("business_date", "ascending")])
    return {name: ordered.column(name).to_numpy() for name in ordered.column_names if name != PART}


def _are_here(batches: "Iterator[pyarrow.RecordBatch]") -> "Iterator[pyarrow.RecordBatch]":
    """Whoever reads this function has imported whatever it takes."""
    yield from batches


def _last_line(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line]
    return (named or lines or [type(problem).__name__])[-1]
