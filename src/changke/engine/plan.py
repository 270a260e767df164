"""A folder that somebody else works off: facts as Parquet, what to compute, and in the end the answers as Parquet.

    FOLDER/plan.json                     what to compute; knows nothing of where it came from
    FOLDER/facts/<table>/*.parquet       what to compute it from
    FOLDER/answers/<day>/<name>/*        everybody, and the population's values, as of each day; scores of the first
    FOLDER/answers/done/*                how many rows each day has, and of the scores; written last

Whoever hands the folder out writes the facts and the plan (`profiles/lifecycle`), `engines/spark.py` works it off on
one machine or on a cluster that sees the same folder, and whoever handed it out takes the answers back.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from changke.engine.definitions import POPULATION_VERSION, TODAY, Statement
from changke.engine.definitions.staged import Step

FILE = "plan.json"
EVERYBODY = "everybody"
SCORES = "scores"
DONE = "done"
VERSION = 1
"""The population's values of a folder have this version: there is one set of them."""
FORMAT = 3


class NotAPlan(ValueError):
    """The folder holds no plan that this version of the product can read."""


@dataclass(frozen=True)
class Scores:
    """What is to be expected of everybody who ever bought, as of the first day, by a fit that was learned before.

    Parameters
    ----------
    bought, before, homes
        The rows that a customer is known by, and her home store, in no order; run while the tables of the steps stand.
    asked
        As `engine/prediction/scores.py` writes what they are asked.
    """

    bought: Statement
    before: Statement
    homes: Statement
    asked: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to compute, in the words of one engine.

    Parameters
    ----------
    tables, views
        The facts as tables, and name to query of the views over them in the schema `live`.
    steps
        Tables that several statements read, in their order.
    populations
        Stored table of the population's values, and the statement that computes them, in their order; once, as of the
        first day.
    everybody
        One row per customer.
    days
        As of which days everybody is computed, in ISO form.
    values
        What every statement wants bound beside the day and the version. Days among them are text: every parameter is
        cast to its type in the statement.
    about
        What whoever takes the answers back wants to recognise; nobody else reads it.
    scores
        None where there is no fit to go by.
    """

    tables: tuple[str, ...]
    views: Mapping[str, str]
    steps: tuple[Step, ...]
    populations: tuple[Step, ...]
    everybody: Statement
    days: tuple[str, ...]
    values: Mapping[str, Any]
    about: Mapping[str, Any]
    scores: Scores | None = None

    def bound(self, day: str) -> dict[str, object]:
        """Everything to bind for the statements of a day."""
        return {**self.values, TODAY: day, POPULATION_VERSION: VERSION}

    def dumps(self) -> str:
        """The plan as text; `loads` reads it again."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1, default=str)

    @classmethod
    def loads(cls, text: str) -> Self:
        """Raises NotAPlan."""
        try:
            told = json.loads(text)
            if told.pop("format") != FORMAT:
                raise NotAPlan("the plan was written by another version of the product")
            return cls(
                tables=tuple(told.pop("tables")),
                steps=tuple(map(_step, told.pop("steps"))),
                populations=tuple(map(_step, told.pop("populations"))),
                everybody=_statement(told.pop("everybody")),
                days=tuple(told.pop("days")),
                scores=_scores(told.pop("scores")),
                **told,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            if isinstance(problem, NotAPlan):
                raise
            raise NotAPlan(f"not a plan: {problem}") from None

    def write(self, folder: Path) -> None:
        """Write it into the folder."""
        (folder / FILE).write_text(self.dumps(), encoding="utf-8")


def read_plan(folder: Path) -> Plan:
    """The plan of a folder.

    Raises
    ------
    NotAPlan
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise NotAPlan(f"no plan in {folder}: {problem}") from None
    return Plan.loads(text)


def _step(told: Mapping[str, Any]) -> Step:
    return Step(told["table"], _statement(told["statement"]))


def _scores(told: Mapping[str, Any] | None) -> Scores | None:
    if not told:
        return None
    bought, before, homes = (_statement(told[name]) for name in ("bought", "before", "homes"))
    return Scores(bought, before, homes, told["asked"])


def _statement(told: Mapping[str, Any]) -> Statement:
    lists = {name: tuple(told[name]) for name in ("columns", "parameters", "populations")}
    return Statement(**{**told, **lists})
