"""The problems of a batch, grouped by the repair they need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    rows = scratch.connection.execute(
        f"SELECT code, count(DISTINCT rn), arg_min(places, rn), "  # noqa: S608
        f"arg_min({{'sheet': sheet, 'line': line, 'field': field, 'value': value}}, rn, {EXAMPLES}) "
        f"FROM problems JOIN ({raws}) USING (rn) GROUP BY code ORDER BY 2 DESC, 1"
    ).fetchall()
    groups = []
    for code, count, packed, found in rows:
        places = findings.places_of(packed)
        examples = [_example(scratch, each) for each in found]
        first = examples[0]
        words = Problem(code, places).words(language)
        groups.append(ProblemGroup(code, words, count, first.line, first.value, places, examples))
    return groups


def _example(scratch: Scratch, each: Mapping[str, Any]) -> Example:
    sheet = scratch.sheets[each["sheet"]]
    field_name = each["field"] or ""
    return Example(sheet.file, sheet.name, each["line"], sheet.mapping.get(field_name, field_name), each["value"] or "")
