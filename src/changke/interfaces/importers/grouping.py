"""The problems of a batch, grouped by the repair they need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from changke.interfaces.importers import findings
from changke.interfaces.importers.problems import Problem
from changke.interfaces.importers.scratch import Scratch


@dataclass(frozen=True)
class Example:
    """One refused row of a group: where a person finds it, and what stands there."""

    file: str
    sheet: str
    line: int
    column: str
    value: str


@dataclass(frozen=True)
class ProblemGroup:
    """Refused rows that the same repair mends. `places` fill the words of the code in whichever language is read."""

    code: str
    words: str
    rows: int
    example_line: int
    example_value: str
    places: Mapping[str, str] = field(default_factory=dict)
    examples: Sequence[Example] = ()


EXAMPLES = 3
"""Enough to recognise the mistake; the error file has all of them."""


def grouped(scratch: Scratch, language: str) -> list[ProblemGroup]:
    """Problems by the repair they need, the most frequent first."""
    raws = " UNION ALL ".join(
        f"SELECT rn, line, {sheet.index} AS sheet FROM raw_{sheet.index}"  # noqa: S608 our own names
        for sheet in scratch.sheets
    )
    counted = scratch.connection.execute(
        "SELECT code, count(DISTINCT rn), arg_min(places, rn) FROM problems GROUP BY code ORDER BY 2 DESC, 1"
    ).fetchall()
    # The first few are chosen before their lines are looked up: gathering them while a million rows go by takes 90 MB.
    shown: dict[str, list[Example]] = {}
    for code, *each in scratch.connection.execute(
        "SELECT code, sheet, line, field, value FROM (SELECT *, row_number() OVER (PARTITION BY code ORDER BY rn) AS "  # noqa: S608
        f"nth FROM problems) JOIN ({raws}) USING (rn) WHERE nth <= {EXAMPLES} ORDER BY code, nth"
    ).fetchall():
        shown.setdefault(code, []).append(_example(scratch, *each))
    groups = []
    for code, count, packed in counted:
        places, examples = findings.places_of(packed), shown[code]
        first = examples[0]
        words = Problem(code, places).words(language)
        groups.append(ProblemGroup(code, words, count, first.line, first.value, places, examples))
    return groups


def _example(scratch: Scratch, place: int, line: int, field_name: str | None, value: str | None) -> Example:
    sheet, name = scratch.sheets[place], field_name or ""
    return Example(sheet.file, sheet.name, line, sheet.mapping.get(name, name), value or "")
