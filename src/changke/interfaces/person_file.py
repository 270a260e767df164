"""Everything that is kept about a person as one file for her: JSON for machines, tables for people."""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from django.core.files.storage import default_storage

from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.registry import person_tables
from changke.interfaces import words
from changke.interfaces.management.base import as_text

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would compute."""


@seeing(CHAIN_WIDE)  # hers by law: also what another store wrote
def everything(person_ids: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """Rows by subject. Subjects of which nothing is kept are left out."""
    found = {one.key: [dict(row) for row in one.export(person_ids)] for one in person_tables() if one.key != "keys"}
    return {key: rows for key, rows in found.items() if rows}


def as_zip(person_ids: Sequence[int], *, now: dt.datetime) -> bytes:
    """`person.json`, a CSV for each subject, and her photos."""
    tables = everything(person_ids)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        whole = {"written_at": now.isoformat(), **tables}
        archive.writestr("person.json", json.dumps(whole, ensure_ascii=False, indent=2, default=as_text))
        for key, rows in tables.items():
            archive.writestr(f"{key}.csv", "\ufeff" + _csv(rows))  # so that spreadsheets read it as UTF-8
        for note in tables.get("notes", ()):
            if note["photo"] and default_storage.exists(note["photo"]):
                with default_storage.open(note["photo"], "rb") as photo:
                    archive.writestr(f"photos/{note['photo'].rpartition('/')[2]}", photo.read())
    return out.getvalue()


def title(key: str) -> str:
    return str(words.PERSON_TABLES[key])


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=as_text) if isinstance(value, list | dict) else as_text(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
