"""A draft: the files somebody brought, and what was decided about them so far. It lives in the batch, so that one may
leave the page and come back."""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from changke.foundation.access.models import Staff
from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import change_draft, discard, draft
from changke.interfaces.importers import beside, columns, sources
from changke.interfaces.importers.folders import forget_uploads, look_of, uploads_of
from changke.interfaces.importers.look import look
from changke.interfaces.importers.own import own_fields_of
from changke.interfaces.importers.presets import preset as preset_named
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.scratch import SourceFile

MOST_FILES = 50
LONGEST_NAME = 120


@dataclass(frozen=True)
class RefusedFile:
    """A file that cannot be used, and the remedy."""

    name: str
    words: str


@dataclass(frozen=True)
class Brought:
    """A file on its way into a draft: where it lies now, and what its owner calls it. `moves`: it may be moved away."""

    path: Path
    name: str
    moves: bool = True


def uploaded(files: "Iterable[UploadedFile[Any]]") -> list[Brought]:
    return [Brought(Path(file.temporary_file_path()), file.name or "") for file in files]  # type: ignore[attr-defined]


def begin(
    files: Sequence[Brought],
    *,
    kind: str,
    preset: str,
    language: str,
    created_by: Staff | None,
    now: datetime,
    role: str = "",
) -> tuple[Batch | None, list[RefusedFile]]:
    """A draft with every file that can be read; None where none can. Files that cannot are named with their remedy.

    `role` is that of a machine, where no person brought them.
    """
    options: dict[str, Any] = {"language": language, "preset": preset, "create": True, "check": 0}
    if role:
        options["role"] = role
    if preset in sources.SOURCES:
        options |= {"preset": "", "only": preset}
        kind = ""
    elif preset:
        known = preset_named(preset)
        kind = known.kind
        options |= {**known.options, "mapping": dict(known.columns), "currency": known.currency}
    batch = draft(kind=kind, title="", options=options, created_by=created_by, now=now)
    taken = _take(batch.pk, files)
    own = own_fields_of(batch).words
    good, refused, looks = _look_at(taken, kind=kind, options=options, language=language, own=own)
    if not good:
        discard(batch.pk)
        forget_uploads(batch.pk)
        return None, refused
    change_draft(
        batch.pk,
        kind=looks.kind,
        title="、".join(file.name for file in good),
        files=[{"path": str(file.path), "name": file.name} for file in good],
        options={"look": _put_down(batch.pk, looks), "refused_files": [asdict(each) for each in refused]},
    )
    batch.refresh_from_db()
    return batch, refused


def look_again(batch: Batch, *, kind: str, encoding: str) -> RefusedFile | None:
    """Read the draft's files anew as another kind or in another encoding; the refusal where that is impossible."""
    files = [SourceFile(Path(each["path"]), each["name"]) for each in batch.files]
    options = {**batch.options, "encoding": encoding}
    own = own_fields_of(batch).words
    good, refused, looks = _look_at(files, kind=kind, options=options, language=str(batch.options["language"]), own=own)
    if refused or not good:
        return refused[0]
    kept = _put_down(batch.pk, looks)
    change_draft(batch.pk, kind=looks.kind, options={"look": kept, "encoding": encoding, "mappings": {}})
    return None


def look_kept(batch: Batch) -> list[dict[str, Any]]:
    """The sheets of the draft with their first rows; without them where the files are gone."""
    return beside.together(batch.options["look"], beside.taken(look_of(batch.pk)))


def _put_down(batch_id: int, looks: "Looks") -> list[dict[str, Any]]:
    bare, rows = beside.apart(looks.sheets)
    beside.put(look_of(batch_id), rows)
    return bare


def forget(batch: Batch) -> None:
    """Throw the draft and its files away."""
    if discard(batch.pk):
        forget_uploads(batch.pk)


@dataclass
class Looks:
    kind: str
    sheets: list[dict[str, Any]]


def _look_at(
    files: Sequence[SourceFile], *, kind: str, options: Mapping[str, Any], language: str, own: columns.Own
) -> tuple[list[SourceFile], list[RefusedFile], Looks]:
    good: list[SourceFile] = []
    refused: list[RefusedFile] = []
    looks = Looks(kind, [])
    kinds: set[str] = set()
    for file in files:
        try:
            found_kind, sheets = look(
                file,
                kind=kind,
                given=options.get("mapping") or {},
                encoding=options.get("encoding") or None,
                only=str(options.get("only") or ""),
                otherwise="" if looks.kind == sources.MIXED else looks.kind,
                own=own,
            )
            if not any(sheet.header for sheet in sheets):
                raise UnreadableFile("header_missing", file=file.name)
        except UnreadableFile as error:
            refused.append(RefusedFile(file.name, error.problem.words(language)))
            continue
        kinds.add(found_kind)
        looks.kind = found_kind if len(kinds) == 1 else sources.MIXED
        looks.sheets += [asdict(sheet) for sheet in sheets]
        good.append(file)
    return good, refused, looks


def _take(batch_id: int, files: Sequence[Brought]) -> list[SourceFile]:
    """Move (or copy) the files into the folder of the batch, under names of ours: what a visitor calls a file is never
    part of a path."""
    folder = uploads_of(batch_id)
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for number, file in enumerate(files, 1):
        ending = re.sub(r"[^a-z0-9]", "", Path(file.name).suffix.lower())[:8]
        target = folder / f"{number}.{ending or 'file'}"
        if file.moves:
            shutil.move(file.path, target)
        else:
            shutil.copyfile(file.path, target)
        taken.append(SourceFile(target, shown_name(file.name)))
    return taken


def shown_name(name: str) -> str:
    """One printable line without folders."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[-LONGEST_NAME:] or "?"
