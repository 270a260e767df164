"""What the files of a batch turn out to be: kinds, columns, and what was decided or remembered of them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import remember_mapping, remembered_mapping
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.importers import clean, columns, sources
from changke.interfaces.importers.kinds import NEEDED, ORDER, WORKS, Work
from changke.interfaces.importers.own import KIND, OwnFields, own_column, own_fields_of
from changke.interfaces.importers.parts import Ground, Turned
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.reporting import Progress
from changke.interfaces.importers.scratch import Scratch, SourceFile
from changke.interfaces.importers.setting import Setting
from changke.interfaces.shops import must_be_said


@dataclass
class Load:
    """One batch being read: what was decided before, and what its sheets turned out to be."""

    setting: Setting
    scratch: Scratch
    language: str
    remembered: bool
    own: OwnFields
    stores: Mapping[tuple[str, str], str]

    @property
    def kinds(self) -> list[str]:
        here = {sheet.kind for sheet in self.scratch.sheets}
        return [kind for kind in ORDER if kind in here]

    @property
    def kind(self) -> str:
        return self.kinds[0] if len(self.kinds) == 1 else sources.MIXED

    @property
    def fields(self) -> list[str]:
        found = [[*columns.fields_of(kind), *self.own.fields_of(kind)] for kind in self.kinds]
        return list(dict.fromkeys(field for fields in found for field in fields))

    def build(self, kind: str) -> list[str]:
        """Make `rows` and `typed` of the sheets of this kind; the mapped fields."""
        mapped = self.scratch.canonical_rows(kind, self.stores)
        fields = [*EVERY_FIELD, *self.own.mapped(mapped)]
        clean.build_typed(self.scratch.connection, fields, mapped, self.setting.reading)
        return mapped

    def place_of(self, sheet: int, line: int) -> str:
        """Where a row stands, as the proof of a consent names it."""
        found = self.scratch.sheets[sheet]
        name = f"{found.file} · {found.name}" if found.name else found.file
        return PLACE.get(self.language, PLACE["en"]) % {"file": name, "line": line}

    def missing(self) -> list[str]:
        """Needed columns that no mapping names, each group by its first field."""
        found = []
        for kind in self.kinds:
            mapped = {field for sheet in self.scratch.sheets if sheet.kind == kind for field in sheet.mapping}
            found += [group[0] for group in NEEDED[kind] if not set(group) & mapped]
        return list(dict.fromkeys(found))


PLACE = {"zh-hans": "%(file)s 第 %(line)s 行", "zh-hant": "%(file)s 第 %(line)s 行", "en": "%(file)s, row %(line)s"}

EVERY_FIELD = (
    *dict.fromkeys(field for kind in columns.KINDS for field in columns.fields_of(kind)), clean.SOLD_AS
)  # fmt: skip
"""Every kind's rows have every column, NULL where they have none, so that the statements need no cases."""


def understand(batch: Batch, scratch: Scratch, *, now: dt.datetime, progress: Progress) -> Load:
    chain = the_chain()
    options = batch.options
    currency = options.get("currency") or chain.currency
    if currency != chain.currency and not options.get("accept_currency"):
        raise UnreadableFile("currency_other", file=batch.title, currency=currency, chain=chain.currency)
    files = [SourceFile(Path(each["path"]), each["name"]) for each in batch.files]
    given: Mapping[str, str] = options.get("mapping") or {}
    chosen: Mapping[str, Mapping[str, str]] = options.get("mappings") or {}
    """Per header signature, as a person decided in the wizard."""
    asked = str(options.get("asked", batch.kind))
    """The kind that the person chose; a batch that runs again after a crash carries the one that was found."""
    state = {"kind": asked, "remembered": ""}
    own = own_fields_of(batch)
    name = str(options.get("source") or "")

    def find(names: Sequence[str]) -> Turned | None:
        return None if given else sources.understood(names, kind=asked, only=str(options.get("only") or ""))

    def choose(header: columns.Header, found: Turned | None) -> tuple[str, Mapping[str, str]]:
        kind, mapping = decided(header, found)
        known = {*columns.fields_of(kind), *own.fields_of(kind)}
        # A field that was retired since, or that this person does not see, is a column left out.
        return kind, {field: name for field, name in mapping.items() if field in known or not own_column(field)}

    def decided(header: columns.Header, found: Turned | None) -> tuple[str, Mapping[str, str]]:
        kind = found.part.kind if found else generic_kind(header)
        if header.signature in chosen:
            return kind, chosen[header.signature]
        if given:
            return kind, given
        remembered = remembered_mapping(
            kind=kind, source=found.source if found else name, signature=header.signature
        )  # fmt: skip
        if remembered is not None:
            state["remembered"] = "yes"
            return kind, remembered
        if found:
            return kind, found.part.mapping
        return kind, columns.recognise(header.names, kind, own.words if kind == KIND else {})

    def generic_kind(header: columns.Header) -> str:
        recognised_kind = columns.guess_kind(header.names)
        if asked == sources.MIXED:
            return recognised_kind
        if not state["kind"] or (
            state["kind"] == "purchases" and recognised_kind == "openings" and not (given or chosen)
        ):
            state["kind"] = recognised_kind
        return state["kind"]

    scratch.read(
        files,
        kind=asked if asked in columns.KINDS else "purchases",
        choose=choose,
        wanted=given or None,
        find=find,
        ground=Ground("" if options.get("accept_currency") else chain.currency),
        own=own.words if asked == KIND else {},
        encoding=options.get("encoding"),
        leave_out={(file, sheet) for file, sheet in options.get("leave_out") or ()},
        progress=lambda rows: progress(0, rows, "reading"),
    )
    by_source = {sheet.source for sheet in scratch.sheets if sheet.source}
    if not name and (shops := must_be_said(by_source)):
        raise UnreadableFile("shop_unsaid", file=batch.title, shops=", ".join(shop for _, shop in shops))
    setting = Setting.from_options(
        {**options, "source": name or (by_source.pop() if len(by_source) == 1 else "")},
        kind=state["kind"], batch_id=batch.pk, now=now, currency=chain.currency, time_zone=chain.time_zone,
    )  # fmt: skip
    stores = {(file, sheet): word for file, sheet, word in options.get("sheet_stores") or ()}
    language = str(options.get("language", "zh-hans"))
    return Load(replace(setting, reading=replace(setting.reading, own=own.by_column)), scratch, language,
                bool(state["remembered"]), own, stores)  # fmt: skip


def work_of(load: Load, kind: str, mapped: list[str], setting: Setting) -> Work:
    return WORKS[kind](load.scratch.connection, setting, mapped)


def remember(load: Load, now: dt.datetime) -> None:
    for sheet in load.scratch.sheets:
        if sheet.mapping:
            source = sheet.source or load.setting.source
            remember_mapping(
                kind=sheet.kind, source=source, signature=sheet.header.signature, mapping=sheet.mapping, now=now
            )
